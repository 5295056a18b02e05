"""Rule merge_predictions: number the genes of all shards and write GFF3, GTF, FASTA and statistics.

input: shards, model, fasta, fai
output: gff3, gtf, proteins, cds, transcripts, stats
params: genome, contigs (names or None for all), organelles (contigs that the configuration calls so), drop_elements,
    from_dna (whether genes are those from DNA alone, of a prediction with evidence)
"""

from phytoscribe.session import run_script, warn


def main(snakemake) -> None:
    from phytoscribe.prediction.merge import PredictionFiles
    from phytoscribe.prediction.run import merge_shards

    warning = merge_shards(
        shards=snakemake.input.shards,
        fasta=snakemake.input.fasta,
        genome_name=snakemake.params.genome,
        chosen=snakemake.params.contigs,
        organelles=snakemake.params.organelles,
        drop_elements=snakemake.params.drop_elements,
        from_dna=snakemake.params.from_dna,
        files=PredictionFiles(**{name: snakemake.output[name] for name in PredictionFiles.__slots__}),
    )
    if warning:
        warn(f"{snakemake.params.genome}: {warning}")


run_script(main, snakemake)
