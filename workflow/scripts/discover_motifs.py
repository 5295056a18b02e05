"""Rule discover_motifs: motifs that TF-MoDISco finds in attributions.

input: attributions
output: motifs (MEME format)
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    import os

    # Before the import: the program takes it over, and numba itself reads it once.
    os.environ["NUMBA_NUM_THREADS"] = str(snakemake.threads)
    from phytoscribe.attribution.motifs import discover_motifs, write_meme

    write_meme(snakemake.output.motifs, discover_motifs(snakemake.input.attributions))


run_script(main, snakemake)
