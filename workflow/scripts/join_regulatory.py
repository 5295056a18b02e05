"""Rule join_regulatory: the probabilities of labels as bigWig files.

input: values, described
output: folder
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    from phytoscribe.files import atomic_path
    from phytoscribe.regulatory.bins import read_values
    from phytoscribe.tracks.bigwig import write_bin_bigwig

    values, contigs, width = read_values(snakemake.input.values, snakemake.input.described)
    with atomic_path(Path(snakemake.output.folder)) as folder:
        folder.mkdir()
        for label, own in values.items():
            write_bin_bigwig(own, contigs, width, folder / f"{label}.bw")


run_script(main, snakemake)
