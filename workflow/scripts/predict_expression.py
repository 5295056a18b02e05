"""Rule predict_expression: expression of all genes of a genome, a tissue a column.

input: head (files of one folder), gff3, windows (gene_windows.tsv, for heads that are trained here), fasta, fai, model
    (structure model, or none)
output: levels
params: species, lineage, device
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    from phytoscribe.expression.window_table import read_gene_windows
    from phytoscribe.prediction.expression import predict_genome

    given, params = snakemake.input, snakemake.params
    table = read_gene_windows(given.windows) if given.windows else None
    predict_genome(
        head=Path(given.head[0]).parent,
        gff3=Path(given.gff3),
        fasta=Path(given.fasta),
        split=None if table is None else table[table["genome"] == snakemake.wildcards.genome],
        structure_model=Path(given.model[0]).parent if given.model else None,
        names=(params.species, params.lineage),
        device=params.device,
        threads=snakemake.threads,
        output=Path(snakemake.output.levels),
    )


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
