"""Speed of the decoder alone, on one core: Mb of genome per second, both strands, posteriors included.

Usage: PYTHONPATH=workflow/scripts python benchmarks/decoder_speed.py PROBABILITIES.npz [DECODER.json] [--repeat 5]

PROBABILITIES.npz holds a contig's bases (uint8) and its log probabilities plus and minus, (length, STATE_COUNT), as the
predictor gives them, in contig orientation.  Without DECODER.json the decoder's default settings are timed.  Times are
processor time of this process, the best of the repeats; compilation is not counted.

Rows: coding genes with all posteriors; whole gene models (untranslated regions too); and the
same with every site a candidate, whatever its probability.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from phytoscribe.decoding.gene_models import decode_contig
from phytoscribe.decoding.settings import Decoders, DecoderSettings
from phytoscribe.decoding.streaming import StreamingDecoder

PIECE = 200_000


def coding_genes(bases: np.ndarray, plus: np.ndarray, minus: np.ndarray, settings: DecoderSettings) -> int:
    """Decode a contig piece by piece; returns the number of genes."""
    decoder = StreamingDecoder(settings)
    count = 0
    for start in range(0, bases.size, PIECE):
        stop = start + PIECE
        count += len(decoder.push(bases[start:stop], plus[start:stop], minus[start:stop]))
    return count + len(decoder.finish())


def best_seconds(work: Callable[[], int], repeat: int) -> tuple[float, int]:
    """Least processor time of some runs after a first one, and the work's result."""
    result = work()
    times = []
    for _ in range(repeat):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times), result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("probabilities", type=Path)
    parser.add_argument("decoder", type=Path, nargs="?")
    parser.add_argument("--repeat", type=int, default=5)
    chosen = parser.parse_args()
    settings = Decoders.load(chosen.decoder).fallback if chosen.decoder else DecoderSettings()
    with np.load(chosen.probabilities) as arrays:
        contig = (arrays["bases"], arrays["plus"], arrays["minus"])
    every_site = replace(settings, site_cutoff=None)
    rows = {
        "coding genes": lambda: coding_genes(*contig, settings),
        "gene models": lambda: len(decode_contig("contig", *contig, settings)),
        "gene models, every site": lambda: len(decode_contig("contig", *contig, every_site)),
    }
    megabases = contig[0].size / 1e6
    print("what\tMb/s\tgenes")
    for name, work in rows.items():
        seconds, genes = best_seconds(work, chosen.repeat)
        print(f"{name}\t{megabases / seconds:.2f}\t{genes}")


if __name__ == "__main__":
    main()
