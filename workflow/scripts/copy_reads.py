"""Rule copy_reads: the aligned reads beside the tracks, so that the folder can be moved as a whole.

input: bam, csi
output: bam, csi
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    import shutil

    from phytoscribe.files import atomic_path

    for kind in ("bam", "csi"):
        with atomic_path(snakemake.output[kind]) as temporary:
            shutil.copyfile(snakemake.input[kind], temporary)


run_script(main, snakemake)
