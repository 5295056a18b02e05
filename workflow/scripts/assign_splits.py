"""Rule assign_splits: the part (train, validate, test) of every locus.

input: loci (list of TSV, one per genome), clusters (TSV), fai (list; order as in params.genomes)
output: splits (TSV)
params: genomes (list of names, order of input.fai), roles ({genome: role}), mode, fractions ({part: share}),
    contig_parts ({genome: {contig: part}}, empty in mode cluster), seed
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.genome.fasta import read_index
    from phytoscribe.splits.assign import assign_splits, with_clusters
    from phytoscribe.splits.held_out import complete_contig_parts
    from phytoscribe.splits.table import CLUSTER_COLUMNS, SPLIT_COLUMNS, read_loci, read_table, write_table

    params = snakemake.params
    contig_parts = {
        name: complete_contig_parts(read_index(fai), params.contig_parts.get(name, {}), name)
        for name, fai in zip(params.genomes, snakemake.input.fai, strict=True)
    }
    clusters = read_table(snakemake.input.clusters, CLUSTER_COLUMNS)
    loci = with_clusters(read_loci(snakemake.input.loci), clusters)
    splits = assign_splits(loci, params.mode, params.fractions, contig_parts, params.roles, int(params.seed))
    write_table(snakemake.output.splits, splits, SPLIT_COLUMNS)


run_script(main, snakemake)
