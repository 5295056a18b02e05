"""Rule evaluate_genes: predicted genes against the reference annotation, on the exact CDS ruler.

input: predicted (results/predictions/{genome}.gff3), reference (results/clean/{genome}.accepted.gff3),
    rejected (results/clean/{genome}.rejected.tsv), fai;
    optional: splits (results/splits/splits.tsv; not for genomes of role predict), mask (BED),
    augustus (results/evaluation/augustus/{genome}.gff3)
output: scores (results/evaluation/{genome}.genes.tsv: predictor, level, ruler, subset, metric, value, n)
params: genome (name), contigs (list of scored contigs, or None for all), part (test | validate: the part of the split
    that is scored; ignored without splits), flank (split.flank: bases held out beside a locus in cluster mode)
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    import pandas as pd

    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.evaluation.scope import Scope, broken_loci, chosen_contigs, score_predictors
    from phytoscribe.evaluation.tables import write_scores
    from phytoscribe.genome.fasta import read_index

    lengths = read_index(snakemake.input.fai)
    given = {name: snakemake.input.get(name) for name in ("splits", "mask", "augustus")}
    scope = Scope.of(
        reference=read_gff3(snakemake.input.reference, lengths),
        broken=broken_loci(pd.read_csv(snakemake.input.rejected, sep="\t")),
        contigs=chosen_contigs(snakemake.params.contigs, lengths),
        mask_path=given["mask"],
        splits_path=given["splits"],
        genome=snakemake.params.genome,
        part=snakemake.params.part,
        flank=snakemake.params.flank,
    )
    predictions = {"phytoscribe": read_gff3(snakemake.input.predicted, lengths)}
    if given["augustus"]:
        predictions["augustus"] = read_gff3(given["augustus"], lengths)
    write_scores(score_predictors(predictions, scope), snakemake.output.scores)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
