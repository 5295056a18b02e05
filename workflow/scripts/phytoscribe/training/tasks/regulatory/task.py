"""The regulatory task: train the head on peaks, calibrate it on the validation blocks, export it."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytorch_lightning as lightning
import torch

from phytoscribe.devices import choose_device
from phytoscribe.files import atomic_path
from phytoscribe.models.loading import trainable_parameters
from phytoscribe.models.regulatory import RegulatoryConfig, RegulatoryHead, save_head
from phytoscribe.splits.parts import TRAIN
from phytoscribe.training.loop.callbacks import MetricsTable
from phytoscribe.training.loop.ranks import own_rank
from phytoscribe.training.loop.runs import CHECKPOINT_NAME, claim_run_folder, read_as_data, train
from phytoscribe.training.loop.settings import Recipe
from phytoscribe.training.tasks.regulatory.module import (
    RankedSelection,
    RegulatoryModule,
    ValidationBins,
    label_weights,
)
from phytoscribe.training.tasks.regulatory.windows import BINS, RegulatoryData, RegulatoryDataset, collate_regulatory

logger = logging.getLogger(__name__)

#: Keys of section ``regulatory`` that are sizes of the network.
SIZES = ("bin", "context", "surroundings", "filters", "width", "hidden", "dropout")


def run_regulatory_training(
    fastas: Sequence[str],
    peaks: Sequence[str],
    parts: Sequence[str],
    trunk: Sequence[tuple[str, str]],
    recipe: Recipe,
    inputs: Sequence[str],
    run_folder: Path,
    target: Path,
    threads: int,
    kind: type[RegulatoryHead] = RegulatoryHead,
    lineages: Sequence[str] = (),
) -> None:
    """Train the head and write its files into ``target``.

    Args:
        fastas, peaks, parts: of the genomes with peaks, in the same order.
        trunk: features of the structure model for each, for a head with ``encoder: frozen``; else nothing.
        recipe: its task is the section ``regulatory``.
        inputs: files whose content decides the result.
        run_folder: checkpoints, from which a killed run continues.
        threads: of each rank.
        kind: the network, if not the head: benchmarks train others in the same loop.
        lineages: of the genomes with peaks, as the head records them.

    Raises:
        PhytoScribeError: no label has enough peaks, or nothing is for training or for validation.
    """
    claim_run_folder(run_folder, vars(recipe), inputs)
    lightning.seed_everything(recipe.seed, verbose=False)
    settings, run = recipe.task, recipe.run_settings(threads)
    sizes = {name: settings[name] for name in SIZES}
    margin = RegulatoryConfig((), **sizes).margin
    data = RegulatoryData.read(fastas, peaks, parts, settings["minimum_peaks"], trunk, margin=margin)
    validation = ValidationBins(data, settings["bin"])
    counts = data.counts(TRAIN, settings["bin"])
    logger.info(
        "%d labels; %d bins for training, %d for validation", len(data.labels), counts.bins, len(validation.labels)
    )
    cells = data.genomes[0].trunk
    config = RegulatoryConfig(data.labels, **sizes, trunk_channels=cells.channels if cells else 0)
    head = kind(config, (counts.positive / np.maximum(1, counts.of_label)).tolist())
    logger.info("regulatory head: %d parameters", trainable_parameters(head))
    if settings["start"] == "enriched" and not (run_folder / CHECKPOINT_NAME).exists():
        motifs = data.enriched_words(config.motif).motifs(config.filters)
        logger.info("%d of %d motifs start from enriched words", len(motifs), config.filters)
        head.stem.start_from(torch.from_numpy(motifs))
    table = MetricsTable(run_folder / "metrics.tsv")
    selection = RankedSelection(
        validation,
        settings["validate_every"] * run.checkpoint_every,
        run_folder / "best.pt",
        table,
        settings["patience"],
    )
    dataset = RegulatoryDataset(data, config, run.seed)
    weights = label_weights(counts)
    module = RegulatoryModule(head.train(), run, weights, settings["positive_weight"], settings["average"])
    bases = run.batch_size * BINS * config.bin
    train(module, dataset, collate_regulatory, run, run_folder, bases, table, [selection])
    if own_rank():
        return
    device = choose_device(run.device)
    # Calibrated as it is saved, in half precision.
    head.load_state_dict({name: x.half().float() for name, x in read_as_data(selection.best_path).items()})
    head.to(device).eval()
    calibration = validation.calibration(validation.logits(head, device), settings["called_precision"])
    silent = [label for label, cut in zip(data.labels, calibration.cut, strict=True) if np.isnan(cut)]
    if silent:
        logger.warning(
            "%d of %d labels never reach precision %g on the validation blocks and will not be called: %s",
            len(silent), len(data.labels), settings["called_precision"], ", ".join(silent),
        )  # fmt: skip
    report = {
        "best_step": selection.best_step,
        "validation_auprc": round(float(np.nanmean(calibration.auprc)), 6),
        "called_precision": settings["called_precision"],
        "genomes": [genome.name for genome in data.genomes],
        "lineages": sorted(set(lineages)),
        "structure_model": cells.model_hash if cells else None,
    }
    target.mkdir(parents=True, exist_ok=True)
    with atomic_path(target / "metrics.tsv") as path:
        shutil.copyfile(run_folder / "metrics.tsv", path)
    save_head(head, calibration, report, target)
