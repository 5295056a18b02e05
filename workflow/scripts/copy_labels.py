"""Rule copy_labels: tracks of binding sites beside the others, so that the folder can be moved as a whole.

input: folder
output: folder
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    import shutil
    from pathlib import Path

    from phytoscribe.files import atomic_path

    with atomic_path(Path(snakemake.output.folder)) as temporary:
        shutil.copytree(snakemake.input.folder, temporary, ignore=shutil.ignore_patterns(".*"))


run_script(main, snakemake)
