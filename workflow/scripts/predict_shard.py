"""Rule predict_shard: genes of the contigs of one shard.

input: model (files of one folder), isoforms (files of the ranker, or none), classes (file of the classifier, or none),
    fasta, fai
output: genes (JSON lines), tracks (probabilities along the contigs; none with predict.tracks off)
params: settings (of config key predict: see PREDICTION_SETTINGS in predict.smk), species, lineage, contigs (names or
    None for all), shard, isoforms (config key isoforms)
config: predict.batch_size, which changes speed and memory only and is therefore no param: those rerun a job
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    from phytoscribe.prediction.run import predict_shard

    predict_shard(
        fasta=snakemake.input.fasta,
        model_folder=Path(snakemake.input.model[0]).parent,
        settings={**snakemake.params.settings, "batch_size": snakemake.config["predict"]["batch_size"]},
        species=snakemake.params.species,
        lineage=snakemake.params.lineage,
        chosen=snakemake.params.contigs,
        shard=snakemake.params.shard,
        output=snakemake.output.genes,
        threads=snakemake.threads,
        tracks=snakemake.output.tracks or None,
        isoforms=snakemake.params.isoforms,
        isoform_folder=Path(snakemake.input.isoforms[0]).parent if snakemake.input.isoforms else None,
        class_folder=Path(snakemake.input.classes[0]).parent if snakemake.input.classes else None,
    )


run_script(main, snakemake)
