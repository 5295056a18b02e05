"""Training data in a folder small enough to carry: sequences at two bits a base, annotation beside them.

A packed genome ``name`` is three files: ``name.npz`` (sequence), ``name.gff3.gz`` (annotation, contig coordinates) and
``name.tsv`` (contigs with their part: train or validate; and intervals without loss or score).  ``genomes.json`` lists
the genomes with lineage, weight in the mixture, and whether their UTR annotation is complete.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel, Interval
from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_path
from phytoscribe.genome.intervals import true_runs
from phytoscribe.genome.sequence import N_CODE, Bases
from phytoscribe.training.data.training_set import TrainingGenome
from phytoscribe.training.data.validation import ValidationRegion

logger = logging.getLogger(__name__)

PARTS = ("train", "validate")
LISTING = "genomes.json"


@dataclass(frozen=True, slots=True)
class PackedDescription:
    """What ``genomes.json`` says of a genome.

    Attributes:
        name, lineage: as the model is told them; genomes of one species share both.
        species: name of the species token.
        complete_utrs: see :class:`phytoscribe.training.data.training_set.TrainingGenome`.
        sites_only: see the same; such a genome validates nothing.
        group: genomes of one group are drawn from together, in proportion to their length.
    """

    name: str
    species: str
    lineage: str
    complete_utrs: bool
    group: str
    sites_only: bool = False


class PackedSequences:
    """Sequences of a packed genome in memory, with the part of :class:`phytoscribe.genome.Genome` that training uses.

    Attributes:
        contigs: lengths by name, in order.
    """

    def __init__(self, path: Path) -> None:
        with np.load(path) as stored:
            lengths = stored["lengths"].tolist()
            self.contigs: dict[str, int] = dict(zip(stored["names"].tolist(), lengths, strict=True))
            packed = stored["packed"]
            runs = stored["n_runs"]
        total = sum(lengths)
        bases = np.empty((packed.size, 4), dtype=np.uint8)
        for place in range(4):
            bases[:, place] = (packed >> (2 * place)) & 3
        self._bases = bases.reshape(-1)[:total]
        for start, end in runs:
            self._bases[start:end] = N_CODE
        self._offsets = dict(zip(self.contigs, np.cumsum([0, *lengths]).tolist(), strict=False))

    def bases(self, contig: str, start: int = 0, end: int | None = None) -> Bases:
        """Base codes of a contig or part of it, uint8, a copy."""
        offset, length = self._offsets[contig], self.contigs[contig]
        stop = length if end is None else min(end, length)
        return self._bases[offset + start : offset + stop].copy()


def pack_sequences(sequences: Mapping[str, Bases], path: Path) -> None:
    """Write base codes (0..4 for A, C, G, T, N) at two bits a base, runs of N apart."""
    whole = np.concatenate(list(sequences.values()))
    runs = np.array(true_runs(whole == N_CODE), dtype=np.int64).reshape(-1, 2)
    padded = np.zeros(-(-whole.size // 4) * 4, dtype=np.uint8)
    padded[: whole.size] = whole & 3  # N reads as A here, and is put back from its runs
    packed = sum(padded[place::4] << (2 * place) for place in range(4)).astype(np.uint8)
    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        np.savez_compressed(
            handle,
            names=np.array(list(sequences)),
            lengths=np.array([bases.size for bases in sequences.values()], dtype=np.int64),
            packed=packed,
            n_runs=runs,
        )


def pack_genome(
    description: PackedDescription,
    sequences: Mapping[str, Bases],
    parts: Mapping[str, str],
    annotation: Path,
    ignored: Mapping[str, Sequence[Interval]],
    folder: Path,
) -> None:
    """Write one genome into ``folder`` and list it in ``genomes.json``.

    Args:
        sequences: base codes of the contigs of parts train and validate.
        parts: ``train`` or ``validate`` by contig.
        annotation: gzipped GFF3 in contig coordinates; genes on other contigs are passed over when it is read.
        ignored: intervals by contig that count neither in the loss nor in scores.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pack_sequences(sequences, folder / f"{description.name}.npz")
    with atomic_path(folder / f"{description.name}.gff3.gz") as temporary:
        shutil.copyfile(annotation, temporary)
    rows = [(contig, parts[contig], 0, len(bases), "contig") for contig, bases in sequences.items()]
    rows += [(c, parts[c], s, e, "ignored") for c, spans in ignored.items() if c in parts for s, e in spans]
    with atomic_path(folder / f"{description.name}.tsv") as temporary:
        pd.DataFrame(rows, columns=["contig", "part", "start", "end", "kind"]).to_csv(temporary, sep="\t", index=False)
    listing = folder / LISTING
    known = json.loads(listing.read_text(encoding="utf-8")) if listing.exists() else []
    known = [entry for entry in known if entry["name"] != description.name] + [asdict(description)]
    with atomic_path(listing) as temporary:
        temporary.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class PackedGenome:
    """A packed genome, read.

    Attributes:
        description: its entry in ``genomes.json``.
        sequences: base codes.
        parts: part by contig.
        ignored: intervals by contig.
        genes: all genes on its contigs.
    """

    description: PackedDescription
    sequences: PackedSequences
    parts: dict[str, str]
    ignored: dict[str, list[Interval]]
    genes: list[GeneModel]

    @classmethod
    def load(cls, folder: Path, description: PackedDescription) -> PackedGenome:
        sequences = PackedSequences(folder / f"{description.name}.npz")
        table = pd.read_csv(folder / f"{description.name}.tsv", sep="\t", dtype={"contig": str}, keep_default_na=False)
        contigs = table[table["kind"] == "contig"]
        ignored: dict[str, list[Interval]] = {}
        for row in table[table["kind"] == "ignored"].itertuples():
            ignored.setdefault(row.contig, []).append((int(row.start), int(row.end)))
        genes = [g for g in read_gff3(folder / f"{description.name}.gff3.gz") if g.contig in sequences.contigs]
        return cls(description, sequences, dict(zip(contigs["contig"], contigs["part"], strict=True)), ignored, genes)

    def for_training(self) -> TrainingGenome:
        """What it gives to training: the contigs of part train."""
        chosen = [contig for contig in self.sequences.contigs if self.parts[contig] == "train"]
        genes = [gene for gene in self.genes if self.parts[gene.contig] == "train"]
        return TrainingGenome(
            self.description.species,
            self.description.lineage,
            self.sequences,
            chosen,
            {},
            self.ignored,
            genes,
            self.description.complete_utrs,
            self.description.sites_only,
        )

    def validation_regions(self) -> list[ValidationRegion]:
        """Its contigs of part validate, each one region."""
        regions = []
        for contig, part in self.parts.items():
            if part == "validate":
                genes = [gene for gene in self.genes if gene.contig == contig]
                bases, mask = self.sequences.bases(contig), self.ignored.get(contig, [])
                regions.append(
                    ValidationRegion(contig, self.description.species, self.description.lineage, bases, genes, mask)
                )
        return regions

    def training_stretches(self, count: int, length: int) -> list[ValidationRegion]:
        """Beginnings of its longest training contigs, as regions of their own; genes that are cut are masked.

        Args:
            count: most stretches; length: bases of each.  Shorter contigs give none.
        """
        sizes = self.sequences.contigs
        trained = [contig for contig, part in self.parts.items() if part == "train" and sizes[contig] >= length]
        regions, end = [], length
        for contig in sorted(trained, key=lambda contig: (-sizes[contig], contig))[:count]:
            near = [gene for gene in self.genes if gene.contig == contig and gene.start < end]
            mask = [(s, min(e, end)) for s, e in self.ignored.get(contig, []) if s < end]
            mask += [(gene.start, end) for gene in near if gene.end > end]
            genes = [gene for gene in near if gene.end <= end]
            bases = self.sequences.bases(contig, 0, end)
            regions.append(
                ValidationRegion(contig, self.description.species, self.description.lineage, bases, genes, sorted(mask))
            )
        return regions


def with_share(genomes: Sequence[PackedGenome], share: float, seed: int) -> list[PackedGenome]:
    """The genomes with fewer training contigs: of each group, contigs in random order until they hold this share.

    With the same seed, the contigs of a smaller share are among those of a larger one.

    Raises:
        PhytoScribeError: the share is not above 0 and up to 1.
    """
    if not 0 < share <= 1:
        raise PhytoScribeError(f"a share of {share} of the training contigs; give a number above 0 and up to 1")
    if share == 1:
        return list(genomes)
    rows = [
        (genome.description.group, number, contig, genome.sequences.contigs[contig])
        for number, genome in enumerate(genomes)
        for contig, part in genome.parts.items()
        if part == "train"
    ]
    table = pd.DataFrame(rows, columns=["group", "number", "contig", "length"])
    table = table.iloc[np.random.default_rng([seed, 3]).permutation(len(table))]
    by_group = table.groupby("group")["length"]
    kept = table[by_group.cumsum() - table["length"] < share * by_group.transform("sum")]
    for group, lengths in kept.groupby("group")["length"]:
        logger.info("%s: %d training contigs, %.2f Mb", group, len(lengths), lengths.sum() / 1e6)
    chosen = set(zip(kept["number"], kept["contig"], strict=True))
    return [
        replace(
            genome,
            parts={
                contig: part if part != "train" or (number, contig) in chosen else "left out"
                for contig, part in genome.parts.items()
            },
        )
        for number, genome in enumerate(genomes)
    ]


def load_packed(folder: str | Path) -> list[PackedGenome]:
    """All genomes of a packed folder.

    Raises:
        PhytoScribeError: the folder holds none.
    """
    listing = Path(folder) / LISTING
    if not listing.is_file():
        raise PhytoScribeError(f"{listing}: no such file; make the folder with tools/pack_training_data.py")
    entries = json.loads(listing.read_text(encoding="utf-8"))
    return [PackedGenome.load(Path(folder), PackedDescription(**entry)) for entry in entries]
