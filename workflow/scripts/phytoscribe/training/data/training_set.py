"""A training set: one self-contained folder from which every training task reads, and which can be carried elsewhere.

Contigs are laid end to end in the order of ``contigs.tsv`` (columns genome, species, lineage, group, use, contig,
offset, length); base ``i`` of a contig is at ``offset + i`` in every array.  ``use`` is ``structure`` for annotated
sequence, ``sites`` where nothing but splice sites is known, ``sequence`` for sequence without annotation.

* ``bases.npy`` uint8 (total,): base codes; held-out sequence is N.
* ``weights.npy`` uint8 (total,): ``COUNTED`` where the loss counts, ``SITES_ONLY`` where nothing but splice sites is
  known, 0 on held-out sequence, masked intervals, rejected genes and sequence without annotation.
* ``labels.npy`` uint8 (2, total): states of the plus (row 0) and minus strand (row 1), contig orientation, or
  ``NON_CODING_LABEL``.
* ``sites.npy`` uint8 (2, total): splice sites of both strands, the bits of :mod:`phytoscribe.labels.states`.
* ``soft_plus.npy``, ``soft_minus.npy`` int64 (m,): sorted positions where isoforms disagree, and
* ``targets_plus.npy``, ``targets_minus.npy`` float16 (m, STATE_COUNT): the share of isoforms in each state there.
* ``genes.gff3.gz``: the genes that training may see, on sequences named by the row of ``contigs.tsv``.
* ``decoder.json``: settings of an untrained decoder, with the lengths of their CDS segments and introns.
* ``regions.tsv`` (name, species, lineage, offset, length), ``region_bases.npy``, ``region_genes.gff3.gz``,
  ``region_masks.bed``: the validation regions, by the row of ``regions.tsv``.
* ``manifest.json``: what went in, and what was left out.
"""

from __future__ import annotations

import json
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
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.errors import PhytoScribeError
from phytoscribe.labels.states import LABEL_COUNT, STATE_COUNT
from phytoscribe.training.data import files
from phytoscribe.training.data.validation import ValidationRegion

COUNTED, SITES_ONLY = 1, 2
STRUCTURE, SITES, SEQUENCE = "structure", "sites", "sequence"
CONTIG_COLUMNS = ("genome", "species", "lineage", "group", "use", "contig", "offset", "length")
REGION_COLUMNS = ("name", "species", "lineage", "offset", "length")
#: Kinds of interval in ``region_masks.bed``: not scored; seen by training, as it lies beyond a held-out locus' flank.
MASKED, SEEN = "masked", "seen"
#: Bases that are counted together: counting takes eight bytes a base.
COUNTED_AT_ONCE = 10_000_000


@dataclass(frozen=True)
class TrainingSet:
    """A training set with memory-mapped arrays, as the module describes them.

    Attributes:
        soft_positions, soft_targets: by strand.
        manifest: what went in.
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
            PhytoScribeError: a file of it is missing.
        """
        root = Path(folder)
        missing = [name for name in files.TRAINING_SET_FILES if not (root / name).is_file()]
        if missing:
            raise PhytoScribeError(f"{root}: this is no training set, {', '.join(missing)} is missing; make it again")
        arrays = {name: np.load(root / f"{name}.npy", mmap_mode="r") for name in files.ARRAYS}
        return cls(
            root,
            _read_tsv(root / files.CONTIGS),
            arrays["bases"],
            arrays["weights"],
            arrays["labels"],
            arrays["sites"],
            (arrays["soft_plus"], arrays["soft_minus"]),
            (arrays["targets_plus"], arrays["targets_minus"]),
            json.loads((root / files.MANIFEST).read_text(encoding="utf-8")),
        )

    def contig_bases(self, row: int) -> npt.NDArray[np.uint8]:
        """Base codes of the contig in a row of ``contigs``."""
        contig = self.contigs.iloc[row]
        return self.bases[int(contig["offset"]) : int(contig["offset"]) + int(contig["length"])]

    def rows_for(self, *uses: str) -> npt.NDArray[np.int64]:
        """Rows of the contigs of any of these uses."""
        return np.flatnonzero(self.contigs["use"].isin(uses))

    @cached_property
    def genes(self) -> dict[int, list[GeneModel]]:
        """Genes that training may see, by row of their contig."""
        return _by_row(self.folder / files.GENES)

    @cached_property
    def decoder(self) -> DecoderSettings:
        """Settings of an untrained decoder, with the length scores of the training genes."""
        return DecoderSettings.load(self.folder / files.DECODER)

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


def state_shares(labels: npt.NDArray[np.uint8], weights: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Share of each state among the bases of both strands that count and whose state is known, float64 (STATE_COUNT,);
    NaN where none counts.

    Args:
        labels: uint8 (2, total); weights: uint8 (total,).
    """
    counts = np.zeros(STATE_COUNT, dtype=np.int64)
    for start in range(0, weights.size, COUNTED_AT_ONCE):
        part = slice(start, start + COUNTED_AT_ONCE)
        counted = np.bincount(labels[:, part][:, weights[part] == COUNTED].ravel(), minlength=LABEL_COUNT)
        counts += counted[:STATE_COUNT]
    with np.errstate(invalid="ignore"):
        return counts / counts.sum()


def _read_tsv(path: Path) -> pd.DataFrame:
    numbers = {"offset": "int64", "length": "int64"}
    header = path.open(encoding="utf-8").readline().rstrip("\n").split("\t")
    return pd.read_csv(path, sep="\t", dtype={name: numbers.get(name, "str") for name in header}, keep_default_na=False)


def _by_row(path: Path) -> dict[int, list[GeneModel]]:
    found: dict[int, list[GeneModel]] = defaultdict(list)
    for gene in read_gff3(path):
        found[int(gene.contig)].append(gene)
    return dict(found)
