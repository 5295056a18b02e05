"""Rule evaluate_isoseq: predicted intron chains against those of Iso-Seq reads.

input: predicted (results/predictions/{genome}.gff3), bam (results/evaluation/isoseq/{genome}.bam), fai;
    optional: reference (results/clean/{genome}.accepted.gff3), augustus (results/evaluation/augustus/{genome}.gff3)
output: scores (results/evaluation/{genome}.isoseq.tsv: predictor, level, ruler, subset, metric, value, n)
params: contigs (list of scored contigs, or None for all)
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.evaluation.isoseq import score_isoseq
    from phytoscribe.evaluation.read_alignment import ReadEvidence, read_alignments
    from phytoscribe.evaluation.tables import write_scores
    from phytoscribe.genome.fasta import chosen_contigs, read_index

    lengths = read_index(snakemake.input.fai)
    contigs = list(chosen_contigs(lengths, snakemake.params.contigs))
    paths = {"phytoscribe": snakemake.input.predicted}
    paths |= {name: snakemake.input.get(name) for name in ("augustus", "reference") if snakemake.input.get(name)}
    predictors = {name: read_gff3(path, lengths) for name, path in paths.items()}
    reads = ReadEvidence(read_alignments(snakemake.input.bam, set(contigs)))
    scores = score_isoseq(predictors, reads, contigs, predictors.get("reference", ()))
    write_scores(scores, snakemake.output.scores)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
