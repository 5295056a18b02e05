"""The model folder that a fine-tuning leaves."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.files import atomic_path
from phytoscribe.models.annotation_model import AnnotationModel

#: Names of the numbers that weights are saved in.
SAVED = {"float32": torch.float32, "float16": torch.float16}


def export(
    model: AnnotationModel,
    decoder: DecoderSettings,
    tokenizer_folder: Path,
    run_folder: Path,
    load_report: Mapping[str, Any],
    summary: dict[str, Any],
    target: Path,
    saved_as: str = "float32",
) -> None:
    """Write the model folder; ``target`` appears complete or not at all.

    Args:
        load_report, summary: joined to ``load_report.json``.
        saved_as: numbers of the weights; half precision halves the folder.
    """
    with atomic_path(target) as folder:
        folder.mkdir()
        model.to("cpu", SAVED[saved_as]).save_pretrained(folder)
        # Readable like every other output: the weights are written for their owner alone.
        (folder / "model.safetensors").chmod((folder / "config.json").stat().st_mode)
        decoder.save(folder / "decoder.json")
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(tokenizer_folder / name, folder / name)
        shutil.copyfile(run_folder / "metrics.tsv", folder / "metrics.tsv")
        report = {**load_report, **summary}
        (folder / "load_report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
