"""Writing a training set, contig by contig, so that memory does not grow with the genomes."""

from __future__ import annotations

import gzip
import io
import json
import logging
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from phytoscribe import __version__
from phytoscribe.annotation.gff_writer import gene_lines
from phytoscribe.annotation.model import GeneModel, Interval
from phytoscribe.decoding.settings import DecoderSettings, length_scores
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.intervals import IntervalIndex
from phytoscribe.genome.sequence import N_CODE, Bases
from phytoscribe.labels.encode import label_contig, label_sites, mark_unknown_untranslated
from phytoscribe.labels.states import LABEL_COUNT, STATE_COUNT
from phytoscribe.training.data import files
from phytoscribe.training.data.training_set import (
    CONTIG_COLUMNS,
    COUNTED,
    MASKED,
    REGION_COLUMNS,
    SEEN,
    SEQUENCE,
    SITES,
    SITES_ONLY,
    STRUCTURE,
    TrainingSet,
)
from phytoscribe.training.data.validation import ValidationRegion

logger = logging.getLogger(__name__)

STRANDS = {"+": "plus", "-": "minus"}
#: Bytes that are copied at once from one file to another.
COPIED_AT_ONCE = 16_000_000
_DTYPES = {"bases": "u1", "weights": "u1", "labels": "u1", "sites": "u1"}
_SOFT = {"soft_plus": "<i8", "soft_minus": "<i8", "targets_plus": "<f2", "targets_minus": "<f2"}
_WEIGHT_OF_USE = {STRUCTURE: COUNTED, SITES: SITES_ONLY, SEQUENCE: 0}


@dataclass(frozen=True)
class TrainingContig:
    """One contig as training will see it.

    Attributes:
        genome, species, lineage, group: where it comes from; windows are drawn from groups.
        use: ``structure``, ``sites`` or ``sequence``.
        name, bases: the contig; uint8 base codes.
        held_out: intervals to hide.
        ignored: intervals without loss: masked and rejected loci, genes that labels cannot express.
        genes: its accepted genes.
        complete_utrs: whether a missing UTR means that there is none; where not, what lies beside such genes is only
            known to be non-coding.
    """

    genome: str
    species: str
    lineage: str
    group: str
    use: str
    name: str
    bases: Bases
    held_out: Sequence[Interval] = ()
    ignored: Sequence[Interval] = ()
    genes: Sequence[GeneModel] = ()
    complete_utrs: bool = True


class TrainingSetWriter:
    """Writes a training set into a folder that does not exist yet; use :func:`new_training_set`.

    Args:
        total: bases of all contigs that will be added.
    """

    def __init__(self, folder: Path, total: int) -> None:
        self.folder, self.total, self.offset = folder, total, 0
        folder.mkdir(parents=True)
        self._arrays: dict[str, tuple[IO[bytes], int]] = {}
        for name, dtype in _DTYPES.items():
            rows = 2 if name in ("labels", "sites") else 1
            self._arrays[name] = _new_array(folder / f"{name}.npy", (rows, total) if rows > 1 else (total,), dtype)
        self._soft = {name: (folder / f"{name}.raw").open("wb") for name in _SOFT}
        self._genes = _GeneFile(folder / files.GENES)
        self._region_genes = _GeneFile(folder / files.REGION_GENES)
        self._region_bases = (folder / files.REGION_BASES).with_suffix(".raw").open("wb")
        self._masks = (folder / files.REGION_MASKS).open("w", encoding="utf-8", newline="\n")
        self._contigs: list[tuple[Any, ...]] = []
        self._regions: list[tuple[Any, ...]] = []
        self._length_genes: list[GeneModel] = []
        self._states = np.zeros(LABEL_COUNT, dtype=np.int64)

    def add_contig(self, contig: TrainingContig) -> None:
        """Lay a contig behind those that are there, with its labels."""
        bases, length = contig.bases.copy(), contig.bases.size
        if self.offset + length > self.total:
            raise ValueError(f"{contig.genome} {contig.name}: more bases than the {self.total} that were announced")
        weights = np.full(length, _WEIGHT_OF_USE[contig.use], dtype=np.uint8)
        for start, end in contig.held_out:
            bases[start:end] = N_CODE
        for start, end in (*contig.held_out, *contig.ignored):
            weights[start:end] = 0
        self._write("bases", 0, bases)
        self._write("weights", 0, weights)
        for row, (strand, name) in enumerate(STRANDS.items()):
            states, positions, targets = label_contig(contig.genes, strand, length)
            sites = label_sites(contig.genes, strand, length)
            if not contig.complete_utrs:
                mark_unknown_untranslated(contig.genes, strand, states, sites)
            self._count(states, weights)
            self._write("labels", row, states)
            self._write("sites", row, sites)
            (positions + self.offset).astype("<i8").tofile(self._soft[f"soft_{name}"])
            targets.astype("<f2").tofile(self._soft[f"targets_{name}"])
        hidden = IntervalIndex({contig.name: contig.held_out})
        seen = [g for g in contig.genes if not hidden.overlaps(contig.name, g.start, g.end)]
        self._genes.write(len(self._contigs), contig.genome, seen)
        if contig.use == STRUCTURE:
            self._length_genes += seen
        self._note(contig.genome, contig.species, contig.lineage, contig.group, contig.use, contig.name, length)

    def add_region(self, region: ValidationRegion) -> None:
        """Add a validation region."""
        row = len(self._regions)
        offset = sum(entry[-1] for entry in self._regions[-1:]) + (self._regions[-1][-2] if self._regions else 0)
        self._regions.append((region.name, region.species, region.lineage, offset, region.bases.size))
        region.bases.astype("u1").tofile(self._region_bases)
        self._region_genes.write(row, region.species, region.genes)
        for kind, intervals in ((MASKED, region.mask), (SEEN, region.seen)):
            self._masks.writelines(f"{row}\t{start}\t{end}\t{kind}\n" for start, end in intervals)

    def add_set(self, other: TrainingSet) -> None:
        """Add all contigs and regions of a training set that was made elsewhere."""
        for row, contig in enumerate(other.contigs.itertuples(index=False)):
            inside = slice(int(contig.offset), int(contig.offset) + int(contig.length))
            self._write("bases", 0, other.bases[inside])
            self._write("weights", 0, other.weights[inside])
            for strand, name in enumerate(STRANDS.values()):
                self._count(other.labels[strand, inside], other.weights[inside])
                self._write("labels", strand, other.labels[strand, inside])
                self._write("sites", strand, other.sites[strand, inside])
                positions = other.soft_positions[strand]
                first, last = np.searchsorted(positions, [inside.start, inside.stop])
                (positions[first:last] - inside.start + self.offset).tofile(self._soft[f"soft_{name}"])
                np.asarray(other.soft_targets[strand][first:last]).tofile(self._soft[f"targets_{name}"])
            genes = other.genes.get(row, [])
            self._genes.write(len(self._contigs), "", genes)
            if contig.use == STRUCTURE:
                self._length_genes += genes
            self._note(*(getattr(contig, name) for name in CONTIG_COLUMNS[:6]), int(contig.length))
        for region in other.regions:
            self.add_region(region)

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Close all files and write the tables.

        Raises:
            PhytoScribeError: there is no training sequence, or no gene in it.
        """
        if not self._contigs:
            raise PhytoScribeError(
                "no contig is left for training; check roles, split.mode and the genomes' contig lists"
            )
        if self.offset != self.total:
            raise ValueError(f"{self.offset} bases were added, but {self.total} announced")
        for handle in (*(handle for handle, _ in self._arrays.values()), self._masks):
            handle.close()
        for name, dtype in _SOFT.items():
            self._soft[name].close()
            _close_raw(self.folder / f"{name}.npy", (STATE_COUNT,) if name.startswith("targets") else (), dtype)
        self._region_bases.close()
        _close_raw(self.folder / files.REGION_BASES, (), "u1")
        self._genes.close()
        self._region_genes.close()
        for name, columns, rows in (
            (files.CONTIGS, CONTIG_COLUMNS, self._contigs),
            (files.REGIONS, REGION_COLUMNS, self._regions),
        ):
            pd.DataFrame(rows, columns=list(columns)).to_csv(self.folder / name, sep="\t", index=False)
        replace(DecoderSettings(), **length_scores(self._length_genes)).save(self.folder / files.DECODER)
        (self.folder / files.MANIFEST).write_text(
            json.dumps({"version": __version__, **manifest}, indent=2) + "\n", encoding="utf-8"
        )
        if not self._states[1:].any():
            raise PhytoScribeError(
                "the training contigs hold no accepted gene; check the annotation and its rejected.tsv"
            )
        shares = self._states / self._states.sum()
        logger.info(
            "%d bases, %d validation regions; state shares: %s",
            self.total,
            len(self._regions),
            " ".join(f"{share:.2e}" for share in shares),
        )

    def _count(self, labels: npt.NDArray[np.uint8], weights: npt.NDArray[np.uint8]) -> None:
        """Note the states of a strand; here, since a later look would bring all arrays into memory."""
        self._states += np.bincount(labels[weights == COUNTED], minlength=LABEL_COUNT)

    def _write(self, name: str, row: int, values: npt.NDArray) -> None:
        handle, begin = self._arrays[name]
        handle.seek(begin + row * self.total + self.offset)
        np.ascontiguousarray(values, dtype=np.uint8).tofile(handle)

    def _note(self, *entry: Any) -> None:
        *described, length = entry
        self._contigs.append((*described, self.offset, length))
        self.offset += length


@contextmanager
def new_training_set(folder: Path, total: int) -> Iterator[TrainingSetWriter]:
    """A writer whose folder appears as ``folder`` when the block ends without an error.

    Snakemake makes the folders of declared outputs beforehand, so the files are moved into it one by one, the manifest
    last.
    """
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        yield TrainingSetWriter(temporary, total)
        folder.mkdir(parents=True, exist_ok=True)
        for name in files.TRAINING_SET_FILES:
            (temporary / name).replace(folder / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@dataclass
class _GeneFile:
    """Genes as gzipped GFF3 on sequences named by a row, with ids unique over genomes; same genes, same bytes."""

    path: Path
    _packed: gzip.GzipFile = field(init=False)
    _text: io.TextIOWrapper = field(init=False)
    _times: dict[str, int] = field(init=False, default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        self._raw = self.path.open("wb")
        self._packed = gzip.GzipFile("", "wb", 6, self._raw, mtime=0)
        self._text = io.TextIOWrapper(self._packed, encoding="utf-8", newline="\n")
        self._text.write("##gff-version 3\n")

    def write(self, row: int, genome: str, genes: Iterable[GeneModel]) -> None:
        for gene in genes:
            name = self._unique(f"{genome}:{gene.id}" if genome else gene.id)
            moved = gene.shifted(0, str(row))
            parts = tuple(replace(t, id=f"{name}.{number}") for number, t in enumerate(moved.transcripts, start=1))
            moved = replace(moved, id=name, transcripts=parts)
            self._text.write("\n".join(gene_lines(moved)) + "\n")

    def _unique(self, name: str) -> str:
        self._times[name] += 1
        return name if self._times[name] == 1 else self._unique(f"{name}_{self._times[name]}")

    def close(self) -> None:
        self._text.close()
        self._raw.close()


def _new_array(path: Path, shape: tuple[int, ...], dtype: str) -> tuple[IO[bytes], int]:
    """A .npy file of this shape, still without values: the handle, and where the values begin."""
    handle = path.open("wb")
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(handle, header)
    begin = handle.tell()
    handle.truncate(begin + int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize)
    return handle, begin


def _close_raw(path: Path, row_shape: tuple[int, ...], dtype: str) -> None:
    """Turn the values in the ``.raw`` file beside ``path`` into an array of rows of this shape."""
    raw = path.with_suffix(".raw")
    row = int(np.prod(row_shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    handle, begin = _new_array(path, (raw.stat().st_size // row, *row_shape), dtype)
    with handle, raw.open("rb") as values:
        handle.seek(begin)
        shutil.copyfileobj(values, handle, COPIED_AT_ONCE)
    raw.unlink()
