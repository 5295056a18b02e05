"""Train the structure model from a folder that was carried here, without Snakemake and the genomes.

It needs PyTorch, Lightning, transformers, peft, numba, SciPy and pandas.

    snakemake results/carried/recipe.json          # on the machine that has the genomes
    python tools/train_carried.py results/carried --out run

What is trained, and how, is the configuration's; ``--set`` changes single keys of its section `finetune`, for example
``--set batch_size=64 window=18432``.  The same command goes on where a former one was stopped.  The output folder holds
the run's checkpoints (``run/``) and, once all steps are done, the model folder (``model/``).  ``--minutes`` ends a call
early, with its state saved.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

from phytoscribe.configuration.schema import load_schema, schema_mistakes
from phytoscribe.errors import PhytoScribeError, StoppedError
from phytoscribe.training.data.training_set import PACKED, unpack_training_set
from phytoscribe.training.loop.launch import run_on_ranks
from phytoscribe.training.loop.settings import Recipe

SCHEMA = Path(__file__).resolve().parents[1] / "workflow" / "schemas" / "config.schema.yaml"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("carried", type=Path, help="folder of rule carry_training")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="keys of `finetune`, values as JSON")
    parser.add_argument("--devices", type=int, help="processes, one a GPU; those of the configuration if not given")
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    parser.add_argument("--minutes", type=float, help="stop after so long; the same command goes on")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    try:
        train(given)
    except StoppedError as stopped:
        print(stopped, file=sys.stderr)
    except PhytoScribeError as error:
        print(f"train_carried: {error}", file=sys.stderr)
        return 1
    return 0


def train(given: argparse.Namespace) -> None:
    """Unpack the training set beside the run, once, and train."""
    from functools import partial

    from phytoscribe.training.tasks.structure.task import run_finetuning

    recipe = recipe_of(given)
    training_set, start = given.out / "training_set", given.carried / "start"
    if not training_set.is_dir():
        unpack_training_set(given.carried / "training_set", training_set)
    if given.minutes:
        timer = threading.Timer(60 * given.minutes, os.kill, (os.getpid(), signal.SIGTERM))
        timer.daemon = True
        timer.start()
    inputs = [given.carried / "training_set" / PACKED, *sorted(start.iterdir())]
    run_folder, target = given.out / "run", given.out / "model"
    work = partial(run_finetuning, training_set, start, recipe, inputs, run_folder, target, given.threads)
    run_on_ranks(work, recipe.training, run_folder, given.threads)


def recipe_of(given: argparse.Namespace) -> Recipe:
    """The carried recipe with what the command line changes.

    Raises:
        PhytoScribeError: a key that the section does not have, or a value that it cannot have.
    """
    carried = json.loads((given.carried / "recipe.json").read_text(encoding="utf-8"))
    changed: dict[str, Any] = {}
    for item in given.set:
        key, _, value = item.partition("=")
        if key not in carried["task"] and key != "mixture":
            raise PhytoScribeError(f"--set {item}: finetune has no key {key!r}; it has {', '.join(carried['task'])}")
        try:
            changed[key] = json.loads(value)
        except json.JSONDecodeError:
            changed[key] = value
    schema = load_schema(SCHEMA)
    section = {"properties": {"finetune": schema["properties"]["finetune"]}, "$defs": schema["$defs"]}
    if mistakes := schema_mistakes({"finetune": {**carried["task"], **changed}}, section):
        raise PhytoScribeError(f"--set: {'; '.join(mistakes)}")
    training = {**carried["training"], **({"devices": given.devices} if given.devices else {})}
    return Recipe({**carried["task"], **changed}, carried["model"], training, carried["seed"])


if __name__ == "__main__":
    raise SystemExit(main())
