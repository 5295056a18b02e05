"""Which loci that accuracy.py scores have a homologue among the training genes of the standing split."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import pandas as pd
from accuracy_sets import (
    HELD_OUT,
    SETS,
    TEST,
    TRAINING,
    VALIDATION,
    plain_fasta,
    read_genes,
    scored_contigs,
    training_contigs,
)
from protein_pairs import paired

from phytoscribe import __version__
from phytoscribe.evaluation.accuracy.gene_tables import without_broken
from phytoscribe.files import atomic_open, sha256_of
from phytoscribe.genome.fasta import Genome
from phytoscribe.splits.assign import extract_proteins
from phytoscribe.splits.clusters import ClusterSettings

SINGLE_LOCI = "athaliana_genes"
log = logging.getLogger("accuracy")
SCORED_FOLDERS = tuple(dict.fromkeys(folder for entry in SETS for folder in entry.folders))
FOLDERS = tuple(dict.fromkeys([*SCORED_FOLDERS, *TRAINING]))


def loci_without_train_homologue(data: Path, cache: Path, threads: int) -> dict[str, frozenset[str]]:
    """For every set its held-out loci, of both parts, that no training gene resembles, by gene id.

    The longest proteins of the loci are compared (:mod:`protein_pairs`). It is done once for given files and kept in
    ``cache``; only its time depends on ``threads``.
    """
    sums = [sha256_of(data / name / file) for name in FOLDERS for file in ("genome.fa.gz", "annotation.gff3.gz")]
    split = [repr(HELD_OUT), repr(TRAINING), repr(FOLDERS)]
    text = "\n".join(["protein pairs", __version__, repr(ClusterSettings()), *split, *sums])
    path = cache / f"homologues_{hashlib.sha256(text.encode()).hexdigest()[:16]}.tsv"
    if not path.is_file():
        log.info("homologues in training: comparing the proteins of %s", ", ".join(FOLDERS))
        with atomic_open(path) as handle:
            _held_out_loci(data, cache, threads).to_csv(handle, sep="\t", index=False)
    table = pd.read_csv(path, sep="\t", dtype={"locus": str}, keep_default_na=False)
    free = table[~table["has_train_homologue"]]
    return {entry.name: frozenset(free.loc[free["genome"].isin(entry.folders), "locus"]) for entry in SETS}


def _held_out_loci(data: Path, cache: Path, threads: int) -> pd.DataFrame:
    """Columns genome (the folder), locus, has_train_homologue; one row per held-out locus with a protein."""
    records, tables = [], []
    for folder in FOLDERS:
        with Genome(plain_fasta(data / folder / "genome.fa.gz", cache)) as genome:
            contigs = list(genome.contigs)
            parts = (VALIDATION, TEST) if folder in SCORED_FOLDERS else ()
            held_out = {contig for part in parts for contig in scored_contigs(folder, contigs, part)}
            training = training_contigs(folder, contigs)
            intact, _ = without_broken(*read_genes(data / folder, [*training, *held_out], genome))
            proteins, loci = extract_proteins(folder, intact, genome)
        records += proteins
        tables.append(loci.assign(train=~loci["contig"].isin(held_out)))
    loci = pd.concat(tables, ignore_index=True)
    # Some single loci are cut out of held-out stretches: those do not train.
    held_out = loci["locus"].isin(set(loci.loc[~loci["train"], "locus"]))
    trains = loci["train"] & ~((loci["genome"] == SINGLE_LOCI) & held_out)
    wanted = set(loci.loc[~loci["train"], "protein"]), set(loci.loc[trains, "protein"])
    similar = paired(*([record for record in records if record[0] in names] for names in wanted), threads)
    known = loci["protein"].isin(similar)
    return loci.assign(has_train_homologue=known).loc[~loci["train"], ["genome", "locus", "has_train_homologue"]]
