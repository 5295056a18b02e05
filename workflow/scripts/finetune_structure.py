"""Rule finetune_structure: the gene structure model, from the pretrained encoder or a released model to a model folder.

input: windows (contigs.tsv and arrays of make_windows), start (files of what it starts from), tokenizer, accepted,
    rejected, fasta, fai, splits, masks
output: config, weights, decoder, load_report, metrics, tokenizer, tokenizer_config (one folder)
params: settings (config key finetune), model, training, genomes, roles, lineages, contig_parts, mode, flank, masks,
    seed, run_folder
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from functools import partial
    from pathlib import Path

    from phytoscribe.training.data.sources import SplitSources
    from phytoscribe.training.loop.launch import run_on_ranks, threads_of_ranks
    from phytoscribe.training.tasks.structure.task import run_finetuning

    given, params = snakemake.input, snakemake.params
    ranks = dict(params.training)
    threads = threads_of_ranks(snakemake.threads, ranks)
    work = partial(
        run_finetuning,
        SplitSources.of(params, given.fasta, given.splits),
        accepted=list(given.accepted),
        rejected=list(given.rejected),
        masks=dict(params.masks),
        settings=dict(params.settings),
        model_settings=dict(params.model),
        arrays=Path(given.windows[0]).parent,
        start=Path(given.start[0]).parent,
        tokenizer_folder=Path(given.tokenizer).parent,
        inputs=[
            *given.windows,
            *given.start,
            given.tokenizer,
            given.splits,
            *given.accepted,
            *given.rejected,
            *given.masks,
            *given.fasta,
        ],
        run_folder=Path(params.run_folder),
        target=Path(snakemake.output.config).parent,
        seed=int(params.seed),
        threads=threads,
        ranks=ranks,
    )
    run_on_ranks(work, ranks, Path(params.run_folder), threads)


run_script(main, snakemake)
