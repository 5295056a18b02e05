"""Rule assign_splits: the part (train, validate, test) of every locus."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.splits.assign import assign_splits, with_clusters
    from phytoscribe.splits.table import CLUSTER_COLUMNS, SPLIT_COLUMNS, read_loci, read_table, write_table

    params = snakemake.params
    clusters = read_table(snakemake.input.clusters, CLUSTER_COLUMNS)
    loci = with_clusters(read_loci(snakemake.input.loci), clusters)
    splits = assign_splits(loci, params.mode, params.fractions, params.contig_parts, params.roles, int(params.seed))
    write_table(snakemake.output.splits, splits, SPLIT_COLUMNS)


run_script(main, snakemake)
