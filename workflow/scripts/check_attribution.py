"""Rule check_attribution: attributions of the regulatory head against mutagenesis of the whole model.

input: head (files of one folder), fasta, peaks, parts (of each genome with peaks), model (files of the folder of the
    structure model, or none)
output: table
params: settings (labels, steps and mutagenesis of config key attribution), species and lineages (of the genomes),
    device, seed
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    import torch

    from phytoscribe.attribution.attribute import HeadAtSites, check_attribution, whole_models
    from phytoscribe.tables import write_table

    given, params, settings = snakemake.input, snakemake.params, snakemake.params.settings
    torch.set_num_threads(snakemake.threads)
    files = tuple([*map(str, part)] for part in (given.fasta, given.peaks, given.parts))
    at = HeadAtSites.read(Path(given.head[0]).parent, files, [], settings["labels"], params.device)
    structure_model = Path(given.model[0]).parent if given.model else None
    names = list(zip(params.species, params.lineages, strict=True))
    models = whole_models(at, structure_model, names, params.device, snakemake.threads)
    table = check_attribution(at, models, settings["steps"], settings["mutagenesis"], params.seed)
    write_table(table, snakemake.output.table)


run_script(main, snakemake)
