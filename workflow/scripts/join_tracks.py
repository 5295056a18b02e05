"""Rule join_tracks: the probabilities along the contigs of all shards as bigWig files.

input: shards, fai
output: bigwigs (one for each track, named after it)
params: contigs (names or None for all)
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    import logging
    from pathlib import Path

    from phytoscribe.genome.fasta import chosen_contigs, read_index
    from phytoscribe.tracks.bigwig import write_bigwig
    from phytoscribe.tracks.track_file import ShardTracks

    contigs = chosen_contigs(read_index(snakemake.input.fai), snakemake.params.contigs)
    shards = ShardTracks(snakemake.input.shards)
    for path in snakemake.output.bigwigs:
        count = write_bigwig(shards, Path(path).stem, contigs, path)
        logging.getLogger("phytoscribe").info("%s: %d intervals", path, count)


run_script(main, snakemake)
