"""Genes of A. thaliana with windows, parts of the standing split, and features, for benchmarks of the expression head.

Made once from a run of config/release.yaml (its `resources/genomes` and `results/clean`) and kept in a folder:
databases of the accepted genes, gene_windows.tsv, and features as .npy. The guard against homologues is that of the
workflow with DIAMOND's pairs (protein_pairs.py) in place of CD-HIT's clusters, which take 44 minutes of a core.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import numpy as np
import numpy.typing as npt
import pandas as pd
from protein_pairs import paired

from phytoscribe.annotation.checking.check import CheckLimits, check_annotation
from phytoscribe.annotation.gene_database import GeneDatabase, write_gene_database
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.annotation.model import GeneModel
from phytoscribe.expression.features import gc_of, has_both_utrs, kmer_roots, structure_numbers
from phytoscribe.expression.window_table import (
    GENE_WINDOWS,
    divided,
    windows_of_genome,
)
from phytoscribe.expression.windows import WindowSettings, window_bases, windows_of_genes
from phytoscribe.genome.fasta import Genome
from phytoscribe.splits.assign import extract_proteins
from phytoscribe.splits.parts import (
    HOMOLOGUE_OF,
    PARTS,
    TEST,
    TRAIN,
    VALIDATE,
    complete_contig_parts,
    parts_of_genome,
)
from phytoscribe.tables import read_table, write_table

#: The genomes of config/release.yaml whose sequence is A. thaliana's, and their held-out contigs there.
GENOMES = {
    "athaliana": {
        "validate": ["Chr2", "Chr3", "Chr4", "Chr3_1065466_1464870"],
        "test": ["Chr5", "Chr5_25975502_26975502"],
    },
    "athaliana_chr1": {},
    "athaliana_chr5": {"validate": ["Chr5_16999951_19500000"], "test": ["Chr5_24002301_25975501"]},
    "athaliana_more": {},
}
SETTINGS = WindowSettings()
FEATURES = ("windows", "gc", "structure", "kmers", "promoter_kmers")


@dataclass(frozen=True)
class Genes:
    """All genes with a window.

    Attributes:
        table: columns of gene_windows.tsv, ``both_utrs`` and ``exonic`` (bases).
        windows: uint8 (genes, 2, 1500).
        gc, structure, kmers, promoter_kmers: float32 (genes, features).
    """

    table: pd.DataFrame
    windows: npt.NDArray[np.uint8]
    gc: npt.NDArray[np.float32]
    structure: npt.NDArray[np.float32]
    kmers: npt.NDArray[np.float32]
    promoter_kmers: npt.NDArray[np.float32]


def load_genes(run: Path, work: Path) -> Genes:
    """The genes, from the kept files or made anew."""
    work.mkdir(parents=True, exist_ok=True)
    models = {name: _accepted(run, work, name) for name in GENOMES}
    windows, more = work / "windows.tsv", work / "more.tsv"
    if not more.exists():
        _write_features(run, work, models)
    columns = {**dict(list(GENE_WINDOWS.items())[:9]), "reason": str}
    table = _divided(run, read_table(windows, columns))
    if not (work / "homologues.tsv").exists():
        _write_homologues(run, work, models, table)
    found = pd.read_csv(work / "homologues.tsv", sep="\t").set_index(["genome", "gene"])["reason"]
    similar = found.reindex(pd.MultiIndex.from_frame(table[["genome", "gene"]])).fillna("").to_numpy()
    table["reason"] = np.where(table["reason"] == "", similar, table["reason"])
    write_table(table, work / "gene_windows.tsv", GENE_WINDOWS)
    features = {name: np.load(work / f"{name}.npy") for name in FEATURES}
    told = pd.read_csv(more, sep="\t")
    return Genes(table.assign(both_utrs=told["both_utrs"], exonic=told["exonic"]), **features)


def _accepted(run: Path, work: Path, name: str) -> dict[str, GeneModel]:
    """The accepted genes of a genome by id; written, with their database, the first time."""
    gff3 = work / f"{name}.accepted.gff3"
    with Genome(_fasta(run, name)) as genome:
        if not gff3.exists():
            found = read_gff3(run / f"results/clean/{name}.gff3", genome.contigs)
            with gff3.open("w") as handle:
                write_gff3(handle, check_annotation(found, genome, CheckLimits())[0], genome.contigs)
        genes = read_gff3(gff3, genome.contigs)
    if not (work / f"{name}.db").exists():
        write_gene_database(gff3, work / f"{name}.db")
    return {gene.id: gene for gene in genes}


def _fasta(run: Path, name: str) -> Path:
    return run / f"resources/genomes/{name}/{name}.fa"


def _write_features(run: Path, work: Path, models: dict[str, dict[str, GeneModel]]) -> None:
    bases, tables, genes, more = [], [], [], []
    for name in GENOMES:
        database = GeneDatabase(work / f"{name}.db")
        tables.append(windows_of_genome(name, database, work / f"{name}.accepted.gff3", _fasta(run, name), SETTINGS))
        windows, lengths = windows_of_genes(database, SETTINGS), database.exonic_lengths()
        with Genome(_fasta(run, name)) as genome:
            bases.append(window_bases(windows, models[name], genome, SETTINGS))
        genes += [models[name][one.span.id] for one in windows]
        more += [(has_both_utrs(models[name][one.span.id]), lengths[one.span.id]) for one in windows]
    windows = np.concatenate(bases)
    gc = gc_of(windows, SETTINGS.upstream)
    np.save(work / "windows.npy", windows)
    np.save(work / "gc.npy", gc)
    np.save(work / "structure.npy", structure_numbers(genes, gc))
    np.save(work / "promoter_kmers.npy", kmer_roots(windows[:, :1, : SETTINGS.upstream]))
    np.save(work / "kmers.npy", kmer_roots(windows))
    pd.concat(tables).to_csv(work / "windows.tsv", sep="\t", index=False)
    pd.DataFrame(more, columns=["both_utrs", "exonic"]).to_csv(work / "more.tsv", sep="\t", index=False)


def _write_homologues(run: Path, work: Path, models: dict[str, dict[str, GeneModel]], table: pd.DataFrame) -> None:
    """Genes that must leave their part because a protein of another part is similar: genome, gene, reason."""
    proteins: dict[str, list[tuple[str, str]]] = {part: [] for part in PARTS}
    keys = {}
    part_of = dict(zip(zip(table["genome"], table["gene"], strict=True), table["part"], strict=True))
    for name, genes in models.items():
        with Genome(_fasta(run, name)) as genome:
            records, loci = extract_proteins(name, genes.values(), genome)
        keys |= {protein: (name, gene) for protein, gene in zip(loci["protein"], loci["locus"], strict=True)}
        for record in records:
            proteins[part_of[keys[record[0]]]].append(record)
    reasons: dict[tuple[str, str], str] = {}
    for part, other in ((TRAIN, VALIDATE), (TRAIN, TEST), (VALIDATE, TEST)):
        reasons |= {keys[name]: HOMOLOGUE_OF + other for name in paired(proteins[part], proteins[other])}
    rows = [(*key, reason) for key, reason in reasons.items()]
    pd.DataFrame(rows, columns=["genome", "gene", "reason"]).to_csv(work / "homologues.tsv", sep="\t", index=False)


def _divided(run: Path, windows: pd.DataFrame) -> pd.DataFrame:
    parts = {}
    for name, held in GENOMES.items():
        named = {contig: part for part, contigs in held.items() for contig in contigs}
        with Genome(_fasta(run, name)) as genome:
            found = complete_contig_parts(genome.contigs, named, name)
            parts[name] = parts_of_genome(None, name, genome.contigs, "train", "contig", found, 0)
    return divided(windows, parts, {})
