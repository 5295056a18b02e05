"""Speed of the decoder: Mb of genome per second, both strands, posteriors included.

Usage: PYTHONPATH=workflow/scripts python benchmarks/decoder_speed.py PROBABILITIES.npz [DECODER.json] [--repeat 5]
           [--copies 8] [--cores 1 2]

PROBABILITIES.npz holds a contig's bases (uint8) and its log probabilities plus and minus, (length, STATE_COUNT), as the
predictor gives them, in contig orientation.  Without DECODER.json the decoder's default settings are timed.

The first table is processor time of one thread, the best of the repeats; compilation is not counted.  Rows: coding
genes with all posteriors; whole gene models (untranslated regions too); and the same with every site a candidate,
whatever its probability.

The second table is time by the clock, one contig made of so many copies, on each number of cores in turn, as many
threads as cores, the best of the repeats.  Rows: gene models; the predictor, from ready-made output of the network for
its windows to a shard's file; and the merge of that file into GFF3, GTF, FASTA and statistics, which is one thread's
work.  `busy` is the share of the cores that the best run was given: under 0.95, other work has disturbed it, and only
the Mb for each second of processor time can be trusted.  Results must be the same to the byte, or the script fails.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import os
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from phytoscribe.decoding.contigs import GeneDecoding, ThreadedGeneDecoder, decode_contig
from phytoscribe.decoding.settings import Decoders, DecoderSettings
from phytoscribe.decoding.streaming import decode_coding_genes
from phytoscribe.genome import check_fasta, decode
from phytoscribe.genome.fasta import write_index
from phytoscribe.labels.states import SITE_COUNT
from phytoscribe.prediction.merge import PredictionFiles
from phytoscribe.prediction.network import Readings
from phytoscribe.prediction.pool import after, single_core_threads
from phytoscribe.prediction.predictor import PIECES_IN_WORK, StructurePredictor
from phytoscribe.prediction.run import merge_shards
from phytoscribe.prediction.shards import contigs_in_order, shard_writer, sorted_genes
from phytoscribe.prediction.windows import ContigSequence, PredictionSettings, Window

#: Bases that a window of the usual size completes.
CORE = 24_064
ENDINGS = ("gff3", "gtf", "proteins.faa", "cds.fna", "transcripts.fna", "stats.json")
Contig = tuple[np.ndarray, np.ndarray, np.ndarray]


def best_seconds(work: Callable[[], int], repeat: int) -> tuple[float, int]:
    """Least processor time of some runs after a first one, and the work's result."""
    result = work()
    times = []
    for _ in range(repeat):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times), result


def threaded_models(contig: Contig, settings: DecoderSettings, threads: int) -> str:
    """Decode a contig with several threads; a digest of its gene models."""
    digest, waiting = hashlib.sha256(), deque()
    with single_core_threads(threads) as pool:
        decoder = ThreadedGeneDecoder("contig", GeneDecoding(settings), functools.partial(after, pool))
        for start in range(0, contig[0].size, CORE):
            part = (values[start : start + CORE] for values in contig)
            waiting.append(decoder.push(*part, last=start + CORE >= contig[0].size))
            while len(waiting) > PIECES_IN_WORK * (1 + threads):
                digest.update(repr(waiting.popleft().result()).encode())
        for future in waiting:
            digest.update(repr(future.result()).encode())
    return digest.hexdigest()


class ReadyMade(StructurePredictor):
    """A predictor whose network says at once what it has said before."""

    def __init__(self, contig: Contig, decoder: DecoderSettings, threads: int) -> None:
        self.tables = {"+": contig[1], "-": contig[2]}
        self.decoder, self.threads = decoder, threads
        self.settings, self.device = PredictionSettings(), torch.device("cpu")

    def _read(self, contig: ContigSequence, windows: Sequence[Window]) -> Readings:
        states = np.zeros((len(windows), windows[0].size, self.tables["+"].shape[1]), np.float16)
        for window, rows in zip(windows, states, strict=True):
            table = self.tables[window.strand][window.start : window.end]
            rows[: len(table)] = table if window.strand == "+" else table[::-1]
        sites, features = (np.zeros((*states.shape[:2], count), np.float16) for count in (SITE_COUNT, 0))
        return Readings(states, sites, features)


def write_shard(contig: Contig, settings: DecoderSettings, threads: int, path: Path) -> str:
    """All that follows the network, up to the file of a shard; the file's digest."""
    pieces = ReadyMade(contig, settings, threads).decoded([ContigSequence.of("contig", contig[0])])
    with shard_writer(path, {"made": "ready"}) as write:
        for name, genes in contigs_in_order(pieces, ["contig"]):
            write(name, sorted_genes(genes, settings.maximum_utr))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def by_the_clock(contig: Contig, settings: DecoderSettings, cores: Sequence[int], repeat: int, folder: Path) -> None:
    """Print the second table."""
    fasta, shard = folder / "g.fa", folder / "0.jsonl"
    (folder / "source.fa").write_text(f">contig\n{decode(contig[0])}\n")
    check_fasta(folder / "source.fa", fasta)
    write_index(fasta, folder / "g.fa.fai")
    files = PredictionFiles(*(folder / name for name in ENDINGS))
    rows: dict[str, Callable[[int], str]] = {
        "gene models": lambda threads: threaded_models(contig, settings, threads),
        "output of the network to shard": lambda threads: write_shard(contig, settings, threads, shard),
    }
    allowed = sorted(os.sched_getaffinity(0))
    best: dict[tuple[str, int], tuple[float, float]] = {}  # seconds by the clock, and of processor time
    results: dict[str, set[str]] = {name: set() for name in rows}
    # In turns, so that other work on the machine disturbs all alike.
    for _ in range(repeat):
        for name, work in rows.items():
            for count in cores:
                os.sched_setaffinity(0, allowed[:count])
                clock, processor = time.perf_counter(), time.process_time()
                results[name].add(work(count))
                clock, processor = time.perf_counter() - clock, time.process_time() - processor
                found = (clock, processor)
                best[name, count] = min(best.get((name, count), found), found)
    os.sched_setaffinity(0, allowed)
    megabases = contig[0].size / 1e6
    print("\nwhat\tcores\tMb/s\ttimes as fast\tMb a processor second\tbusy")
    for (name, count), (clock, processor) in sorted(best.items()):
        assert len(results[name]) == 1, f"{name}: the number of threads changes the result"
        ratio = best[name, cores[0]][0] / clock
        speeds = f"{megabases / clock:.2f}\t{ratio:.2f}\t{megabases / processor:.2f}"
        print(f"{name}\t{count}\t{speeds}\t{processor / clock / count:.2f}")
    clock, processor = time.perf_counter(), time.process_time()
    merge_shards([str(shard)], fasta, "x", None, files)
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    print(f"merge of the shard\t1\t{megabases / clock:.2f}\t\t{megabases / processor:.2f}\t{processor / clock:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("probabilities", type=Path)
    parser.add_argument("decoder", type=Path, nargs="?")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--copies", type=int, default=8)
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    chosen = parser.parse_args()
    settings = Decoders.load(chosen.decoder).fallback if chosen.decoder else DecoderSettings()
    with np.load(chosen.probabilities) as arrays:
        contig = (arrays["bases"], arrays["plus"], arrays["minus"])
    every_site = replace(settings, site_cutoff=None)
    rows = {
        "coding genes": lambda: len(decode_coding_genes(*contig, settings)),
        "gene models": lambda: len(decode_contig("contig", *contig, settings)),
        "gene models, every site": lambda: len(decode_contig("contig", *contig, every_site)),
    }
    megabases = contig[0].size / 1e6
    print("what\tMb/s\tgenes")
    for name, work in rows.items():
        seconds, genes = best_seconds(work, chosen.repeat)
        print(f"{name}\t{megabases / seconds:.2f}\t{genes}")
    copies = tuple(np.concatenate([values] * chosen.copies) for values in contig)
    with tempfile.TemporaryDirectory() as folder:
        by_the_clock(copies, settings, chosen.cores, chosen.repeat, Path(folder))


if __name__ == "__main__":
    main()
