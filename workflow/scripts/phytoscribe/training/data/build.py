"""Write a training set contig by contig, so that memory does not grow with the genomes."""

from __future__ import annotations

import gzip
import io
import json
import logging
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from phytoscribe import __version__
from phytoscribe.annotation.gff_writer import gene_lines
from phytoscribe.annotation.model import GeneModel, Interval
from phytoscribe.decoding.scoring import untrained_decoders
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.intervals import IntervalIndex
from phytoscribe.genome.sequence import N_CODE, Bases
from phytoscribe.labels.encode import label_contig, label_sites, mark_unknown_isoforms, mark_unknown_untranslated
from phytoscribe.labels.states import STATE_COUNT, STATE_NAMES, UNKNOWN_SITE_BIT, State
from phytoscribe.training import data as files
from phytoscribe.training.data.training_set import (
    CONTIG_COLUMNS,
    COUNTED,
    INEXPRESSIBLE_COLUMNS,
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
_ROWS = {"bases": 1, "weights": 1, "labels": 2, "sites": 2}
#: Type and shape of a row of the arrays whose length shows at the end.
_GROWING: dict[str, tuple[str, tuple[int, ...]]] = {
    **dict.fromkeys(("soft_plus", "soft_minus"), ("<i8", ())),
    **dict.fromkeys(("targets_plus", "targets_minus"), ("<f2", (STATE_COUNT,))),
    "region_bases": ("u1", ()),
}
_WEIGHT_OF_USE = {STRUCTURE: COUNTED, SITES: SITES_ONLY, SEQUENCE: 0}


@dataclass(frozen=True)
class TrainingContig:
    """One contig of the training set.

    Attributes:
        genome, species, lineage, group: its origin; windows are drawn from groups.
        use: ``structure``, ``sites`` or ``sequence``.
        name, bases: the contig; uint8 base codes.
        held_out: intervals to hide.
        ignored: intervals without loss: masked and rejected loci.
        genes: its accepted genes.
        annotated: all its genes, accepted or not; the splice sites of genes that were not accepted count as unknown.
        complete_utrs: whether a missing UTR means that there is none; if not, the bases beside such genes are only
            known to be non-coding.
        complete_isoforms: whether genes have no other isoforms; if not, only annotated splice sites are known in genes.
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
    annotated: Sequence[GeneModel] = ()
    complete_utrs: bool = True
    complete_isoforms: bool = True


class TrainingSetWriter:
    """Writes a training set into a folder that does not exist yet; use :func:`new_training_set`.

    Args:
        total: bases of all contigs that will be added.
    """

    def __init__(self, folder: Path, total: int) -> None:
        self.folder, self.total, self.offset = folder, total, 0
        folder.mkdir(parents=True)
        shapes = {name: (rows, total) if rows > 1 else (total,) for name, rows in _ROWS.items()}
        self._arrays = {name: _new_array(folder / f"{name}.npy", shape, "u1") for name, shape in shapes.items()}
        self._growing = {name: (folder / f"{name}.raw").open("wb") for name in _GROWING}
        self._genes = _GeneFile(folder / files.GENES)
        self._region_genes = _GeneFile(folder / files.REGION_GENES)
        self._masks = (folder / files.REGION_MASKS).open("w", encoding="utf-8", newline="\n")
        self._contigs: list[tuple[Any, ...]] = []
        self._regions: list[tuple[Any, ...]] = []
        self._inexpressible: list[tuple[str, str, str, str]] = []
        self._length_genes: dict[str, list[GeneModel]] = defaultdict(list)
        self._counts: dict[str, Counter[str]] = {kind: Counter() for kind in ("states", "unknown", "inexpressible")}

    def add_contig(self, contig: TrainingContig) -> None:
        """Append a contig with its labels."""
        bases, length = contig.bases.copy(), contig.bases.size
        if self.offset + length > self.total:
            raise ValueError(f"{contig.genome} {contig.name}: more bases than the {self.total} that were announced")
        weights = np.full(length, _WEIGHT_OF_USE[contig.use], dtype=np.uint8)
        for start, end in contig.held_out:
            bases[start:end] = N_CODE
        for start, end in (*contig.held_out, *contig.ignored):
            weights[start:end] = 0
        labels = [label_contig(contig.genes, strand, length) for strand in STRANDS]
        disputed = np.concatenate([strand.disputed for strand in labels])
        weights[disputed[weights[disputed] == COUNTED]] = SITES_ONLY
        self._write("bases", 0, bases)
        self._write("weights", 0, weights)
        for row, (strand, (states, positions, targets, disputed)) in enumerate(zip(STRANDS, labels, strict=True)):
            sites = label_sites(contig.genes, strand, length, contig.annotated)
            unknown = {"sites": np.flatnonzero(sites == UNKNOWN_SITE_BIT), "states": disputed}
            self._counts["unknown"].update({kind: int((weights[at] > 0).sum()) for kind, at in unknown.items()})
            if not contig.complete_utrs:
                mark_unknown_untranslated(contig.genes, strand, states, sites)
            if not contig.complete_isoforms:
                mark_unknown_isoforms(contig.genes, strand, sites)
            # Here, since a later look would bring all arrays into memory.
            known = np.bincount(states[weights == COUNTED], minlength=STATE_COUNT)[:STATE_COUNT]
            self._counts["states"].update(dict(zip(STATE_NAMES, known.tolist(), strict=True)))
            self._write_strand(row, states, sites, positions, targets)
        hidden = IntervalIndex({contig.name: contig.held_out})
        seen = [g for g in contig.genes if not hidden.overlaps(contig.name, g.start, g.end)]
        described = (contig.genome, contig.species, contig.lineage, contig.group, contig.use, contig.name)
        self._close_contig(described, length, contig.genome, seen)

    def add_region(self, region: ValidationRegion) -> None:
        """Add a validation region."""
        row = len(self._regions)
        offset = sum(self._regions[-1][-2:]) if self._regions else 0
        self._regions.append((region.name, region.species, region.lineage, offset, region.bases.size))
        region.bases.astype("u1").tofile(self._growing["region_bases"])
        self._region_genes.write(row, region.species, region.genes)
        for kind, intervals in ((MASKED, region.mask), (SEEN, region.seen)):
            self._masks.writelines(f"{row}\t{start}\t{end}\t{kind}\n" for start, end in intervals)

    def add_inexpressible(self, genome: str, genes: Iterable[tuple[GeneModel, str]]) -> None:
        """Record a genome's accepted genes that the decoder cannot predict, with the reason."""
        rows = [(genome, gene.contig, gene.id, reason) for gene, reason in genes]
        self._inexpressible += rows
        self._counts["inexpressible"].update(reason for *_, reason in rows)

    def add_set(self, other: TrainingSet) -> None:
        """Add all contigs and regions of a training set that was made elsewhere."""
        for row, contig in enumerate(other.contigs.itertuples(index=False)):
            inside = slice(int(contig.offset), int(contig.offset) + int(contig.length))
            self._write("bases", 0, other.bases[inside])
            self._write("weights", 0, other.weights[inside])
            for strand, positions in enumerate(other.soft_positions):
                first, last = np.searchsorted(positions, [inside.start, inside.stop])
                soft = (positions[first:last] - inside.start, other.soft_targets[strand][first:last])
                self._write_strand(strand, other.labels[strand, inside], other.sites[strand, inside], *soft)
            described = tuple(getattr(contig, name) for name in CONTIG_COLUMNS[:6])
            self._close_contig(described, int(contig.length), "", other.genes.get(row, []))
        for region in other.regions:
            self.add_region(region)
        self._inexpressible += other.inexpressible.itertuples(index=False, name=None)
        for kind, counted in self._counts.items():
            counted.update(other.manifest["counts"][kind])

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
        written = (handle for handle, _ in self._arrays.values())
        for handle in (*written, *self._growing.values(), self._masks, self._genes, self._region_genes):
            handle.close()
        for name, (dtype, row_shape) in _GROWING.items():
            _finish_array(self.folder / f"{name}.npy", row_shape, dtype)
        for name, columns, rows in (
            (files.CONTIGS, CONTIG_COLUMNS, self._contigs),
            (files.REGIONS, REGION_COLUMNS, self._regions),
            (files.INEXPRESSIBLE, INEXPRESSIBLE_COLUMNS, self._inexpressible),
        ):
            pd.DataFrame(rows, columns=list(columns)).to_csv(self.folder / name, sep="\t", index=False)
        untrained_decoders(self._length_genes).save(self.folder / files.DECODER)
        text = json.dumps({"version": __version__, **manifest, "counts": self._counts}, indent=2)
        (self.folder / files.MANIFEST).write_text(text + "\n", encoding="utf-8")
        states = self._counts["states"]
        if states.total() == states[STATE_NAMES[State.INTERGENIC]]:
            raise PhytoScribeError(
                "the training contigs hold no accepted gene; check the annotation and its rejected.tsv"
            )
        logger.info("%d bases, %d validation regions, %s", self.total, len(self._regions), json.dumps(self._counts))

    def _write(self, name: str, row: int, values: npt.NDArray) -> None:
        handle, begin = self._arrays[name]
        handle.seek(begin + row * self.total + self.offset)
        np.ascontiguousarray(values, dtype=np.uint8).tofile(handle)

    def _write_strand(self, row: int, states, sites, positions, targets) -> None:
        """Labels of one strand of the current contig; ``positions`` count from its start."""
        name = list(STRANDS.values())[row]
        self._write("labels", row, states)
        self._write("sites", row, sites)
        (positions + self.offset).astype("<i8").tofile(self._growing[f"soft_{name}"])
        np.asarray(targets).astype("<f2").tofile(self._growing[f"targets_{name}"])

    def _close_contig(self, described: Sequence[str], length: int, genome: str, genes: Sequence[GeneModel]) -> None:
        """Note the current contig and its genes, whose ids get the genome in front."""
        self._genes.write(len(self._contigs), genome, genes)
        if described[4] == STRUCTURE:
            self._length_genes[described[2]] += genes
        self._contigs.append((*described, self.offset, length))
        self.offset += length


@contextmanager
def new_training_set(folder: Path, total: int) -> Iterator[TrainingSetWriter]:
    """Yield a writer; its files appear in ``folder`` when the block ends without an error.

    Snakemake creates the folders of declared outputs first, so the files are moved there one by one, the manifest last.
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


class _GeneFile:
    """Genes as gzipped GFF3 on sequences named by a row, with ids unique over genomes; same genes, same bytes."""

    def __init__(self, path: Path) -> None:
        self._raw = path.open("wb")
        self._text = io.TextIOWrapper(
            gzip.GzipFile("", "wb", 6, self._raw, mtime=0),  # type: ignore[arg-type]
            encoding="utf-8",
            newline="\n",
        )
        self._text.write("##gff-version 3\n")
        self._times: dict[str, int] = defaultdict(int)

    def write(self, row: int, genome: str, genes: Iterable[GeneModel]) -> None:
        for gene in genes:
            name = self._unique(f"{genome}:{gene.id}" if genome else gene.id)
            moved = gene.shifted(0, str(row))
            parts = tuple(replace(t, id=f"{name}.{number}") for number, t in enumerate(moved.transcripts, start=1))
            self._text.write("\n".join(gene_lines(replace(moved, id=name, transcripts=parts))) + "\n")

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


def _finish_array(path: Path, row_shape: tuple[int, ...], dtype: str) -> None:
    """Turn the values in the ``.raw`` file beside ``path`` into an array of rows of this shape."""
    raw = path.with_suffix(".raw")
    row = int(np.prod(row_shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    handle, begin = _new_array(path, (raw.stat().st_size // row, *row_shape), dtype)
    with handle, raw.open("rb") as values:
        handle.seek(begin)
        shutil.copyfileobj(values, handle, COPIED_AT_ONCE)
    raw.unlink()
