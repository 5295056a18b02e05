"""Rule compare_filters: what the filters of the regulatory head's motif stem look for, beside known motifs.

input: known (MEME format), head (files of one folder), fasta, peaks, parts (of each genome with peaks)
output: motifs (MEME format), table, logos (folder of figures)
params: labels (of config key attribution)
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    import os
    from pathlib import Path

    os.environ["NUMBA_NUM_THREADS"] = str(snakemake.threads)
    import torch

    from phytoscribe.attribution.attribute import HeadAtSites
    from phytoscribe.attribution.comparison import write_comparison
    from phytoscribe.attribution.filters import compare_filters, filter_logos, filter_motifs, filter_places
    from phytoscribe.attribution.motifs import read_meme, write_meme
    from phytoscribe.reporting.drawing import Drawing, write_drawings

    given, params, output = snakemake.input, snakemake.params, snakemake.output
    torch.set_num_threads(snakemake.threads)
    files = tuple([*map(str, part)] for part in (given.fasta, given.peaks, given.parts))
    at = HeadAtSites.read(Path(given.head[0]).parent, files, [], params.labels, "cpu")
    places, known = filter_places(at), read_meme(given.known[0])
    motifs = filter_motifs(places)
    table = compare_filters(at, places, motifs, known)
    write_meme(output.motifs, motifs)
    logos = filter_logos(table, motifs, known)
    write_drawings((Drawing(name, "filters", *rest) for name, *rest in logos), output.logos)
    write_comparison(table, output.table)


run_script(main, snakemake)
