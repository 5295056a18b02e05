"""Rule report_leakage: what lies on two sides of the split, and what BLAST still finds across it."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.genome.fasta import Genome
    from phytoscribe.splits.clusters import read_proteins
    from phytoscribe.splits.leakage import (
        best_hits,
        broken_promises,
        held_out_and_train,
        held_out_loci,
        leakage_table,
        nucleotide_hits,
        training_sequence,
    )
    from phytoscribe.splits.parts import read_parts
    from phytoscribe.splits.table import LEAKAGE_COLUMNS, SPLIT_COLUMNS, read_loci, read_table, write_table

    params, given, threads = snakemake.params, snakemake.input, snakemake.threads
    parts = {name: read_parts(path) for name, path in zip(params.genomes, given.parts, strict=True)}
    genomes = {name: Genome(path) for name, path in zip(params.genomes, given.fasta, strict=True)}
    splits, loci = read_table(given.splits, SPLIT_COLUMNS), read_loci(given.loci)
    hits = best_hits(*held_out_and_train(splits, loci, read_proteins(given.proteins)), threads)
    similar = nucleotide_hits(
        (locus for name, genome in genomes.items() for locus in held_out_loci(splits, name, genome, int(params.flank))),
        (seen for name, genome in genomes.items() for seen in training_sequence(genome, parts[name])),
        params.nucleotide_identity,
        params.nucleotide_coverage,
        threads,
    )
    table = leakage_table(splits, loci, hits, parts, similar)
    if broken := broken_promises(table, params.mode, params.roles):
        raise RuntimeError("the split leaks: " + "; ".join(broken))
    write_table(snakemake.output.leakage, table, LEAKAGE_COLUMNS)


run_script(main, snakemake)
