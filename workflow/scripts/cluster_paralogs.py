"""Rule cluster_paralogs: CD-HIT clusters of the proteins of all genomes that the split sees.

input: proteins (list of FASTA, one per genome of role train, validate or test)
output: clusters (TSV)
params: identity, coverage, word_size (config `split`)
threads; resources: mem_mb (both only speed)
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.splits.clusters import ClusterSettings, cluster_proteins, read_proteins
    from phytoscribe.splits.table import CLUSTER_COLUMNS, write_table

    params = snakemake.params
    settings = ClusterSettings(float(params.identity), float(params.coverage), int(params.word_size))
    memory_mb = int(snakemake.resources.get("mem_mb", 4000))
    clusters = cluster_proteins(read_proteins(snakemake.input.proteins), settings, snakemake.threads, memory_mb)
    write_table(snakemake.output.clusters, clusters, CLUSTER_COLUMNS)


run_script(main, snakemake)
