"""A training run of a tiny model that other processes can be told to make: ``python tiny_training.py JOB.json``."""

from __future__ import annotations

import json
import logging
import sys
from functools import partial
from pathlib import Path

import pytorch_lightning as lightning
import torch

from phytoscribe.errors import PhytoScribeError
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.configuration import config_from_settings
from phytoscribe.tokenizer.segments import Segmenter
from phytoscribe.training.data.training_set import TrainingSet
from phytoscribe.training.loop.callbacks import MetricsTable
from phytoscribe.training.loop.launch import run_on_ranks
from phytoscribe.training.loop.ranks import own_rank
from phytoscribe.training.loop.runs import train
from phytoscribe.training.loop.sampling import WindowOrder
from phytoscribe.training.loop.settings import RunSettings
from phytoscribe.training.tasks.structure.module import LossSettings, StructureModule
from phytoscribe.training.tasks.structure.windows import StructureDataset, collate_structure

STEPS, BATCH, CHECKPOINT_EVERY, WINDOW = 40, 4, 10, 1024


class Noted(StructureDataset):
    """Writes down which windows it was asked for."""

    def __init__(self, *given, path: Path) -> None:
        super().__init__(*given)
        self.path = path

    def __getitem__(self, index: int):
        with self.path.open("a") as handle:
            handle.write(f"{index}\n")
        return super().__getitem__(index)


def train_tiny(data: Path, folder: Path, devices: int, nodes: int, dropout: float) -> None:
    """Train in ``folder``/run and leave weights.pt; the windows that rank ``r`` read are in seen.r."""
    lightning.seed_everything(1, verbose=False)
    arrays, segmenter = TrainingSet.load(data / "training_set"), Segmenter(data / "tokens")
    numbers = {"size": "tiny", "dropout": dropout}
    model = AnnotationModel(config_from_settings(numbers, vocab_size=segmenter.vocabulary_size))
    settings = RunSettings(
        STEPS,
        BATCH,
        CHECKPOINT_EVERY,
        1e-3,
        warmup_steps=5,
        precision="float32",
        device="cpu",
        threads=1,
        devices=devices,
        nodes=nodes,
    )
    order = WindowOrder(arrays.contigs, WINDOW, 1)
    dataset = Noted(arrays, segmenter, order, 0.2, 1, path=folder / f"seen.{own_rank()}")
    table = MetricsTable(folder / "run" / "metrics.tsv")
    module = StructureModule(model, settings, LossSettings())
    train(module, dataset, collate_structure, settings, folder / "run", BATCH * WINDOW, table, [])
    if own_rank() == 0:
        torch.save(model.state_dict(), folder / "weights.pt")


def main(job: Path) -> None:
    given = json.loads(job.read_text())
    folder = Path(given["folder"])
    folder.mkdir(exist_ok=True)
    ranks = {"devices": given["devices"], "nodes": given["nodes"]}
    from tiny_training import train_tiny  # under its own name, by which ranks find it

    work = partial(train_tiny, Path(given["data"]), folder, **ranks, dropout=given["dropout"])
    run_on_ranks(work, ranks, folder / "run", 1)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    try:
        main(Path(sys.argv[1]))
    except PhytoScribeError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        raise SystemExit(1) from None
