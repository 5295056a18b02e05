"""Rule explain_expression: attribution of the expression heads beside mutagenesis, and their profile along the window.

input: head (files of one folder), gff3, fasta, fai (of the genomes, in one order), windows (gene_windows.tsv, for heads
    that are trained here), databases and measured (of the same genomes, then), model (structure model, or none)
output: trust, profile
params: genomes, names (species and lineage of each), genes and steps (of config key attribution), track, device, seed
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    import torch

    from phytoscribe.attribution.expression import control_of, drawn_genes, explain_genes, read_genes
    from phytoscribe.expression.examples import GenomeFiles
    from phytoscribe.expression.window_table import read_gene_windows
    from phytoscribe.tables import PROFILE, write_table

    given, params = snakemake.input, snakemake.params
    torch.set_num_threads(snakemake.threads)
    table = read_gene_windows(given.windows) if given.windows else None
    head, model = Path(given.head[0]).parent, Path(given.model[0]).parent if given.model else None
    columns = zip(params.genomes, given.gff3, given.fasta, params.names, strict=True)
    how = params.track, params.device, snakemake.threads
    genes = [
        read_genes(head, model, name, (gff3, fasta), tuple(names), table, *how) for name, gff3, fasta, names in columns
    ]
    control = None
    if table is not None:
        columns = zip(params.genomes, given.databases, given.gff3, given.fasta, given.measured, strict=True)
        files = [GenomeFiles(name, *map(Path, paths)) for name, *paths in columns]
        control = control_of(table, files, genes[0].heads.settings)
    genes = drawn_genes(genes, params.genes, params.seed)
    found = explain_genes(genes, params.track, params.steps, params.seed, control)
    write_table(found.trust, snakemake.output.trust)
    write_table(found.profile, snakemake.output.profile, PROFILE)


run_script(main, snakemake)
