"""Fuzz the readers by hand, for longer than the tests do.

Usage: PYTHONPATH=workflow/scripts:tests/strategies python benchmarks/fuzz_readers.py annotations|fasta
       [--minutes 10] [--seed N]

Files of the tests are damaged (bytes flipped, lines spliced, columns swapped, gzip cut, huge numbers, NULs, broken
UTF-8, very long lines) and read.  A reader may give a sound result or one PhytoScribeError that names file and place.
The first other outcome is shrunk, printed with its damaged file, and ends the run with exit code 1.  Seeds are counted
up from --seed, a hundred files each, so a run repeats; the seed of the tests is 1.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from pathlib import Path

from reader_fuzzing import TARGETS


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1_000_000)
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)  # thousands of files without genes
    with tempfile.TemporaryDirectory(prefix="phytoscribe-fuzz-") as folder:
        result = TARGETS[arguments.target](Path(folder), 60 * arguments.minutes, arguments.seed)
    print(f"{arguments.target}: {result}; seeds from {arguments.seed}; no failure")
    return 0


if __name__ == "__main__":
    sys.exit(main())
