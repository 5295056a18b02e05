"""Rule make_windows: training sequence and labels of all genomes of role train, as flat arrays.

input: accepted, rejected, fasta, fai (lists in the order of params.genomes), splits, masks
output: contigs (TSV); bases, weights, labels, sites, soft_plus, soft_minus, targets_plus, targets_minus (npy)
params: genomes, roles, lineages, contig_parts, mode, flank, masks ({genome: BED}), incomplete_utrs (genomes)
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    from phytoscribe.training.data.sources import SplitSources
    from phytoscribe.training.data.training_set import write_training_arrays

    sources = SplitSources.of(snakemake.params, snakemake.input.fasta, snakemake.input.splits)
    given, params = snakemake.input, snakemake.params
    genomes = sources.training_genomes(given.accepted, given.rejected, params.masks, params.incomplete_utrs)
    write_training_arrays(genomes, Path(snakemake.output.contigs).parent)


run_script(main, snakemake)
