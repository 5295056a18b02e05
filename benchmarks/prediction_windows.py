"""What the windows of the prediction and the precision cost and bring, on the validation contigs of the example.

Usage: python benchmarks/prediction_windows.py MODEL [--windows 12288 24576 49152] [--margins 512] [--output FILE.tsv]

One row for each combination: exact F1 by level, genes, and seconds of one core for a megabase of genome (both strands,
decoding included).  The defaults of predict.window, predict.margin and predict.precision are chosen here.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import resource
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import torch

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.devices import choose_device
from phytoscribe.evaluation.accuracy.counts import compare, scorable
from phytoscribe.genome import Genome, check_fasta
from phytoscribe.genome.fasta import write_index
from phytoscribe.genome.intervals import read_bed
from phytoscribe.prediction.pool import FreedMemory
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.windows import PredictionSettings

EXAMPLE = Path(__file__).resolve().parents[1] / "resources" / "example" / "athaliana"
VALIDATION = ("Chr2", "Chr3", "Chr4", "Chr3_1065466_1464870")
LEVELS = ("base", "cds_exon", "locus", "transcript")


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--windows", type=int, nargs="+", default=[12288, 24576, 49152])
    parser.add_argument("--margins", type=int, nargs="+", default=[512])
    parser.add_argument("--precisions", nargs="+", default=["auto"])
    parser.add_argument("--contigs", nargs="+", default=VALIDATION)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    memory = FreedMemory()
    with tempfile.TemporaryDirectory() as folder:
        fasta = Path(folder) / "genome.fa"
        check_fasta(EXAMPLE / "genome.fa.gz", fasta)
        write_index(fasta, f"{fasta}.fai")
        with Genome(fasta) as genome:
            contigs = {name: genome.bases(name) for name in given.contigs}
            reference = [g for g in read_gff3(EXAMPLE / "annotation.gff3.gz", genome.contigs) if g.contig in contigs]
    mask = read_bed(EXAMPLE / "mask.bed")
    total = sum(bases.size for bases in contigs.values())
    with given.output.open("w", newline="", encoding="utf-8") if given.output else sys.stdout as handle:
        table = csv.writer(handle, delimiter="\t", lineterminator="\n")
        table.writerow(("window", "margin", "precision", *LEVELS, "genes", "seconds_per_megabase"))
        for window, margin, precision in itertools.product(given.windows, given.margins, given.precisions):
            settings = PredictionSettings(window, margin, precision=precision)
            device = choose_device(given.device)
            predictor = StructurePredictor.from_folder(
                given.model, settings, device, "athaliana", "Brassicales", given.threads
            )
            before = cpu_seconds()
            genes = [
                gene
                for name, bases in contigs.items()
                for gene in predictor.genes(name, bases, lambda _: memory.tidy())
            ]
            seconds = (cpu_seconds() - before) / total * 1e6
            found = compare(*(scorable(side, mask, list(contigs)) for side in (reference, genes)), mask)
            shown = [f"{found[level].f1:.4f}" for level in LEVELS]
            table.writerow((window, margin, predictor.precision, *shown, len(genes), f"{seconds:.2f}"))
            handle.flush()


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
