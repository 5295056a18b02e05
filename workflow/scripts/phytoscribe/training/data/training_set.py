"""Training sequence and labels of all genomes as flat arrays on disk.

Contigs are laid end to end in the order of ``contigs.tsv``; a contig's base ``i`` is at ``offset + i`` in every array.

* ``bases.npy`` uint8 (total,): base codes; held-out sequence is N.
* ``weights.npy`` uint8 (total,): ``COUNTED`` where the loss counts, ``SITES_ONLY`` where nothing but splice sites is
  known, 0 on held-out sequence, masked intervals and rejected genes.
* ``labels.npy`` uint8 (2, total): states of the plus (row 0) and minus strand (row 1), contig orientation, or
  ``NON_CODING_LABEL``.
* ``sites.npy`` uint8 (2, total): splice sites of both strands, the bits of :mod:`phytoscribe.labels.states`.
* ``soft_plus.npy``, ``soft_minus.npy`` int64 (m,): sorted positions where isoforms disagree, and
* ``targets_plus.npy``, ``targets_minus.npy`` float16 (m, STATE_COUNT): the share of isoforms in each state there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from phytoscribe.annotation.model import GeneModel, Interval
from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_path
from phytoscribe.genome import N_CODE, Genome
from phytoscribe.genome.intervals import IntervalIndex
from phytoscribe.labels.encode import label_contig, label_sites, mark_unknown_untranslated
from phytoscribe.labels.states import LABEL_COUNT, STATE_COUNT

logger = logging.getLogger(__name__)

STRANDS = "+-"
COUNTED, SITES_ONLY = 1, 2
#: Bases that are counted together: counting takes eight bytes a base.
COUNTED_AT_ONCE = 10_000_000
ARRAY_NAMES = ("bases", "weights", "labels", "sites", "soft_plus", "soft_minus", "targets_plus", "targets_minus")


@dataclass(frozen=True)
class TrainingGenome:
    """What one genome gives to training.

    Attributes:
        name, lineage: from the configuration.
        genome: the opened FASTA.
        contigs: contigs that hold training sequence.
        held_out: intervals to hide, by contig.
        ignored: intervals without loss, by contig: masked and rejected loci.
        genes: accepted genes.
        complete_utrs: whether a missing UTR means that there is none; where not, what lies beside such genes is only
            known to be non-coding.
        sites_only: nothing is known but the splice sites (introns cut out of their genes).
    """

    name: str
    lineage: str
    genome: Genome
    contigs: Sequence[str]
    held_out: Mapping[str, Sequence[Interval]]
    ignored: Mapping[str, Sequence[Interval]]
    genes: Sequence[GeneModel]
    complete_utrs: bool = True
    sites_only: bool = False

    def open_genes(self) -> list[GeneModel]:
        """Genes on its contigs outside held-out intervals."""
        held_out = IntervalIndex(self.held_out)
        contigs = set(self.contigs)
        return [
            gene
            for gene in self.genes
            if gene.contig in contigs and not held_out.overlaps_any(gene.contig, [(gene.start, gene.end)])
        ]


@dataclass(frozen=True)
class TrainingArrays:
    """Memory-mapped arrays of a training set.

    Attributes:
        contigs: columns genome, lineage, contig, offset, length.
        bases, weights: uint8 (total,).
        labels, sites: uint8 (2, total).
        soft_positions: per strand, sorted int64 positions where isoforms disagree.
        soft_targets: per strand, float16 (len(soft_positions), STATE_COUNT).
    """

    contigs: pd.DataFrame
    bases: npt.NDArray[np.uint8]
    weights: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]
    sites: npt.NDArray[np.uint8]
    soft_positions: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
    soft_targets: tuple[npt.NDArray[np.float16], npt.NDArray[np.float16]]

    @classmethod
    def load(cls, folder: str | Path) -> TrainingArrays:
        arrays = {name: np.load(Path(folder) / f"{name}.npy", mmap_mode="r") for name in ARRAY_NAMES}
        return cls(
            pd.read_csv(Path(folder) / "contigs.tsv", sep="\t", dtype={"genome": str, "contig": str, "lineage": str}),
            arrays["bases"],
            arrays["weights"],
            arrays["labels"],
            arrays["sites"],
            (arrays["soft_plus"], arrays["soft_minus"]),
            (arrays["targets_plus"], arrays["targets_minus"]),
        )

    def contig_bases(self, row: int) -> npt.NDArray[np.uint8]:
        """Base codes of the contig in a row of ``contigs``."""
        contig = self.contigs.iloc[row]
        return self.bases[int(contig["offset"]) : int(contig["offset"]) + int(contig["length"])]


def masked_bases(genome: Genome, contig: str, held_out: Iterable[Interval]) -> npt.NDArray[np.uint8]:
    """A contig's base codes with N on the held-out intervals."""
    bases = genome.bases(contig)
    for start, end in held_out:
        bases[start:end] = N_CODE
    return bases


def write_training_arrays(genomes: Sequence[TrainingGenome], folder: str | Path) -> pd.DataFrame:
    """Write the arrays of all genomes; returns the contig table.

    Raises:
        PhytoScribeError: there is no training sequence, or no gene in it.
    """
    rows: list[tuple[str, str, str, int, int]] = []
    bases, weights, labels, sites = [], [], [], []
    soft: dict[str, list] = {"soft_plus": [], "soft_minus": [], "targets_plus": [], "targets_minus": []}
    offset = 0
    for source in genomes:
        by_contig: dict[str, list[GeneModel]] = {}
        for gene in source.genes:
            by_contig.setdefault(gene.contig, []).append(gene)
        for contig in source.contigs:
            held_out = source.held_out.get(contig, [])
            sequence = masked_bases(source.genome, contig, held_out)
            weight = np.full(sequence.size, SITES_ONLY if source.sites_only else COUNTED, dtype=np.uint8)
            for start, end in (*held_out, *source.ignored.get(contig, [])):
                weight[start:end] = 0
            both, both_sites = [], []
            genes = by_contig.get(contig, [])
            for strand, name in zip(STRANDS, ("plus", "minus"), strict=True):
                states, positions, targets = label_contig(genes, strand, sequence.size)
                strand_sites = label_sites(genes, strand, sequence.size)
                if not source.complete_utrs:
                    mark_unknown_untranslated(genes, strand, states, strand_sites)
                both.append(states)
                both_sites.append(strand_sites)
                soft[f"soft_{name}"].append(positions + offset)
                soft[f"targets_{name}"].append(targets)
            rows.append((source.name, source.lineage, contig, offset, sequence.size))
            bases.append(sequence)
            weights.append(weight)
            labels.append(np.stack(both))
            sites.append(np.stack(both_sites))
            offset += sequence.size
    if not rows:
        raise PhytoScribeError("no contig is left for training; check roles, split.mode and the genomes' contig lists")
    table = pd.DataFrame(rows, columns=["genome", "lineage", "contig", "offset", "length"])
    arrays = {
        "bases": np.concatenate(bases),
        "weights": np.concatenate(weights),
        "labels": np.concatenate(labels, axis=1),
        "sites": np.concatenate(sites, axis=1),
        **{name: np.concatenate(parts) for name, parts in soft.items()},
    }
    if not arrays["labels"][:, arrays["weights"] == COUNTED].any():
        raise PhytoScribeError("the training contigs hold no accepted gene; check the annotation and its rejected.tsv")
    for name, array in arrays.items():
        with atomic_path(Path(folder) / f"{name}.npy") as path, path.open("wb") as handle:
            np.save(handle, array)
    with atomic_path(Path(folder) / "contigs.tsv") as path:
        table.to_csv(path, sep="\t", index=False)
    _log_counts(arrays)
    return table


def state_shares(labels: npt.NDArray[np.uint8], weights: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Share of each state among the bases of both strands that count and whose state is known, float64 (STATE_COUNT,).

    Args:
        labels: uint8 (2, total); weights: uint8 (total,).
    """
    counts = np.zeros(STATE_COUNT, dtype=np.int64)
    for start in range(0, weights.size, COUNTED_AT_ONCE):
        part = slice(start, start + COUNTED_AT_ONCE)
        counted = np.bincount(labels[:, part][:, weights[part] == COUNTED].ravel(), minlength=LABEL_COUNT)
        counts += counted[:STATE_COUNT]
    return counts / counts.sum()


def _log_counts(arrays: Mapping[str, npt.NDArray]) -> None:
    shares = state_shares(arrays["labels"], arrays["weights"])
    logger.info(
        "%d bases, %d with loss, %d positions with soft targets; state shares: %s",
        arrays["bases"].size,
        int((arrays["weights"] > 0).sum()),
        len(arrays["soft_plus"]) + len(arrays["soft_minus"]),
        " ".join(f"{share:.2e}" for share in shares),
    )
