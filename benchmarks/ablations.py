"""Arms of the training recipe at equal processor time, judged on the validation regions of a training set alone.

    snakemake results/training_set/manifest.json results/tokenizer/corpus.txt --configfile CONFIG
    python benchmarks/ablations.py --training-set results/training_set --corpus results/tokenizer/corpus.txt \
        --out arms --minutes 10 --seeds 1 2 3 [--only NAME ...]

Each arm trains from random weights by the workflow's own functions.  How many steps fit into its minutes of processor
time is measured first; an arm with pretraining spends a part of the same minutes on it.  All arms of a run are judged
with one decoder, so F1 compares arms, not products.  An arm that has finished is not run again.  Writes
OUT/ablations.tsv and prints mean and range over the seeds.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import pandas as pd

from phytoscribe.configuration.schema import fill_defaults, load_schema
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.tokenizer.training import make_tokenizer
from phytoscribe.training.data.training_set import TrainingSet
from phytoscribe.training.loop.recipe import Recipe
from phytoscribe.training.tasks.masked_tokens.task import run_pretraining
from phytoscribe.training.tasks.structure.start import load_start
from phytoscribe.training.tasks.structure.task import Finetuning

ROOT = Path(__file__).resolve().parents[1]

#: Steps that are timed to find out how many fit into the arm's minutes; the first ones are slow and do not count.
TIMED_STEPS, UNTIMED_STEPS = 20, 5
SHOWN = ["cross_entropy", "donor_ap", "acceptor_ap", "base_f1", "cds_exon_f1", "locus_f1"]


@dataclass(frozen=True)
class Arm:
    """What an arm asks, and what it changes.

    Attributes:
        pretrain_share: part of its time that pretraining takes.
        finetune, pretrain, model: keys of these sections of the configuration.
    """

    question: str
    tokenizer: str = "kmer"
    pretrain_share: float = 0.0
    finetune: dict[str, Any] | None = None
    pretrain: dict[str, Any] | None = None
    model: dict[str, Any] | None = None


ARMS = {
    "kmer": Arm("6-mers, random weights"),
    "bpe": Arm("BPE of 4,096 tokens, random weights", "bpe"),
    "kmer-pretrained": Arm("6-mers, a quarter of the time for masked tokens", "kmer", 0.25),
    "bpe-pretrained": Arm("BPE, a quarter of the time for masked tokens", "bpe", 0.25),
    "kmer-pretrained-slow": Arm(
        "the same with 6-mers, and a third of the rate for the encoder", "kmer", 0.25, {"encoder_rate": 0.33}
    ),
    "boundary-1": Arm("boundary states weigh like others", finetune={"boundary_weight": 1}),
    "no-f1": Arm("no coding F1 in the loss", finetune={"f1_weight": 0}),
    "no-sites": Arm("no loss on the site head", finetune={"site_weight": 0}),
    "no-content": Arm("no coding statistics as input", model={"content_length": 2}),
    "no-attention": Arm("convolutions only", model={"attention_every": 99}),
    "window-18432": Arm("windows of twice the length", finetune={"window": 18432, "batch_size": 1}),
    "dropout": Arm("drop-out of 0.1 in the encoder", model={"dropout": 0.1}),
    "no-average": Arm("the last weights, not their average", finetune={"average": 0.0}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--training-set", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=10, help="of processor time for an arm's training")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--only", nargs="*", choices=list(ARMS), help="run these arms alone")
    parser.add_argument("--decoder", type=Path, default=ROOT / "resources/models/brassicales/decoder.json")
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    table = given.out / "ablations.tsv"
    rows = pd.read_csv(table, sep="\t").to_dict("records") if table.exists() else []
    for seed in given.seeds:
        for name in given.only or ARMS:
            if any((row["arm"], row["seed"]) == (name, seed) for row in rows):
                continue
            rows.append({"arm": name, "seed": seed, **run_arm(given, ARMS[name], given.out / f"{name}.{seed}", seed)})
            given.out.mkdir(parents=True, exist_ok=True)
            pd.DataFrame(rows).to_csv(table, sep="\t", index=False)
            print(json.dumps(rows[-1]), flush=True)
    show(pd.DataFrame(rows))


def run_arm(given: argparse.Namespace, arm: Arm, folder: Path, seed: int) -> dict[str, float]:
    """Train an arm; its steps and what its last validation found."""
    data, tokenizer = TrainingSet.load(given.training_set), folder / "tokenizer"
    species, lineages = (list(dict.fromkeys(data.contigs[column])) for column in ("species", "lineage"))
    make_tokenizer(arm.tokenizer, given.corpus, 4096, 6, species, lineages).save_pretrained(tokenizer)
    decoder, seconds = DecoderSettings.load(given.decoder), 60 * given.minutes
    pretraining, finetuning = recipe_of("pretrain", arm, seed), recipe_of("finetune", arm, seed)

    def pretrain(steps: int, target: Path) -> None:
        recipe = of_steps(pretraining, steps)
        run_pretraining(given.training_set, tokenizer, given.corpus, recipe, [], target.with_suffix(".run"), target, 1)

    def train(steps: int, target: Path) -> None:
        target.mkdir(parents=True, exist_ok=True)
        begin = load_start(start, data, finetuning.model, "full")
        Finetuning(data, begin, of_steps(finetuning, steps), target, 1).train_network(decoder)

    start, found = tokenizer, {}
    if arm.pretrain_share:
        start = folder / "pretrained"
        found["pretrain_steps"] = fitting_steps(pretrain, folder / "timed", seconds * arm.pretrain_share)
        pretrain(found["pretrain_steps"], start)
    found["steps"] = fitting_steps(train, folder / "timed", seconds * (1 - arm.pretrain_share))
    train(found["steps"], folder / "trained")
    metrics = pd.read_csv(folder / "trained" / "metrics.tsv", sep="\t").set_index("name")["value"]
    return found | {
        name.removeprefix("validation_"): v for name, v in metrics.items() if name.startswith("validation_")
    }


def recipe_of(section: str, arm: Arm, seed: int) -> Recipe:
    """The defaults of the configuration with what the arm changes; small batches, as on one core."""
    config = fill_defaults({"genomes": []}, load_schema(ROOT / "workflow/schemas/config.schema.yaml"))
    small = {"batch_size": 2, "device": "cpu", "sequence_weight": 0.0} if section == "finetune" else {"batch_size": 4}
    changed = (arm.finetune if section == "finetune" else arm.pretrain) or {}
    model = {"size": "small", **(arm.model or {})}
    return Recipe({**config[section], **small, **changed}, model, config["training"], seed)


def of_steps(recipe: Recipe, steps: int) -> Recipe:
    """The same recipe with so many steps and one validation, at the end; short runs warm up for less."""
    warmup = min(recipe.task["warmup_steps"], max(1, steps // 10))
    run = {"steps": steps, "checkpoint_every": steps, "validate_every": 1, "warmup_steps": warmup}
    return replace(recipe, task={**recipe.task, **{name: v for name, v in run.items() if name in recipe.task}})


def fitting_steps(train: Callable[[int, Path], None], folder: Path, seconds: float) -> int:
    """Steps that fit into so much processor time: validation costs both short runs the same, and falls out."""
    marks = []
    for steps in (UNTIMED_STEPS, TIMED_STEPS + UNTIMED_STEPS):
        began = time.process_time()
        train(steps, folder / f"{train.__name__}.{steps}")
        marks.append(time.process_time() - began)
    return max(UNTIMED_STEPS, int(seconds / max(1e-6, (marks[1] - marks[0]) / TIMED_STEPS)))


def show(rows: pd.DataFrame) -> None:
    """Mean over the seeds, and the range in brackets."""
    print("| arm | seeds | steps | " + " | ".join(SHOWN) + " | what differs |")
    print("|---|" + "---|" * (len(SHOWN) + 3))
    for name, group in rows.groupby("arm", sort=False):
        cells = [f"{group[c].mean():.3f} ({group[c].min():.3f}-{group[c].max():.3f})" for c in SHOWN]
        print(f"| {name} | {len(group)} | {group['steps'].mean():.0f} | {' | '.join(cells)} | {ARMS[name].question} |")


if __name__ == "__main__":
    main()
