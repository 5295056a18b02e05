"""Processor time of the builtin cleaner beside that of another checkout, in one run, on a million lines.

Usage: python benchmarks/cleaner_ratio.py CHECKOUT [--layout as_it_is] [--lines 1000000] [--rounds 3]

CHECKOUT is a folder with the other version (``git worktree add ../before COMMIT``).  The input is that of
``annotation_scale.py``.  Both versions take turns, each reading in a process of its own; the ratio is of the fastest.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from annotation_scale import LAYOUTS, ROOT, make_input

READ = """
import sys, time
sys.path.insert(0, sys.argv[1])
from phytoscribe.annotation.cleaning.normalise import normalise
from phytoscribe.genome.fasta import read_index
contigs = read_index(sys.argv[3])
begin = time.process_time()
normalise(sys.argv[2], contigs)
print(time.process_time() - begin)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--layout", choices=LAYOUTS, default="as_it_is")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="phytoscribe-ratio-") as folder:
        make_input(Path(folder), given.lines, given.layout)
        files = [f"{folder}/in.gff3", f"{folder}/genome.fa.fai"]
        seconds: dict[Path, list[float]] = {given.checkout: [], ROOT: []}
        for _ in range(given.rounds):
            for root, found in seconds.items():
                command = [sys.executable, "-c", READ, str(root / "workflow" / "scripts"), *files]
                done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
                found.append(float(done.stdout))
    before, now = (min(found) for found in seconds.values())
    print(f"{given.layout}: {before:.2f} s before, {now:.2f} s now, {now / before:.3f} times")


if __name__ == "__main__":
    main()
