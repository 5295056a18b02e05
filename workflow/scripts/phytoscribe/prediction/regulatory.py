"""Predict labels along a genome: a BED file of called bins, and the probabilities of some labels for tracks.

A head reads windows that always hold the same number of bins, the last of a contig filled up with N, so that the
numbers depend on the sequence alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from phytoscribe import __version__
from phytoscribe.decoding.settings import unseen_lineage
from phytoscribe.devices import choose_device
from phytoscribe.errors import ConfigError, ModelError
from phytoscribe.files import atomic_open, atomic_path, sha256_of
from phytoscribe.genome import Genome
from phytoscribe.genome.fasta import chosen_contigs
from phytoscribe.genome.names import some_names
from phytoscribe.genome.sequence import N_CODE, Bases
from phytoscribe.models import REGULATORY_FILES
from phytoscribe.models.regulatory import TRUNK_CELL, Calibration, RegulatoryHead, load_head
from phytoscribe.prediction.trunk_cells import TrunkCells
from phytoscribe.regulatory.bins import Segment, describe_values, known_bins

logger = logging.getLogger(__name__)


def predict_regulatory(
    fasta: str | Path,
    head: Path,
    trunk: tuple[str | Path, str | Path] | None,
    chosen: Sequence[str] | None,
    tracks: int | Sequence[str],
    device: str,
    bed: str | Path,
    values: tuple[str | Path, str | Path],
    lineage: str | None = None,
) -> None:
    """Read all whole bins of a genome.

    Args:
        head: folder of the head.
        trunk: features of the structure model along the genome, for a head that takes them.
        chosen: contigs to read; None for all.
        tracks: labels whose probabilities are kept, or how many, the best on the validation blocks.
        bed: called bins, BED6 and the probability.
        values: probabilities of the tracks, float16 (labels, bins) as ``.npy``, and what they are
            (:mod:`phytoscribe.regulatory.bins`).
        lineage: of the genome; None for one that the head was trained on.

    Raises:
        ModelError: the head is damaged, or was trained with another structure model.
        ConfigError: a track of a label that the head does not have.
    """
    network, calibration, report = load_head(head)
    labels, width = network.config.labels, network.config.bin
    shown = chosen_labels(tracks, labels, calibration)
    columns = [labels.index(label) for label in shown]
    place = choose_device(device)
    network.to(place)
    called = ~np.isnan(calibration.cut)
    cuts = np.where(called, calibration.cut, np.inf)
    with Genome(fasta) as genome, atomic_path(values[0]) as temporary, atomic_open(bed) as out:
        cells = TrunkCells(*trunk, genome.contigs) if trunk else None
        check_trunk(head, report["structure_model"], cells.model_hash if cells else None)
        contigs = chosen_contigs(genome.contigs, chosen)
        reader = BinReader(network, genome, place, cells)
        out.write(f"# PhytoScribe {__version__}; head {sha256_of(head / REGULATORY_FILES[1])[:16]}\n")
        out.write(
            f"# bins of {width} bases, called at precision {report['called_precision']:g} on the validation blocks; "
            f"{int(called.sum())} of {len(labels)} labels; column 7: probability\n"
        )
        if lineage is not None and (note := unseen_lineage(lineage, report.get("lineages", ()))):
            out.write(f"# note: {note}\n")
        total = sum(length // width for length in contigs.values())
        table = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float16, shape=(len(shown), total))
        done = count = 0
        for contig, length in contigs.items():
            for read in reader.windows(Segment(contig, 0, length)):
                probabilities = calibration.probabilities(read.logits)
                probabilities[~read.known] = np.nan
                table[:, done : done + len(probabilities)] = probabilities[:, columns].T
                done += len(probabilities)
                for row, label in np.argwhere(probabilities >= cuts).tolist():
                    start, value = read.start + row * width, float(probabilities[row, label])
                    score = round(1000 * value)
                    out.write(f"{contig}\t{start}\t{start + width}\t{labels[label]}\t{score}\t.\t{value:.3f}\n")
                    count += 1
            logger.info("%s: read, %d bins called so far", contig, count)
        table.flush()
        del table
    describe_values(values[1], shown, contigs, width)


def chosen_labels(
    wanted: int | Sequence[str], labels: Sequence[str], calibration: Calibration, key: str = "regulatory.tracks"
) -> list[str]:
    """Labels that a key of the configuration asks for by name or by number, the best on the validation blocks; sorted.

    Raises:
        ConfigError: one is no label of the head.
    """
    if isinstance(wanted, int):
        order = np.argsort(-np.nan_to_num(calibration.auprc, nan=-1.0), kind="stable")
        return sorted(labels[place] for place in order[:wanted])
    unknown = sorted(set(wanted) - set(labels))
    if unknown:
        raise ConfigError(f"{key}: the head has no label {some_names(unknown)}; its labels are {some_names(labels)}")
    return sorted(set(wanted))


def check_trunk(head: Path, wanted: str | None, given: str | None) -> None:
    """Raise ModelError unless a head gets the features that it was trained with."""
    if wanted != given:
        raise ModelError(
            f"{head}: this head was trained with "
            + (f"the structure model of hash {wanted}" if wanted else "no structure model")
            + (f", and predict.model has hash {given}" if given else ", and none is given")
            + "; use the model that it was trained with, or train the head anew"
        )


#: Bins of a window.
BINS = 64

Logits = npt.NDArray[np.float32]


class ReadBins(NamedTuple):
    """Consecutive bins of a contig.

    Attributes:
        start: of the first bin.
        logits: float32 (bins, labels), log odds before calibration.
        known: bool (bins,), whether at least half of the bases are known.
    """

    contig: str
    start: int
    logits: Logits
    known: npt.NDArray[np.bool_]


def bases_around(genome: Genome, contig: str, start: int, end: int) -> Bases:
    """Base codes of ``[start, end)``, N where that lies outside the contig."""
    bases = np.full(end - start, N_CODE, dtype=np.uint8)
    left, right = max(0, start), min(genome.contigs[contig], end)
    if left < right:
        bases[left - start : right - start] = genome.bases(contig, left, right)
    return bases


class BinReader:
    """Reads bins with a head.

    Args:
        network: in evaluation mode, on ``device``.
        trunk: features of the structure model, for a head that takes them.
    """

    def __init__(
        self, network: RegulatoryHead, genome: Genome, device: torch.device, trunk: TrunkCells | None = None
    ) -> None:
        self.network, self.genome, self.device, self.trunk = network, genome, device, trunk

    def windows(self, segment: Segment) -> Iterator[ReadBins]:
        """The whole bins of a segment, in order."""
        width, margin = self.network.config.bin, self.network.config.margin
        first, count = segment.grid(width)
        for done in range(0, count, BINS):
            start = first + done * width
            own = min(BINS, count - done)
            left, right = start - margin, start + BINS * width + margin
            bases = bases_around(self.genome, segment.contig, left, right)
            cells = None
            if self.trunk is not None:
                found = self.trunk.around(segment.contig, left // TRUNK_CELL, bases.size // TRUNK_CELL)
                cells = torch.from_numpy(found)[None].to(self.device)
            with torch.inference_mode():
                codes = torch.from_numpy(bases.astype(np.int64))[None].to(self.device)
                logits = self.network(codes, cells)[0, :own].float().cpu().numpy()
            yield ReadBins(segment.contig, start, logits, known_bins(bases[margin:-margin], width)[:own])

    def known_logits(self, segments: Sequence[Segment]) -> Logits:
        """Log odds of the known bins of segments, float32 (bins, labels)."""
        found = [read.logits[read.known] for segment in segments for read in self.windows(segment)]
        return np.concatenate(found) if found else np.empty((0, len(self.network.config.labels)), dtype=np.float32)
