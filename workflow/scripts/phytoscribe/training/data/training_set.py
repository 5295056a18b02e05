"""A training set: one self-contained, portable folder from which every training task reads.

Contigs are laid end to end in the order of ``contigs.tsv`` (columns genome, species, lineage, group, use, contig,
offset, length); base ``i`` of a contig is at ``offset + i`` in every array.  ``use`` is ``structure`` for annotated
sequence, ``sites`` if only splice sites are known, ``sequence`` for sequence without annotation.

* ``bases.npy`` uint8 (total,): base codes; held-out sequence is N.
* ``weights.npy`` uint8 (total,): ``COUNTED`` where the loss counts, ``SITES_ONLY`` where only splice sites are known
  (cut-out introns, and bases where genes on one strand need different states), 0 on held-out sequence, masked
  intervals, rejected genes and sequence without annotation.
* ``labels.npy`` uint8 (2, total): states of the plus (row 0) and minus strand (row 1), contig orientation, or
  ``NON_CODING_LABEL``.
* ``sites.npy`` uint8 (2, total): splice sites of both strands, the bits of :mod:`phytoscribe.labels.states`.
* ``soft_plus.npy``, ``soft_minus.npy`` int64 (m,): sorted positions where isoforms disagree, and
* ``targets_plus.npy``, ``targets_minus.npy`` float16 (m, STATE_COUNT): the share of isoforms in each state there.
* ``genes.gff3.gz``: the genes that training may see, on sequences named by the row of ``contigs.tsv``.
* ``inexpressible_genes.tsv`` (genome, contig, gene, reason): accepted genes that the decoder cannot predict.
* ``decoder.json``: settings of an untrained decoder, with the lengths of their CDS segments and introns, of all genes
  and of each lineage with many.
* ``regions.tsv`` (name, species, lineage, offset, length), ``region_bases.npy``, ``region_genes.gff3.gz``,
  ``region_masks.bed``: the validation regions, by the row of ``regions.tsv``.
* ``manifest.json``: the inputs; ``counts`` has the bases of each state, unknown bases (``sites``, ``states``), and the
  inexpressible genes by reason.

It can be packed for another machine: ``packed.npz`` replaces the arrays, with two bits per base and the others
compressed; all other files stay the same.
"""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel, Interval
from phytoscribe.decoding.settings import Decoders
from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_path
from phytoscribe.genome.intervals import true_runs
from phytoscribe.genome.sequence import N_CODE, Bases
from phytoscribe.labels.states import STATE_NAMES
from phytoscribe.training import data as files
from phytoscribe.training.data.validation import ValidationRegion

COUNTED, SITES_ONLY = 1, 2
STRUCTURE, SITES, SEQUENCE = "structure", "sites", "sequence"
CONTIG_COLUMNS = ("genome", "species", "lineage", "group", "use", "contig", "offset", "length")
REGION_COLUMNS = ("name", "species", "lineage", "offset", "length")
INEXPRESSIBLE_COLUMNS = ("genome", "contig", "gene", "reason")
#: Kinds of interval in ``region_masks.bed``: not scored; seen by training, as it lies beyond a held-out locus' flank.
MASKED, SEEN = "masked", "seen"
PACKED = "packed.npz"
_SEQUENCES = ("bases", Path(files.REGION_BASES).stem)


@dataclass(frozen=True)
class TrainingSet:
    """A training set with memory-mapped arrays; see the module docstring.

    Attributes:
        soft_positions, soft_targets: by strand.
        manifest: the inputs.
    """

    folder: Path
    contigs: pd.DataFrame
    bases: npt.NDArray[np.uint8]
    weights: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]
    sites: npt.NDArray[np.uint8]
    soft_positions: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
    soft_targets: tuple[npt.NDArray[np.float16], npt.NDArray[np.float16]]
    manifest: dict[str, Any]

    @classmethod
    def load(cls, folder: str | Path) -> TrainingSet:
        """Open a training set.

        Raises:
            PhytoScribeError: one of its files is missing.
        """
        root = Path(folder)
        missing = [name for name in files.TRAINING_SET_FILES if not (root / name).is_file()]
        if missing:
            raise PhytoScribeError(f"{root}: this is no training set, {', '.join(missing)} is missing; make it again")
        *arrays, plus, minus, targets_plus, targets_minus = (
            np.load(root / f"{name}.npy", mmap_mode="r") for name in files.ARRAYS
        )
        manifest = json.loads((root / files.MANIFEST).read_text(encoding="utf-8"))
        contigs = _read_tsv(root / files.CONTIGS)
        return cls(root, contigs, *arrays, (plus, minus), (targets_plus, targets_minus), manifest)

    def contig_bases(self, row: int) -> npt.NDArray[np.uint8]:
        """Base codes of the contig in a row of ``contigs``."""
        contig = self.contigs.iloc[row]
        return self.bases[int(contig["offset"]) : int(contig["offset"]) + int(contig["length"])]

    def rows_for(self, *uses: str) -> npt.NDArray[np.int64]:
        """Rows of the contigs of any of these uses."""
        return np.flatnonzero(self.contigs["use"].isin(uses))

    @property
    def state_shares(self) -> npt.NDArray[np.float64]:
        """Share of each state among the counted bases of known state on both strands, (STATE_COUNT,)."""
        counts = np.array([self.manifest["counts"]["states"][name] for name in STATE_NAMES], dtype=np.float64)
        return counts / counts.sum()

    @property
    def inexpressible(self) -> pd.DataFrame:
        """Accepted genes that the decoder cannot predict, columns :data:`INEXPRESSIBLE_COLUMNS`."""
        return _read_tsv(self.folder / files.INEXPRESSIBLE)

    @cached_property
    def genes(self) -> dict[int, list[GeneModel]]:
        """Genes that training may see, by row of their contig."""
        return _by_row(self.folder / files.GENES)

    @cached_property
    def decoders(self) -> Decoders:
        """Settings of untrained decoders, with the length scores of the training genes."""
        return Decoders.load(self.folder / files.DECODER)

    @cached_property
    def regions(self) -> list[ValidationRegion]:
        """The validation regions."""
        table = _read_tsv(self.folder / files.REGIONS)
        bases = np.load(self.folder / files.REGION_BASES, mmap_mode="r")
        genes = _by_row(self.folder / files.REGION_GENES)
        intervals: dict[str, dict[int, list[Interval]]] = {MASKED: defaultdict(list), SEEN: defaultdict(list)}
        with (self.folder / files.REGION_MASKS).open(encoding="utf-8") as lines:
            for line in lines:
                row, start, end, kind = line.rstrip("\n").split("\t")
                intervals[kind][int(row)].append((int(start), int(end)))
        return [
            ValidationRegion(
                row.name,
                row.species,
                row.lineage,
                np.asarray(bases[row.offset : row.offset + row.length]),
                [gene.shifted(0, row.name) for gene in genes.get(number, ())],
                intervals[MASKED][number],
                intervals[SEEN][number],
            )
            for number, row in enumerate(table.itertuples(index=False))
        ]


def _read_tsv(path: Path) -> pd.DataFrame:
    numbers = {"offset": "int64", "length": "int64"}
    header = path.open(encoding="utf-8").readline().rstrip("\n").split("\t")
    return pd.read_csv(path, sep="\t", dtype={name: numbers.get(name, "str") for name in header}, keep_default_na=False)


def _by_row(path: Path) -> dict[int, list[GeneModel]]:
    found: dict[int, list[GeneModel]] = defaultdict(list)
    for gene in read_gff3(path):
        found[int(gene.contig)].append(gene)
    return dict(found)


def pack_training_set(folder: Path, target: Path) -> None:
    """Write the training set in ``folder`` to ``target`` in packed form."""
    stored: dict[str, npt.NDArray] = {}
    for file in files.ARRAY_FILES:
        name, values = Path(file).stem, np.load(folder / file)
        if name in _SEQUENCES:
            stored[name], stored[f"{name}_n"] = _pack(values)
            stored[f"{name}_size"] = np.array(values.size)
        else:
            stored[name] = np.diff(values, prepend=0) if name.startswith("soft") else values
    with atomic_path(target) as temporary:
        _copy_tables(folder, temporary)
        np.savez_compressed(temporary / PACKED, **stored)


def unpack_training_set(folder: Path, target: Path) -> None:
    """Unpack the training set in ``folder`` to ``target``."""
    with np.load(folder / PACKED) as stored, atomic_path(target) as temporary:
        _copy_tables(folder, temporary)
        for file in files.ARRAY_FILES:
            name = Path(file).stem
            values = stored[name]
            if name in _SEQUENCES:
                values = _unpack(values, stored[f"{name}_n"], int(stored[f"{name}_size"]))
            np.save(temporary / file, values.cumsum() if name.startswith("soft") else values)


def _copy_tables(folder: Path, target: Path) -> None:
    target.mkdir()
    for file in (*files.TABLES, files.MANIFEST):
        shutil.copyfile(folder / file, target / file)


def _pack(bases: Bases) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Two bits a base, uint8 (size / 4,), and the runs of N (runs, 2), which read as A in the former."""
    padded = np.zeros(-(-bases.size // 4) * 4, dtype=np.uint8)
    padded[: bases.size] = bases & 3
    packed = padded[::4] | padded[1::4] << 2 | padded[2::4] << 4 | padded[3::4] << 6
    return packed, np.array(true_runs(bases == N_CODE), dtype=np.int64).reshape(-1, 2)


def _unpack(packed: npt.NDArray[np.uint8], runs: npt.NDArray[np.int64], size: int) -> Bases:
    bases = np.stack([(packed >> shift) & 3 for shift in (0, 2, 4, 6)], axis=1).reshape(-1)[:size]
    for start, end in runs:
        bases[start:end] = N_CODE
    return bases
