"""What accuracy.py scores: the standing split of the shared data, and its genomes made ready for scoring.

The folder of shared data has one folder per species with `genome.fa.gz`, `annotation.gff3.gz` and, for some, `mask.bed`
and `te.bed.gz`. Its README defines the split that this module writes down.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from phytoscribe import __version__
from phytoscribe.annotation.checking.check import CheckLimits, check_annotation
from phytoscribe.annotation.checking.tables import REJECTED, TranscriptRow, rows_of_cleaning
from phytoscribe.annotation.cleaning.clean import clean
from phytoscribe.annotation.model import GeneModel, Interval
from phytoscribe.evaluation.accuracy.gene_tables import NO_TRAIN_HOMOLOGUE, Scope, without_broken
from phytoscribe.files import atomic_open, atomic_path, sha256_of
from phytoscribe.genome.fasta import Genome, check_fasta, write_index
from phytoscribe.genome.intervals import read_bed
from phytoscribe.splits.clusters import ClusterSettings, cluster_proteins
from phytoscribe.splits.proteins import extract_proteins, protein_id

VALIDATION, TEST = "validation", "test"
#: Contigs of athaliana/ that are held out; all others train.
ARABIDOPSIS = {
    VALIDATION: ("Chr2", "Chr3", "Chr4", "Chr3_1065466_1464870"),
    TEST: ("Chr5", "Chr5_25975502_26975502"),
}
#: One long contig of each part: for splice sites and speed.
LONG_CONTIG = {VALIDATION: "Chr3_1065466_1464870", TEST: "Chr5_25975502_26975502"}
ALWAYS_TRAINING = ("athaliana_more", "athaliana_genes")


@dataclass(frozen=True)
class ScoredSet:
    """One species of the benchmark.

    Attributes:
        name: its folder, and the species name that the model is told.
        title: for the page.
        lineage: the lineage name that the model is told.
        augustus: AUGUSTUS's species, of which every one is run.
        shown_alone: also score every contig by itself.
        unlabelled: genes are known to lack in the annotation, so precision is a lower bound.
        note: what the reader must know about the reference.
    """

    name: str
    title: str
    lineage: str
    augustus: tuple[str, ...]
    shown_alone: bool = False
    unlabelled: bool = False
    note: str = ""


SETS = (
    ScoredSet("athaliana", "*A. thaliana*", "Brassicales", ("arabidopsis",), shown_alone=True),
    ScoredSet(
        "bnapus",
        "*B. napus*",
        "Brassicales",
        ("arabidopsis",),
        note="One transcript per gene; the annotation knows GT-AG introns only. AUGUSTUS ships no *Brassica*: its "
        "nearest species is arabidopsis, of the same family.",
    ),
    ScoredSet(
        "osativa",
        "Rice, unseen",
        "Poales",
        ("rice",),
        unlabelled=True,
        note="TE genes and 8 loci are not in the annotation: a prediction there counts as wrong for both programs, so "
        "precision and F1 are lower bounds.",
    ),
    ScoredSet(
        "rcommunis",
        "Castor bean, unseen",
        "Malpighiales",
        ("arabidopsis", "cacao"),
        note="AUGUSTUS ships no Malpighiales; arabidopsis and cacao are equally far, so both are run.",
    ),
    ScoredSet(
        "vcarteri",
        "*Volvox carteri*, unseen (a green alga)",
        "Chlamydomonadales",
        ("volvox",),
        unlabelled=True,
        note="Genes that the annotation calls partial have no intact reading frame: they are no reference, and what is "
        "predicted on them counts neither for nor against. AUGUSTUS's volvox was trained on this species.",
    ),
)
#: Unseen species choose nothing, so they are scored with the test contigs alone.
SCORED_IN = {VALIDATION: ("athaliana", "bnapus"), TEST: tuple(entry.name for entry in SETS)}


def held_out_scaffolds(names: Sequence[str], part: str) -> list[str]:
    """Held-out *B. napus* scaffolds: of the 10th, 20th, ... by name the 1st, 3rd, ... validate, the others test."""
    tenths = sorted(names)[9::10]
    return tenths[0 if part == VALIDATION else 1 :: 2]


def scored_contigs(name: str, contigs: Sequence[str], part: str) -> list[str]:
    """The contigs of a set that ``part`` scores, in the order of the FASTA."""
    if name == "athaliana":
        wanted = set(ARABIDOPSIS[part])
    elif name == "bnapus":
        wanted = set(held_out_scaffolds(contigs, part))
    else:
        wanted = set(contigs)
    return [contig for contig in contigs if contig in wanted]


@dataclass(frozen=True)
class Species:
    """A species folder of the shared data, cleaned and checked with the workflow's defaults.

    Attributes:
        genes: the cleaned annotation.
        rejected: the check's table, see :class:`phytoscribe.annotation.checking.tables.TranscriptRow`.
        mask, transposons: intervals by contig; empty where there is no file.
    """

    name: str
    fasta: Path
    contigs: dict[str, int]
    genes: list[GeneModel]
    rejected: list[TranscriptRow]
    mask: dict[str, list[Interval]]
    transposons: dict[str, list[Interval]]

    def scope(self, contigs: Sequence[str], without_homologue: frozenset[str] | None) -> Scope:
        """The reference on ``contigs``; with a subset of the loci that have no homologue in training."""
        subsets = {} if without_homologue is None else {NO_TRAIN_HOMOLOGUE: without_homologue}
        return replace(Scope.of(self.genes, self.rejected, contigs, self.mask), subsets=subsets)


def read_species(data: Path, name: str, cache: Path) -> Species:
    """Read one species folder; its plain FASTA is kept in ``cache``."""
    folder = data / name
    fasta = plain_fasta(folder / "genome.fa.gz", cache)
    with Genome(fasta) as genome:
        contigs = dict(genome.contigs)
        cleaned = clean(folder / "annotation.gff3.gz", contigs, "builtin")
        _, rows = check_annotation(cleaned.genes, genome, CheckLimits())
    rows = [row for row in (*rows, *rows_of_cleaning(cleaned.report.rows)) if row.status == REJECTED]
    beds = (folder / name for name in ("mask.bed", "te.bed.gz"))
    mask, transposons = (read_bed(bed, contigs) if bed.is_file() else {} for bed in beds)
    return Species(name, fasta, contigs, cleaned.genes, rows, mask, transposons)


def plain_fasta(source: Path, cache: Path) -> Path:
    """The checked, indexed copy of a FASTA, made once."""
    folder = cache / f"genome_{sha256_of(source)[:16]}"
    if not folder.is_dir():
        with atomic_path(folder) as scratch:
            scratch.mkdir(parents=True)
            check_fasta(source, scratch / "genome.fa")
            write_index(scratch / "genome.fa", scratch / "genome.fa.fai")
    return folder / "genome.fa"


def loci_without_train_homologue(data: Path, cache: Path) -> dict[str, frozenset[str]]:
    """For every set its reference loci that share no CD-HIT cluster with a training gene, by gene id.

    One clustering, at the workflow's settings, of the longest protein of every intact locus of the training data and
    of all sets, held-out contigs of both parts. It is made once for given files and kept in ``cache``.
    """
    names = (*(entry.name for entry in SETS), *ALWAYS_TRAINING)
    sums = [sha256_of(data / name / file) for name in names for file in ("genome.fa.gz", "annotation.gff3.gz")]
    key = hashlib.sha256("\n".join([__version__, repr(ClusterSettings()), *sums]).encode()).hexdigest()[:16]
    path = cache / f"homologues_{key}.tsv"
    if not path.is_file():
        with atomic_open(path) as handle:
            _held_out_loci(data, cache, names).to_csv(handle, sep="\t", index=False)
    table = pd.read_csv(path, sep="\t", dtype={"locus": str})
    free = table[~table["has_train_homologue"]]
    return {entry.name: frozenset(free.loc[free["genome"] == entry.name, "locus"]) for entry in SETS}


def _held_out_loci(data: Path, cache: Path, names: Sequence[str]) -> pd.DataFrame:
    """Columns genome, locus, has_train_homologue; one row per held-out locus with a protein."""
    records, tables = [], []
    for name in names:
        species = read_species(data, name, cache)
        held_out = (
            set()
            if name in ALWAYS_TRAINING
            else {contig for part in (VALIDATION, TEST) for contig in scored_contigs(name, list(species.contigs), part)}
        )
        intact, _ = without_broken(species.genes, species.rejected)
        with Genome(species.fasta) as genome:
            proteins, loci = extract_proteins(name, intact, genome)
        records += proteins
        tables.append(loci.assign(train=~loci["contig"].isin(held_out)))
    loci = pd.concat(tables, ignore_index=True)
    clusters = cluster_proteins(records, ClusterSettings())
    cluster_of = dict(zip(clusters["protein"], clusters["cluster"], strict=True))
    cluster = pd.Series([cluster_of[protein_id(row.genome, row.locus)] for row in loci.itertuples()])
    known = cluster.isin(set(cluster[loci["train"]]))
    return loci.assign(has_train_homologue=known).loc[~loci["train"], ["genome", "locus", "has_train_homologue"]]
