"""A small untrained model that finds genes all the same, and predictions with it."""

from __future__ import annotations

from pathlib import Path

import torch

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.genome import check_fasta
from phytoscribe.genome.fasta import write_index
from phytoscribe.genome.junctions import JunctionReads
from phytoscribe.prediction.merge import PredictionFiles
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.run import merge_shards, predict_shard
from phytoscribe.prediction.windows import PredictionSettings

SETTINGS = {
    "window": 1024,
    "margin": 128,
    "batch_size": 4,
    "precision": "float32",
    "device": "cpu",
    "shards": 1,
    "sensitivity": 0.0,
    "partial": False,
}


#: An untrained network favours no state; these scalars make it find genes all the same, so that there is something
#: to compare.
EAGER = DecoderSettings(
    coding_score=1.6, gene_score=60.0, intron_score=10.0, intron_base_score=1.0, minimum_cds=30, site_cutoff=None
)


#: Its logits are made larger, so that they matter beside these scalars.
EMPHASIS = 20.0


def write_genome(folder: Path, records: dict[str, str]) -> Path:
    """A checked FASTA with its index."""
    (folder / "source.fa").write_text("".join(f">{name}\n{text}\n" for name, text in records.items()))
    check_fasta(folder / "source.fa", folder / "g.fa")
    write_index(folder / "g.fa", folder / "g.fa.fai")
    return folder / "g.fa"


def predict(
    model_folder,
    fasta,
    folder: Path,
    shards: int = 1,
    threads: int = 1,
    organelles: tuple[str, ...] = (),
    isoforms: dict | None = None,
    junctions: JunctionReads | None = None,
    classes: Path | None = None,
    drop: bool = False,
    **settings,
) -> PredictionFiles:
    folder.mkdir()
    paths = []
    for shard in range(shards):
        path = folder / f"{shard}.jsonl"
        wanted = {**SETTINGS, **settings, "shards": shards}
        place = (fasta, model_folder, wanted, "athaliana", "Brassicales", None, shard, path, threads)
        predict_shard(*place, isoforms=isoforms, junctions=junctions, class_folder=classes)
        paths.append(str(path))
    names = ("genes.gff3", "genes.gtf", "proteins.faa", "cds.fna", "transcripts.fna", "stats.json")
    files = PredictionFiles(*(folder / name for name in names))
    merge_shards(paths, fasta, "g", None, files, organelles, drop)
    return files


def structure(files: PredictionFiles) -> list[tuple]:
    return [
        (g.id, g.contig, g.strand, g.transcripts[0].id, g.transcripts[0].exons, g.transcripts[0].cds)
        for g in read_gff3(files.gff3)
    ]


def predictor_of(model_folder, window: int = 1024, margin: int = 128, threads: int = 2, **settings):
    wanted = PredictionSettings(window, margin, 4, **{"precision": "float32"} | settings)
    return StructurePredictor.from_folder(
        model_folder, wanted, torch.device("cpu"), "athaliana", "Brassicales", threads=threads
    )
