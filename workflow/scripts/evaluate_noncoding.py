"""Rule evaluate_noncoding: RNA genes against the types of the reference annotation.

input: predicted, reference (the cleaned annotation), fai
output: scores
params: tools (program by type), contigs (names or None for all)
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.evaluation.accuracy.rna_genes import score_noncoding
    from phytoscribe.genome.fasta import chosen_contigs, read_index
    from phytoscribe.tables import SCORES, write_table

    lengths = read_index(snakemake.input.fai)
    contigs = chosen_contigs(lengths, snakemake.params.contigs)
    predicted, reference = (read_gff3(snakemake.input[name], lengths) for name in ("predicted", "reference"))
    scores = score_noncoding(predicted, reference, contigs, snakemake.params.tools)
    write_table(scores, snakemake.output.scores, SCORES)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
