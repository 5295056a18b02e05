"""Rule attribute_sites: integrated gradients of the regulatory head at sites of its labels, for motifs.

input: head (files of one folder), fasta, peaks, parts (of each genome with peaks), trunk (two files for each, or none)
output: attributions
params: settings (labels, steps and sequences of config key attribution), device, seed
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    import torch

    from phytoscribe.attribution.attribute import HeadAtSites, attribute_sites

    given, params, settings = snakemake.input, snakemake.params, snakemake.params.settings
    torch.set_num_threads(snakemake.threads)
    files = tuple([*map(str, part)] for part in (given.fasta, given.peaks, given.parts))
    trunk = list(zip(given.trunk[::2], given.trunk[1::2], strict=True))
    at = HeadAtSites.read(Path(given.head[0]).parent, files, trunk, settings["labels"], params.device)
    attribute_sites(at, settings["steps"], settings["sequences"], params.seed, snakemake.output.attributions)


run_script(main, snakemake)
