"""Rule assign_splits: the part (train, validate, test) of every locus, and of every base."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.genome.fasta import read_index
    from phytoscribe.splits.assign import assign_splits, with_clusters
    from phytoscribe.splits.parts import complete_contig_parts, parts_of_genome, write_parts
    from phytoscribe.splits.table import CLUSTER_COLUMNS, SPLIT_COLUMNS, read_loci, read_table, write_table

    params = snakemake.params
    contigs = {name: read_index(fai) for name, fai in zip(params.genomes, snakemake.input.fai, strict=True)}
    contig_parts = {
        name: complete_contig_parts(lengths, params.contig_parts.get(name, {}), name)
        for name, lengths in contigs.items()
    }
    clusters = read_table(snakemake.input.clusters, CLUSTER_COLUMNS)
    loci = with_clusters(read_loci(snakemake.input.loci), clusters)
    splits = assign_splits(loci, params.mode, params.fractions, contig_parts, params.roles, int(params.seed))
    for name, path in zip(params.genomes, snakemake.output.parts, strict=True):
        role, parts = params.roles[name], contig_parts[name]
        write_parts(path, parts_of_genome(splits, name, contigs[name], role, params.mode, parts, int(params.flank)))
    write_table(snakemake.output.splits, splits, SPLIT_COLUMNS)


run_script(main, snakemake)
