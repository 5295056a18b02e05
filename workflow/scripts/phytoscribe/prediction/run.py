"""Prediction of a genome from files to files, as the rules predict_shard and merge_predictions do it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from phytoscribe import __version__
from phytoscribe.genome import Genome
from phytoscribe.genome.fasta import chosen_contigs
from phytoscribe.models.loading import model_hash
from phytoscribe.prediction.merge import PredictionFiles, number_genes, write_prediction
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.settings import PredictionSettings, choose_device
from phytoscribe.prediction.shards import contigs_of_shard, gather_shards, write_shard

logger = logging.getLogger(__name__)


def predict_shard(
    fasta: str | Path,
    model_folder: Path,
    settings: Mapping[str, Any],
    species: str,
    lineage: str,
    chosen: Sequence[str] | None,
    shard: int,
    output: str | Path,
    threads: int,
) -> None:
    """Predict the contigs of one shard and write them as JSON lines (see :mod:`phytoscribe.prediction.shards`).

    Args:
        settings: the configuration's ``predict``: window, margin, batch_size, precision, device, shards.
    """
    torch.set_num_threads(threads)
    device = choose_device(settings["device"])
    prediction = PredictionSettings(
        settings["window"], settings["margin"], settings["batch_size"], settings["precision"]
    )
    predictor = StructurePredictor.from_folder(model_folder, prediction, device, species, lineage)
    with Genome(fasta) as genome:
        contigs = chosen_contigs(genome.contigs, chosen)
        mine = contigs_of_shard(contigs, shard, settings["shards"])
        progress = ProgressReport(2 * sum(contigs[contig] for contig in mine))
        genes = {contig: predictor.genes(contig, genome.bases(contig), progress.add) for contig in mine}
    header = prediction_header(model_folder, prediction, device, predictor)
    write_shard(output, header, genes)
    logger.info("%d genes on %d contigs", sum(map(len, genes.values())), len(genes))


def prediction_header(
    model_folder: Path, settings: PredictionSettings, device: torch.device, predictor: StructurePredictor
) -> dict[str, Any]:
    """What the output says about itself: all that changes the result, and nothing else."""
    names = ("gene_score", "intron_score", "coding_score", "minimum_intron", "minimum_cds", "maximum_utr")
    species, lineage = predictor.species_tokens
    return {
        "PhytoScribe": __version__,
        "model": model_hash(model_folder),
        "device": device.type,
        "precision": settings.precision,
        "window": settings.window,
        "margin": settings.margin,
        "read as": f"{species} {lineage}",
        **{f"decoder.{name}": getattr(predictor.decoder, name) for name in names},
    }


def merge_shards(
    shards: Sequence[str], fasta: str | Path, genome_name: str, chosen: Sequence[str] | None, files: PredictionFiles
) -> None:
    """Check that every contig is there once, number the genes and write all files."""
    with Genome(fasta) as genome:
        contigs = chosen_contigs(genome.contigs, chosen)
        header, found = gather_shards(shards, list(contigs))
        genes = number_genes((gene for part in found.values() for gene in part), genome_name, contigs)
        write_prediction(genes, genome, contigs, header, files)
    logger.info("%d genes written to %s", len(genes), files.gff3)


class ProgressReport:
    """Log lines with share done, rate and time left, at most one every ten seconds."""

    INTERVAL = 10.0

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self._start = self._last = time.monotonic()

    def add(self, bases: int) -> None:
        self.done += bases
        now = time.monotonic()
        if now - self._last < self.INTERVAL and self.done < self.total:
            return
        self._last = now
        rate = self.done / max(now - self._start, 1e-9)
        left = (self.total - self.done) / rate if rate else float("inf")
        logger.info(
            "%.1f %% of both strands  %.1f kb/s of genome  %.1f min left",
            100 * self.done / self.total,
            rate / 2000,
            left / 60,
        )
