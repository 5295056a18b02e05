"""Rule compare_motifs: motifs beside known ones and beside the peaks, their instances, and their logos.

input: motifs, known (MEME format), head (files of one folder), fasta, peaks, parts (of each genome with peaks)
output: table, hits (BED, of each genome), logos (folder of figures)
params: labels and sequences (of config key attribution), seed
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    import os
    from pathlib import Path

    os.environ["NUMBA_NUM_THREADS"] = str(snakemake.threads)
    from phytoscribe.attribution.attribute import HeadAtSites
    from phytoscribe.attribution.comparison import (
        compare_motifs,
        enriched_words,
        logos,
        write_comparison,
        write_instances,
    )
    from phytoscribe.attribution.motifs import read_meme
    from phytoscribe.reporting.drawing import Drawing, write_drawings

    given, params, output = snakemake.input, snakemake.params, snakemake.output
    files = tuple([*map(str, part)] for part in (given.fasta, given.peaks, given.parts))
    at = HeadAtSites.read(Path(given.head[0]).parent, files, [], params.labels, "cpu")
    found, known = read_meme(given.motifs, least=0), read_meme(given.known[0])
    table = compare_motifs(at, found, known, enriched_words(at), params.seed)
    write_instances(at, found, params.sequences, params.seed, output.hits)
    write_drawings((Drawing(name, "motifs", *rest) for name, *rest in logos(table, found, known)), output.logos)
    write_comparison(table, output.table)


run_script(main, snakemake)
