"""The expression task: train heads of several seeds on measured levels, export them together."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytorch_lightning as lightning
import torch
from torch import Tensor

from phytoscribe.devices import choose_device
from phytoscribe.errors import PhytoScribeError
from phytoscribe.expression.examples import BinFeatures, Examples, GenomeFiles, read_examples
from phytoscribe.expression.features import Windows
from phytoscribe.expression.windows import WindowSettings
from phytoscribe.files import atomic_path
from phytoscribe.models import REGULATORY_FILES
from phytoscribe.models.expression import ExpressionConfig, ExpressionHead, save_heads
from phytoscribe.models.loading import hash_of, model_hash, trainable_parameters
from phytoscribe.models.motif_stem import MotifStem
from phytoscribe.models.regulatory import load_head
from phytoscribe.prediction.expression import predict_windows, read_matches, read_trunk_bins
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.trunk_cells import trunk_reader
from phytoscribe.splits.parts import TRAIN, VALIDATE
from phytoscribe.training.loop.callbacks import MetricsTable
from phytoscribe.training.loop.runs import claim_run_folder, read_as_data, train
from phytoscribe.training.loop.settings import Recipe
from phytoscribe.training.tasks.expression.dataset import ExpressionDataset, collate_genes, require_genes, scaled
from phytoscribe.training.tasks.expression.module import ExplainedSelection, ExpressionModule

logger = logging.getLogger(__name__)

#: Keys of section ``expression`` that are sizes of the network.
SIZES = ("filters", "width", "dropout", "stretch")
#: Training genes by which features are scaled.
_MEASURED = 2000
#: Validation genes without which the scale of the predictions is left as training made it.
_LEAST_TO_CALIBRATE = 100


def run_expression_training(
    table: pd.DataFrame,
    genomes: Sequence[GenomeFiles],
    structure_model: Path | None,
    motifs: Path | None,
    recipe: Recipe,
    inputs: Sequence[str | Path],
    run_folder: Path,
    target: Path,
    threads: int,
    kind: type[ExpressionHead] = ExpressionHead,
) -> None:
    """Train the heads and write their files into ``target``.

    Args:
        table: of all genomes (``results/splits/gene_windows.tsv``).
        structure_model: folder of the model whose trunk gives features; None for none.
        motifs: folder of a regulatory head, whose motifs are taken and do not change; None to learn motifs.
        recipe: its task is the section ``expression``; ranks are not read, since the head is small.
        inputs: files whose content decides the result.
        run_folder: checkpoints of each seed, from which a killed run continues.
        kind: the network, if not the head: benchmarks train others in the same loop, without motifs and trunk.

    Raises:
        PhytoScribeError: too few genes are for training, or none for validation.
    """
    claim_run_folder(run_folder, vars(recipe), inputs)
    settings, run = recipe.task, recipe.run_settings(threads)
    windows = WindowSettings(settings["input"], settings["upstream"], settings["downstream"])
    parts = [read_examples(table, genomes, windows, part) for part in (TRAIN, VALIDATE)]
    require_genes(*parts)
    if structure_model is not None:
        parts = [
            with_trunk(part, genomes, structure_model, run.device, threads, run_folder / f"{k}.npy")
            for k, part in enumerate(parts)
        ]
    learnt, held_out = parts
    threshold = math.log2(1 + settings["threshold"])
    sizes = {name: settings[name] for name in SIZES}
    channels = 0 if learnt.trunk is None else learnt.trunk.shape[-1]
    config = ExpressionConfig((), (), (), 1.0, windows.pieces, windows.piece, **sizes, trunk_channels=channels)
    config, stem = scaled(config, learnt, threshold), None
    if motifs is not None:
        stem = load_head(motifs)[0].stem
        config = replace(config, filters=len(stem.bias), motif=stem.width)
        learnt = with_matches(learnt, config, stem, run.device, run_folder / "matches.npy")
    logger.info(
        "%d tissues; %d genes for training, %d for validation", len(config.tissues), *(len(x.log) for x in parts)
    )
    tables, heads, best = [], [], []
    for number in range(settings["seeds"]):
        seed = recipe.seed + number
        lightning.seed_everything(seed, verbose=False)
        head, folder = started(kind(config), stem, learnt), run_folder / f"seed_{seed}"
        if not number:
            logger.info("expression head: %d parameters", trainable_parameters(head))
        metrics = MetricsTable(folder / "metrics.tsv")
        every = settings["validate_every"] * run.checkpoint_every
        selection = ExplainedSelection(held_out, every, folder / "best.pt", metrics, settings["patience"])
        module = ExpressionModule(head.train(), replace(run, seed=seed), threshold, settings["loss"])
        bases = run.batch_size * windows.pieces * windows.piece
        dataset = ExpressionDataset(learnt, seed)
        train(module, dataset, collate_genes, module.settings, folder, bases, metrics, [selection])
        if not selection.best_step:
            raise PhytoScribeError(
                f"seed {seed}: no prediction of the validation genes was a number; lower expression.learning_rate"
            )
        head.load_state_dict(read_as_data(selection.best_path))
        heads.append(head.eval())
        best.append({"step": selection.best_step, "validation_r2": round(selection.best_score, 6)})
        tables.append(pd.read_csv(metrics.path, sep="\t").assign(seed=seed))
    slope = calibrate([head.to(choose_device(run.device)) for head in heads], held_out)
    taught = [one for one in genomes if (learnt.table["genome"] == one.name).any()]
    report = {
        "best": best,
        "calibration": slope,
        "windows": asdict(windows),
        "unit": "TPM",
        "threshold": settings["threshold"],
        "loss": settings["loss"],
        "genomes": [one.name for one in genomes],
        "species": sorted({one.names[0] for one in taught}),
        "lineages": sorted({one.names[1] for one in taught}),
        "structure_model": model_hash(structure_model) if structure_model else None,
        "motifs": hash_of(motifs, REGULATORY_FILES) if motifs else None,
    }
    target.mkdir(parents=True, exist_ok=True)
    with atomic_path(target / "metrics.tsv") as path:
        pd.concat(tables)[["seed", "step", "name", "value"]].to_csv(path, sep="\t", index=False)
    save_heads([head.to("cpu") for head in heads], report, target)


def calibrate(heads: Sequence[ExpressionHead], genes: Examples) -> float | None:
    """Give the mean of the heads the scale of the validation genes' levels; the slope that this takes.

    A network that learned from few thousand genes tells their levels too far apart.  One slope for all tissues and a
    constant for each, by least squares, are taken into the scale of the output, so that nothing else changes.  With few
    validation genes, or where the predictions do not rise with the levels, the heads stay as they are (None).

    Args:
        heads: of all seeds, in evaluation mode, on one device.
        genes: of the validation part.
    """
    known = np.isfinite(genes.log)
    if known.any(axis=1).sum() < _LEAST_TO_CALIBRATE or not known.any(axis=0).all():
        return None
    config, device = heads[0].config, heads[0].level.weight.device
    told = predict_windows(heads, genes.bases, genes.trunk, device).log.astype(np.float64)
    measured, told = np.where(known, genes.log, np.nan), np.where(known, told, np.nan)
    centres = np.nanmean(measured, axis=0), np.nanmean(told, axis=0)
    apart = told - centres[1]
    slope = float(np.nansum(apart * (measured - centres[0])) / max(np.nansum(apart**2), 1e-12))
    if slope <= 0:
        logger.warning("predictions do not rise with the levels of the validation genes, so their scale is kept")
        return None
    constants = centres[0] - slope * centres[1]
    means, silent = (tuple((constants + slope * np.array(own)).tolist()) for own in (config.means, config.silent))
    for head in heads:
        head.config = replace(config, means=means, silent=silent, deviation=slope * config.deviation)
    logger.info("scale of the predictions, by %d validation genes: slope %.3f", len(genes.log), slope)
    return round(slope, 6)


def started(head: ExpressionHead, stem: MotifStem | None, genes: Examples) -> ExpressionHead:
    """A head before its training, with the motifs that it keeps and the scale of features that are read once."""
    if stem is not None:
        head.stem.load_state_dict(stem.state_dict())
        head.stem.requires_grad_(False)
        head.mix.measure(_some_bins(genes.matches)[:, : 2 * head.config.filters])
    if genes.trunk is not None:
        head.trunk.measure(_some_bins(genes.trunk))
    if head.config.stretch:
        some = genes.bases[:: -(-len(genes.bases) // _MEASURED)]
        head.measure_words(torch.from_numpy(some.astype(np.int64)))
    return head


def _some_bins(features: BinFeatures) -> Tensor:
    """Bins of genes at even distances, float32 (bins, channels)."""
    some = features[:: -(-len(features) // _MEASURED)].astype(np.float32)
    return torch.from_numpy(some.reshape(-1, some.shape[-1]))


def with_matches(genes: Examples, config: ExpressionConfig, stem: MotifStem, device: str, kept: Path) -> Examples:
    """The genes with matches of motifs that do not change; found once and kept in the run folder."""
    if not kept.exists():
        head, chosen = ExpressionHead(config).eval(), choose_device(device)
        head.stem.load_state_dict(stem.state_dict())
        with atomic_path(kept) as path, path.open("wb") as handle:
            np.save(handle, read_matches(head.to(chosen), genes.bases, chosen))
        logger.info("%d motifs matched with %d windows", config.filters, len(genes.bases))
    return replace(genes, matches=np.load(kept, mmap_mode="r"))


def with_trunk(
    genes: Examples, genomes: Sequence[GenomeFiles], model: Path, device: str, threads: int, kept: Path
) -> Examples:
    """The genes with features of the structure model's trunk, which are read once and kept in the run folder."""
    if not kept.exists():
        predictor = trunk_reader(model, device, threads, genomes[0].names)
        found = np.concatenate(list(_trunk_of(genes, genomes, predictor)))
        with atomic_path(kept) as path, path.open("wb") as handle:
            np.save(handle, found)
    return replace(genes, trunk=np.load(kept))


def _trunk_of(genes: Examples, genomes: Sequence[GenomeFiles], predictor: StructurePredictor) -> Iterator[BinFeatures]:
    for one in genomes:
        own: Windows = genes.bases[(genes.table["genome"] == one.name).to_numpy()]
        if len(own):
            predictor.set_species(*one.names)
            yield read_trunk_bins(predictor.network, own, predictor.global_ids)
            logger.info("%s: %d windows read by the trunk", one.name, len(own))
