"""Predict labels along a genome: a BED file of called bins, and the probabilities of some labels for tracks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from phytoscribe import __version__
from phytoscribe.devices import choose_device
from phytoscribe.errors import ConfigError, ModelError
from phytoscribe.files import atomic_open, atomic_path, sha256_of
from phytoscribe.genome import Genome
from phytoscribe.genome.fasta import chosen_contigs
from phytoscribe.genome.names import some_names
from phytoscribe.models import REGULATORY_FILES
from phytoscribe.models.regulatory import Calibration, load_head
from phytoscribe.prediction.bins import BinReader
from phytoscribe.prediction.trunk_cells import TrunkCells
from phytoscribe.regulatory.bins import Segment
from phytoscribe.regulatory.values import describe_values

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
) -> None:
    """Read all whole bins of a genome.

    Args:
        head: folder of the head.
        trunk: features of the structure model along the genome, for a head that takes them.
        chosen: contigs to read; None for all.
        tracks: labels whose probabilities are kept, or how many, the best on the validation blocks.
        bed: called bins, BED6 and the probability.
        values: probabilities of the tracks, float16 (labels, bins) as ``.npy``, and what they are
            (:mod:`phytoscribe.regulatory.values`).

    Raises:
        ModelError: the head is damaged, or was trained with another structure model.
        ConfigError: a track of a label that the head does not have.
    """
    network, calibration, report = load_head(head)
    labels, width = network.config.labels, network.config.bin
    shown = track_labels(tracks, labels, calibration)
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


def track_labels(tracks: int | Sequence[str], labels: Sequence[str], calibration: Calibration) -> list[str]:
    """Labels that get a track, sorted.

    Raises:
        ConfigError: one is no label of the head.
    """
    if isinstance(tracks, int):
        order = np.argsort(-np.nan_to_num(calibration.auprc, nan=-1.0), kind="stable")
        return sorted(labels[place] for place in order[:tracks])
    unknown = sorted(set(tracks) - set(labels))
    if unknown:
        raise ConfigError(
            f"regulatory.tracks: the head has no label {some_names(unknown)}; its labels are {some_names(labels)}"
        )
    return sorted(set(tracks))


def check_trunk(head: Path, wanted: str | None, given: str | None) -> None:
    """Raise ModelError unless a head gets the features that it was trained with."""
    if wanted != given:
        raise ModelError(
            f"{head}: this head was trained with "
            + (f"the structure model of hash {wanted}" if wanted else "no structure model")
            + (f", and predict.model has hash {given}" if given else ", and none is given")
            + "; use the model that it was trained with, or train the head anew"
        )
