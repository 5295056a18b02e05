"""Rule make_gene_windows: the window and the part of every gene, and why a gene takes no part.

input: databases, accepted, fasta, fai, loci (of the genomes with measured expression, in one order), clusters
output: windows
params: genomes, roles, contig_parts, mode, fractions, seed (of the split), windows (of config key expression)
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    import pandas as pd

    from phytoscribe.annotation.gene_database import GeneDatabase
    from phytoscribe.expression.window_table import GENE_WINDOWS, divided, windows_of_genome
    from phytoscribe.expression.windows import WindowSettings
    from phytoscribe.genome.fasta import read_index
    from phytoscribe.splits.assign import with_clusters
    from phytoscribe.splits.blocks import block_parts
    from phytoscribe.splits.table import CLUSTER_COLUMNS, read_loci, read_table
    from phytoscribe.tables import write_table

    given, params = snakemake.input, snakemake.params
    settings, tables, parts = WindowSettings(**params.windows), [], {}
    files = zip(params.genomes, given.databases, given.accepted, given.fasta, given.fai, strict=True)
    for name, database, gff3, fasta, fai in files:
        tables.append(windows_of_genome(name, GeneDatabase(database), gff3, fasta, settings))
        named = params.contig_parts.get(name, {})
        place = (params.roles[name], params.mode, named, params.fractions, params.seed)
        parts[name] = block_parts(name, read_index(fai), *place)
    loci = read_loci(given.loci)
    known = with_clusters(loci, read_table(given.clusters, CLUSTER_COLUMNS))
    clusters = dict(zip(zip(known["genome"], known["locus"], strict=True), known["cluster"], strict=True))
    table = divided(pd.concat(tables, ignore_index=True), parts, clusters)
    write_table(table, snakemake.output.windows, GENE_WINDOWS, decimals=0)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
