"""Rule take_peaks: the peaks of a genome, and which blocks of it are for training, validation and test.

input: peaks (a file for each label, or one for all), fai, seqid_map (file, if any)
output: peaks, parts
params: labels (names of the files: labels, or `path`), role, contigs ({contig: part}), seqid_map, mode, fractions, seed
"""

from phytoscribe.session import run_script, warn


def main(snakemake) -> None:
    from phytoscribe.annotation.seqids import read_seqid_map
    from phytoscribe.genome.fasta import read_index
    from phytoscribe.regulatory.peaks import read_peaks
    from phytoscribe.splits.blocks import block_parts
    from phytoscribe.splits.parts import write_parts

    given, params, genome = snakemake.input, snakemake.params, snakemake.wildcards.genome
    contigs = read_index(given.fai)
    files = dict(zip(params.labels, map(str, given.peaks), strict=True))
    peaks = read_peaks(files, contigs, read_seqid_map(params.seqid_map), genome, warn)
    parts = block_parts(genome, contigs, params.role, params.mode, params.contigs, params.fractions, int(params.seed))
    write_parts(snakemake.output.parts, parts)
    peaks.save(snakemake.output.peaks)


run_script(main, snakemake)
