"""What accuracy.py scores: the standing split of the shared data, and its genomes made ready for scoring.

The folder of shared data has one folder per source with `genome.fa.gz`, `annotation.gff3.gz` and, for some, `mask.bed`
and `te.bed.gz`. Its README defines the split that this module writes down.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from phytoscribe.annotation.checking.check import CheckLimits, check_annotation
from phytoscribe.annotation.checking.tables import REJECTED, TranscriptRow, rows_of_cleaning
from phytoscribe.annotation.cleaning.clean import clean
from phytoscribe.annotation.model import GeneModel, Interval
from phytoscribe.annotation.sequences import write_fasta
from phytoscribe.evaluation.accuracy.gene_tables import NO_TRAIN_HOMOLOGUE, Scope
from phytoscribe.files import atomic_path, sha256_of
from phytoscribe.genome.fasta import Genome, check_fasta, write_index
from phytoscribe.genome.intervals import read_bed
from phytoscribe.genome.sequence import decode

VALIDATION, TEST = "validation", "test"
#: Held-out contigs of folders that also train or validate. A folder that is not here is a test set as a whole.
HELD_OUT = {
    "athaliana": {
        VALIDATION: ("Chr2", "Chr3", "Chr4", "Chr3_1065466_1464870"),
        TEST: ("Chr5", "Chr5_25975502_26975502"),
    },
    "athaliana_chr5": {VALIDATION: ("Chr5_16999951_19500000",), TEST: ("Chr5_24002301_25975501",)},
    "ptrichocarpa_chr01": {VALIDATION: ("Ptrichocarpa_Chr01_5200001_6200000",)},
    "osativa_more": {VALIDATION: ("Osativa_Chr1_1_1000400",)},
}
#: Folders that train, and what the names of their training contigs begin with. *B. napus* has a rule of its own.
TRAINING = {
    "athaliana_chr1": ("",),
    "athaliana_chr5": ("Chr5_269756_16999950", "Chr5_19500001_24002300"),
    "athaliana_more": ("Chr2_", "Chr3_", "Chr4_"),
    "athaliana_genes": ("Chr2_", "Chr3_", "Chr4_", "Chr5_"),
    "bnapus": ("",),
    "aarenosa": ("",),
    "ptrichocarpa_chr01": ("Ptrichocarpa_Chr01_1_5200000",),
    "osativa_more": ("Osativa_Chr3piece_",),
}
#: One long contig of each part: for splice sites and speed.
LONG_CONTIG = {VALIDATION: "Chr3_1065466_1464870", TEST: "Chr5_25975502_26975502"}


@dataclass(frozen=True)
class ScoredSet:
    """One species of the benchmark.

    Attributes:
        name: in the table of figures.
        title: for the page.
        folders: its folders of the shared data.
        species, lineage: the names that the model is told.
        augustus: AUGUSTUS's parameter sets, of which every one is run.
        parts: the parts of the split that it has contigs in.
        shown_alone: also score every contig, and the first folder, by itself.
        unlabelled: genes are known to lack in the annotation, so precision is a lower bound.
        note: what the reader must know about the reference.
    """

    name: str
    title: str
    folders: tuple[str, ...]
    species: str
    lineage: str
    augustus: tuple[str, ...]
    parts: tuple[str, ...] = (TEST,)
    shown_alone: bool = False
    unlabelled: bool = False
    note: str = ""

    def scored_part(self, part: str) -> str:
        """``part``, or the only one that there is."""
        return part if part in self.parts else self.parts[0]


SETS = (
    ScoredSet(
        "athaliana",
        "*A. thaliana*",
        ("athaliana", "athaliana_chr5"),
        "athaliana",
        "Brassicales",
        ("arabidopsis",),
        (VALIDATION, TEST),
        shown_alone=True,
    ),
    ScoredSet(
        "bnapus",
        "*B. napus*",
        ("bnapus",),
        "bnapus",
        "Brassicales",
        ("arabidopsis",),
        (VALIDATION, TEST),
        note="One transcript per gene; the annotation knows GT-AG introns only. AUGUSTUS ships no *Brassica*: its "
        "nearest species is arabidopsis, of the same family.",
    ),
    ScoredSet(
        "osativa",
        "Rice, test (Chr2)",
        ("osativa",),
        "osativa",
        "Poales",
        ("rice", "maize"),
        unlabelled=True,
        note="TE genes and 8 loci are not in the annotation: a prediction there counts as wrong for both programs, so "
        "precision and F1 are lower bounds.",
    ),
    ScoredSet(
        "rcommunis",
        "Castor bean",
        ("rcommunis",),
        "rcommunis",
        "Malpighiales",
        ("Ricinus_communis", "cacao", "arabidopsis", "Populus_trichocarpa", "Vitis_vinifera"),
        note="No training data of this species.",
    ),
    ScoredSet(
        "vcarteri",
        "*Volvox carteri*, a green alga",
        ("vcarteri",),
        "vcarteri",
        "Chlamydomonadales",
        ("volvox",),
        unlabelled=True,
        note="No training data of any alga. Genes that the annotation calls partial have no intact reading frame: they "
        "are no reference, and what is predicted on them counts neither for nor against. AUGUSTUS's volvox was trained "
        "on this species.",
    ),
    ScoredSet(
        "ptrichocarpa",
        "Poplar, validation",
        ("ptrichocarpa_chr01",),
        "ptrichocarpa",
        "Malpighiales",
        ("Populus_trichocarpa", "arabidopsis", "Ricinus_communis"),
        (VALIDATION,),
    ),
    ScoredSet(
        "osativa_chr1",
        "Rice, validation (Chr1)",
        ("osativa_more",),
        "osativa",
        "Poales",
        ("rice", "maize"),
        (VALIDATION,),
        note="RAP-DB proteins aligned to the genome; other loci are masked.",
    ),
)
#: Sets without a validation part choose nothing, so they are scored with the test contigs alone. Sets without a test
#: part are scored with both.
SCORED_IN = {
    VALIDATION: tuple(entry.name for entry in SETS if VALIDATION in entry.parts),
    TEST: tuple(entry.name for entry in SETS),
}


def held_out_scaffolds(names: Sequence[str], part: str) -> list[str]:
    """Held-out *B. napus* scaffolds: of the 10th, 20th, ... by name the 1st, 3rd, ... validate, the others test."""
    tenths = sorted(names)[9::10]
    return tenths[0 if part == VALIDATION else 1 :: 2]


def scored_contigs(folder: str, contigs: Sequence[str], part: str) -> list[str]:
    """The contigs of a folder that belong to ``part``, in the order of the FASTA."""
    if folder == "bnapus":
        wanted = set(held_out_scaffolds(contigs, part))
    elif folder in HELD_OUT:
        wanted = set(HELD_OUT[folder].get(part, ()))
    else:
        wanted = set(contigs if part == TEST else ())
    return [contig for contig in contigs if contig in wanted]


def training_contigs(folder: str, contigs: Sequence[str]) -> list[str]:
    """The contigs of a folder that train, in the order of the FASTA."""
    held_out = set(sorted(contigs)[9::10] if folder == "bnapus" else ())
    begins = TRAINING.get(folder, ())
    return [contig for contig in contigs if contig.startswith(begins) and contig not in held_out]


@dataclass(frozen=True)
class Species:
    """Contigs of one or several folders of the shared data, cleaned and checked with the workflow's defaults.

    Attributes:
        fasta: these contigs alone, plain and indexed.
        by_folder: the contigs of each folder.
        genes: the cleaned annotation.
        rejected: the check's table, see :class:`phytoscribe.annotation.checking.tables.TranscriptRow`.
        mask, transposons: intervals by contig; empty where there is no file.
    """

    fasta: Path
    contigs: dict[str, int]
    by_folder: dict[str, list[str]]
    genes: list[GeneModel]
    rejected: list[TranscriptRow]
    mask: dict[str, list[Interval]]
    transposons: dict[str, list[Interval]]

    def scope(self, contigs: Sequence[str], without_homologue: frozenset[str] | None) -> Scope:
        """The reference on ``contigs``; with a subset of the loci that have no homologue in training."""
        subsets = {} if without_homologue is None else {NO_TRAIN_HOMOLOGUE: without_homologue}
        return replace(Scope.of(self.genes, self.rejected, contigs, self.mask), subsets=subsets)


def read_species(data: Path, chosen: Mapping[str, Sequence[str]], cache: Path) -> Species:
    """Read the chosen contigs of each folder; plain FASTA files are kept in ``cache``."""
    fasta = chosen_fasta(data, chosen, cache)
    genes, rows, mask, transposons = [], [], {}, {}
    for folder, contigs in chosen.items():
        with Genome(plain_fasta(data / folder / "genome.fa.gz", cache)) as genome:
            lengths = dict(genome.contigs)
            here, rejected = read_genes(data / folder, contigs, genome)
        genes += here
        rows += rejected
        for name, intervals in (("mask.bed", mask), ("te.bed.gz", transposons)):
            bed = data / folder / name
            found = read_bed(bed, lengths) if bed.is_file() else {}
            intervals |= {contig: found[contig] for contig in contigs if contig in found}
    with Genome(fasta) as genome:
        return Species(fasta, dict(genome.contigs), dict(chosen), genes, rows, mask, transposons)


def read_genes(folder: Path, contigs: Sequence[str], genome: Genome) -> tuple[list[GeneModel], list[TranscriptRow]]:
    """The cleaned genes of some contigs of a folder, and what the check and the cleaning rejected."""
    cleaned = clean(folder / "annotation.gff3.gz", dict(genome.contigs), "builtin")
    wanted = set(contigs)
    genes = [gene for gene in cleaned.genes if gene.contig in wanted]
    _, rows = check_annotation(genes, genome, CheckLimits())
    return genes, [row for row in (*rows, *rows_of_cleaning(cleaned.report.rows)) if row.status == REJECTED]


def read_set(data: Path, entry: ScoredSet, part: str, cache: Path) -> Species:
    """What :func:`read_species` reads of a set's contigs in ``part``."""
    chosen = {}
    for folder in entry.folders:
        with Genome(plain_fasta(data / folder / "genome.fa.gz", cache)) as genome:
            chosen[folder] = scored_contigs(folder, list(genome.contigs), part)
    return read_species(data, chosen, cache)


def chosen_fasta(data: Path, chosen: Mapping[str, Sequence[str]], cache: Path) -> Path:
    """One plain, indexed FASTA of the chosen contigs of each folder, made once."""
    names = [f"{sha256_of(data / folder / 'genome.fa.gz')} {' '.join(contigs)}" for folder, contigs in chosen.items()]
    target = cache / f"contigs_{hashlib.sha256(chr(10).join(names).encode()).hexdigest()[:16]}"
    if not target.is_dir():
        with atomic_path(target) as scratch:
            scratch.mkdir(parents=True)
            with (scratch / "genome.fa").open("w", encoding="ascii") as handle:
                for folder, contigs in chosen.items():
                    with Genome(plain_fasta(data / folder / "genome.fa.gz", cache)) as genome:
                        write_fasta(handle, ((contig, decode(genome.bases(contig))) for contig in contigs))
            write_index(scratch / "genome.fa", scratch / "genome.fa.fai")
    return target / "genome.fa"


def plain_fasta(source: Path, cache: Path) -> Path:
    """The checked, indexed copy of a FASTA, made once."""
    folder = cache / f"genome_{sha256_of(source)[:16]}"
    if not folder.is_dir():
        with atomic_path(folder) as scratch:
            scratch.mkdir(parents=True)
            check_fasta(source, scratch / "genome.fa")
            write_index(scratch / "genome.fa", scratch / "genome.fa.fai")
    return folder / "genome.fa"
