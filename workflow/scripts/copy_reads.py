"""Rules copy_reads and copy_importance: a file beside the tracks, so that the folder can be moved as a whole.

input: one or several files by name, library
output: the same names
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    import shutil

    from phytoscribe.files import atomic_path

    for kind in snakemake.output.keys():  # noqa: SIM118 (Snakemake's names; without them it yields the paths)
        with atomic_path(snakemake.output[kind]) as temporary:
            shutil.copyfile(snakemake.input[kind], temporary)


run_script(main, snakemake)
