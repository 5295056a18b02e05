"""Peaks of transcription factors and of open chromatin, from BED and narrowPeak files.

A peak counts by its summit: column 10 of a narrowPeak line, else the middle of the interval.  An interval of more than
:data:`WIDEST` bases without a summit tells no place; it is kept whole.
"""

from __future__ import annotations

import logging
import re
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.seqid_proposal import Seen, propose_mapping
from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_path
from phytoscribe.genome.intervals import Interval, data_rows, is_coordinate, merged
from phytoscribe.genome.names import shown, some_names

logger = logging.getLogger(__name__)

#: Bases of the widest interval whose middle stands for the site.
WIDEST = 600
#: Columns of a narrowPeak line (UCSC): the last is the summit, counted from the start; -1 if none was called.
_NARROW_PEAK = 10
#: A label becomes the name of a file.
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}")
#: Peaks without summits that cover more of a genome than this are no peaks.
_MOST_COVERED = 0.3
#: Names that a message lists in a proposed mapping.
_SHOWN_NAMES = 20


@dataclass(frozen=True, slots=True)
class Peaks:
    """All peaks of a genome, ordered by contig, start and label.

    Attributes:
        labels: names, sorted.
        contigs: names and lengths in bases, as in the FASTA.
        contig, label: int32 (n,), places in ``contigs`` and ``labels``.
        start, end: int64 (n,), 0-based half-open; one base where a summit is known.
    """

    labels: tuple[str, ...]
    contigs: Mapping[str, int]
    contig: npt.NDArray[np.int32]
    start: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]
    label: npt.NDArray[np.int32]

    def counts(self) -> dict[str, int]:
        """Number of peaks of each label."""
        return dict(zip(self.labels, np.bincount(self.label, minlength=len(self.labels)).tolist(), strict=True))

    def save(self, path: str | Path) -> None:
        """Write them as a file of numpy, by rename."""
        with atomic_path(path) as temporary, temporary.open("wb") as handle:
            np.savez_compressed(
                handle,
                labels=np.array(self.labels, dtype=str),
                names=np.array(list(self.contigs), dtype=str),
                lengths=np.array(list(self.contigs.values()), dtype=np.int64),
                contig=self.contig,
                start=self.start,
                end=self.end,
                label=self.label,
            )

    @classmethod
    def load(cls, path: str | Path) -> Peaks:
        """Inverse of :meth:`save`."""
        with np.load(path, allow_pickle=False) as stored:
            contigs = dict(zip(stored["names"].tolist(), stored["lengths"].tolist(), strict=True))
            columns = (stored[name] for name in ("contig", "start", "end", "label"))
            return cls(tuple(stored["labels"].tolist()), contigs, *columns)


def read_peaks(
    files: Mapping[str, str],
    contigs: Mapping[str, int],
    seqid_map: Mapping[str, str | None],
    genome: str,
    warn: Callable[[str], None] = logger.warning,
) -> Peaks:
    """Read the peaks of a genome.

    Args:
        files: ``{label: file}``, or ``{"path": file}`` with the label in column 4.
        contigs: name to length, of the FASTA.
        seqid_map: name in the files to name in ``contigs``; None leaves a sequence out.
        genome: name, for messages.
        warn: is told of labels that cover so much of the genome that they tell no sites.

    Raises:
        PhytoScribeError: a line is no peak, or lies on no contig; a label has no peak, or cannot name a file.
    """
    # Whole chromosomes have millions of peaks: 8 bytes for each number, not 36.
    columns = {name: array("q") for name in ("contig", "start", "end", "label", "left", "right")}
    places = {name: place for place, name in enumerate(contigs)}
    labels: dict[str, int] = {}
    for given, path in files.items():
        before = len(columns["start"])
        for contig, site, covered, label in _rows(path, None if given == "path" else given, contigs, seqid_map):
            row = (places[contig], *site, labels.setdefault(label, len(labels)), *covered)
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
        if len(columns["start"]) == before:
            raise PhytoScribeError(f"{path}: no peak in it (genomes[{genome}].peaks); correct the path, or remove it")
    names = sorted(labels)
    rank = np.empty(len(names), dtype=np.int32)
    rank[[labels[name] for name in names]] = np.arange(len(names))
    contig, start, end, label, left, right = (np.array(column, dtype=np.int64) for column in columns.values())
    contig, label = contig.astype(np.int32), rank[label]
    order = np.lexsort((end, label, start, contig))
    peaks = Peaks(tuple(names), dict(contigs), contig[order], start[order], end[order], label[order])
    covered = np.column_stack([left, right])
    for name, share in zip(names, _covered_shares(len(names), contigs, contig, label, covered), strict=True):
        if share > _MOST_COVERED:
            warn(
                f"{genome}: label {name} covers {100 * share:.0f} % of the genome: these are not peaks; keep the best "
                "of them by their score"
            )
    return peaks


def _rows(
    path: str, label: str | None, contigs: Mapping[str, int], seqid_map: Mapping[str, str | None]
) -> Iterator[tuple[str, Interval, Interval, str]]:
    """Contig, place of the site, bases that are covered, and label of the peaks of a file."""
    for number, fields in data_rows(path):
        place = f"{path}, line {number}"
        if len(fields) < 3 or not (is_coordinate(fields[1]) and is_coordinate(fields[2])):
            raise PhytoScribeError(
                f"{place}: a peak needs contig, start and end (whole numbers), separated by tabs, as in BED and "
                "narrowPeak; correct the line, or remove it if it is a header"
            )
        start, end = int(fields[1]), int(fields[2])
        if start >= end:
            raise PhytoScribeError(f"{place}: start {start} and end {end} are no interval; correct or remove the line")
        contig = seqid_map.get(fields[0], fields[0])
        if contig is None:
            continue
        if contig not in contigs:
            raise PhytoScribeError(_unknown_contigs(path, number, fields[0], contigs, seqid_map))
        if end > contigs[contig]:
            raise PhytoScribeError(
                f"{place}: the peak ends at {end}, but contig {contig!r} has {contigs[contig]} bases; are the peaks of "
                "this genome version?"
            )
        site = _site(fields, start, end, place)
        # A summit tells the place, however wide the peak is.
        covered = site if _has_summit(fields) else (start, end)
        yield contig, site, covered, label or _label_of(fields, place)


def _has_summit(fields: Sequence[str]) -> bool:
    return len(fields) == _NARROW_PEAK and fields[-1] != "-1"


def _site(fields: Sequence[str], start: int, end: int, place: str) -> Interval:
    """The summit, or the interval if it is too wide to tell one."""
    if _has_summit(fields):
        if not is_coordinate(fields[-1]) or int(fields[-1]) >= end - start:
            raise PhytoScribeError(
                f"{place}: column 10 is {shown(fields[-1])}, but the summit of a narrowPeak is counted from the start "
                f"of its {end - start} bases, or -1 for none"
            )
        summit = start + int(fields[-1])
        return summit, summit + 1
    if end - start > WIDEST:
        return start, end
    middle = (start + end) // 2
    return middle, middle + 1


def _label_of(fields: Sequence[str], place: str) -> str:
    if len(fields) < 4:
        raise PhytoScribeError(f"{place}: column 4, the label, is missing; or give one file for each label")
    if not LABEL.fullmatch(fields[3]):
        raise PhytoScribeError(
            f"{place}: {shown(fields[3])} in column 4 is no label; use letters, digits, _, - and ., first a letter or "
            "digit, at most 100: it becomes the name of a file"
        )
    return fields[3]


def _unknown_contigs(
    path: str, line: int, first: str, contigs: Mapping[str, int], seqid_map: Mapping[str, str | None]
) -> str:
    """The message for peaks on sequences that the FASTA lacks, with the mapping that is evident."""
    seen: dict[str, Seen] = {}
    for number, fields in data_rows(path):
        if len(fields) >= 3 and is_coordinate(fields[2]):
            item = seen.setdefault(fields[0], Seen(number))
            item.end = max(item.end, int(fields[2]))
    proposed = propose_mapping(seen, contigs, seqid_map)
    targets = {name: seqid_map.get(name, name) for name in seen}
    rest = [name for name, to in targets.items() if to is not None and to not in contigs and name not in proposed]
    lines = [f"{name!r}: {'null' if to.target is None else to.target}" for name, to in proposed.items()]
    listed = ", ".join([*lines[:_SHOWN_NAMES], *(["..."] if len(lines) > _SHOWN_NAMES else [])])
    advice = f"add to this genome: seqid_map: {{{listed}}}, and name {some_names(rest)} in it"
    if not rest:
        advice = f"add to this genome: seqid_map: {{{listed}}}"
    if not lines:
        advice = f"name {some_names(rest)} in this genome's seqid_map"
    subject = f"contig {shown(first)}"
    if first in seqid_map:
        subject = f"{shown(str(seqid_map[first]))} (seqid_map's name for {shown(first)})"
    return (
        f"{path}, line {line}: {subject} is not in the FASTA, which has {some_names(contigs)}; {advice} "
        "(null leaves a sequence out)"
    )


def _covered_shares(
    labels: int,
    contigs: Mapping[str, int],
    contig: npt.NDArray[np.int32],
    label: npt.NDArray[np.int32],
    covered: npt.NDArray[np.int64],
) -> list[float]:
    """Share of the genome that the peaks of each label cover.

    Args:
        covered: int64 (peaks, 2), what each peak covers of its contig.
    """
    lengths = np.array(list(contigs.values()), dtype=np.int64)
    # Contigs one behind the other.
    on_one_axis = covered + (np.cumsum(lengths) - lengths)[contig][:, None]
    unions = (merged(on_one_axis[label == number]) for number in range(labels))
    return [float((union[:, 1] - union[:, 0]).sum() / lengths.sum()) for union in unions]


def enough_peaks(genomes: Sequence[Peaks], minimum: int) -> list[str]:
    """Labels with at least ``minimum`` peaks in all genomes together, sorted; the others are logged.

    Raises:
        PhytoScribeError: no label has.
    """
    counts: dict[str, int] = {}
    for peaks in genomes:
        for label, count in peaks.counts().items():
            counts[label] = counts.get(label, 0) + count
    few = {label: count for label, count in sorted(counts.items()) if count < minimum}
    for label, count in few.items():
        logger.warning("label %s is left out: %d peaks, under regulatory.minimum_peaks (%d)", label, count, minimum)
    kept = sorted(counts.keys() - few.keys())
    if not kept:
        raise PhytoScribeError(
            f"no label has {minimum} peaks (regulatory.minimum_peaks); the most are {max(counts.values())}. Give more "
            "peaks, or lower it"
        )
    return kept
