"""Rule report_leakage: what lies on two sides of the split, and what BLAST still finds across it."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.genome.fasta import Genome
    from phytoscribe.splits.held_out import held_out_intervals
    from phytoscribe.splits.homology import best_hits, held_out_loci, nucleotide_hits, training_stretches
    from phytoscribe.splits.leakage import broken_promises, held_out_and_train, leakage_table
    from phytoscribe.splits.protein_fasta import read_proteins
    from phytoscribe.splits.table import LEAKAGE_COLUMNS, read_loci, read_splits, write_table

    params, given, threads = snakemake.params, snakemake.input, snakemake.threads
    flank, mode, roles, parts = int(params.flank), params.mode, params.roles, params.contig_parts
    splits, loci = read_splits(given.splits), read_loci(given.loci)
    genomes = {name: Genome(path) for name, path in zip(params.genomes, given.fasta, strict=True)}
    contigs = {name: genome.contigs for name, genome in genomes.items()}
    hits = best_hits(*held_out_and_train(splits, loci, read_proteins(given.proteins)), threads)

    def masked(name):
        return held_out_intervals(splits, name, contigs[name], roles[name], mode, parts.get(name, {}), flank)

    similar = nucleotide_hits(
        (locus for name, genome in genomes.items() for locus in held_out_loci(splits, name, genome, flank)),
        (seen for name, genome in genomes.items() for seen in training_stretches(genome, masked(name))),
        params.nucleotide_identity,
        params.nucleotide_coverage,
        threads,
    )
    table = leakage_table(splits, loci, hits, mode, roles, contigs, parts, flank, similar)
    if broken := broken_promises(table, mode, roles):
        raise RuntimeError("the split leaks: " + "; ".join(broken))
    write_table(snakemake.output.leakage, table, LEAKAGE_COLUMNS)


run_script(main, snakemake)
