"""Predictions with evidence by the released model, on two pieces of the example."""

from __future__ import annotations

from pathlib import Path

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel
from phytoscribe.prediction.merge import PredictionFiles
from phytoscribe.prediction.run import merge_shards, predict_shard

RELEASED = Path(__file__).parents[2] / "resources/models/brassicales"
WEIGHTS, PROTEIN_WEIGHTS = RELEASED / "evidence.json", RELEASED / "protein_evidence.json"
#: miniprot's, of the contigs below.
ALIGNED = Path(__file__).parents[1] / "data/miniprot/athaliana.gff3.gz"
ANNOTATION = Path(__file__).parents[2] / "resources/example/athaliana/annotation.gff3.gz"
#: Two pieces of validation contigs of the example; reads are of the first alone.
LONG, SHORT = ("Chr3_1065466_1464870", 60_000), ("Chr4", 12_000)
SETTINGS = {
    "window": 32768,
    "margin": 4096,
    "batch_size": 1,
    "precision": "float32",
    "device": "cpu",
    "sensitivity": 0.0,
    "partial": False,
}


def predict(
    fasta: Path, folder: Path, evidence=None, proteins=None, shards: int = 1, threads: int = 1, compared: bool = False
) -> PredictionFiles:
    folder.mkdir()
    for shard in range(shards):
        place = ("athaliana", "Brassicales", None, shard, folder / f"{shard}.jsonl", threads)
        given = {"evidence": evidence, "proteins": proteins, "compared": compared}
        predict_shard(fasta, RELEASED, {**SETTINGS, "shards": shards}, *place, **given)
    return merge(fasta, folder)


def merge(fasta: Path, folder: Path, from_dna: bool = False) -> PredictionFiles:
    """The files of all shards in a folder."""
    names = ("genes.gff3", "genes.gtf", "proteins.faa", "cds.fna", "transcripts.fna", "stats.json")
    files = PredictionFiles(*(folder / f"{'dna.' if from_dna else ''}{name}" for name in names))
    merge_shards(sorted(map(str, folder.glob("*.jsonl"))), fasta, "g", None, files, from_dna=from_dna)
    return files


def right(files: PredictionFiles, reference: list[GeneModel]) -> set[tuple]:
    """The CDS of predicted genes that are annotated."""
    wanted = {(gene.strand, t.cds) for gene in reference for t in gene.coding_transcripts}
    found = {(gene.strand, gene.transcripts[0].cds) for gene in read_gff3(files.gff3) if gene.contig == LONG[0]}
    return wanted & found
