"""Arms of the training recipe at equal processor time, judged on the validation regions of a training set alone.

    snakemake results/training_set/manifest.json results/tokenizer/corpus.txt --configfile CONFIG
    python benchmarks/ablations.py --training-set results/training_set --corpus results/tokenizer/corpus.txt \
        --out arms --minutes 10 --seeds 1 2 3 [--only NAME ...] [--config CONFIG]

Each arm trains from random weights by the workflow's own functions.  What a step of each arm costs is measured before
the first training (the median of three rounds, kept in OUT/costs.json), so that an arm takes the same number of steps
with every seed, whatever else the machine does; an arm with pretraining spends a part of the same minutes on it.  All
arms of a run are judged with one decoder, so F1 compares arms, not products.  An arm that has finished is not run
again.  Writes OUT/ablations.tsv and prints mean and range over the seeds.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import numpy as np
import pandas as pd
import yaml

from phytoscribe.configuration.schema import fill_defaults, load_schema
from phytoscribe.decoding.settings import Decoders
from phytoscribe.tokenizer.training import make_tokenizer
from phytoscribe.training.data.training_set import TrainingSet
from phytoscribe.training.loop.settings import Recipe
from phytoscribe.training.tasks.masked_tokens.task import run_pretraining
from phytoscribe.training.tasks.structure.start import load_start
from phytoscribe.training.tasks.structure.task import Finetuning

ROOT = Path(__file__).resolve().parents[1]

#: Steps that are timed to find out how many fit into the arm's minutes; the first ones are slow and do not count.
TIMED_STEPS, UNTIMED_STEPS, ROUNDS = 20, 5, 3
SHOWN = ["cross_entropy", "donor_ap", "acceptor_ap", "base_f1", "cds_exon_f1", "locus_f1"]


@dataclass(frozen=True)
class Arm:
    """What an arm asks, and what it changes.

    Attributes:
        pretrain_share: part of its time that pretraining takes.
        time: its time, in shares of the other arms'.
        data: share of each training contig that it sees, from the contig's start on.
        finetune, pretrain, model: keys of these sections of the configuration.
    """

    question: str
    tokenizer: str = "kmer"
    pretrain_share: float = 0.0
    time: float = 1.0
    data: float = 1.0
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
    "kmer-half": Arm("6-mers, random weights, half of the time", time=0.5),
    "kmer-tokens-half": Arm("6-mers, half of the time for masked tokens", "kmer", 0.5),
    "kmer-bases-half": Arm("6-mers, half of the time for hidden bases", "kmer", 0.5, pretrain={"objective": "bases"}),
    "kmer-bases": Arm("6-mers, a quarter of the time for hidden bases", "kmer", 0.25, pretrain={"objective": "bases"}),
    "bpe-bases": Arm("BPE, a quarter of the time for hidden bases", "bpe", 0.25, pretrain={"objective": "bases"}),
    "boundary-1": Arm("boundary states weigh like others", finetune={"boundary_weight": 1}),
    "no-f1": Arm("no coding F1 in the loss", finetune={"f1_weight": 0}),
    "no-sites": Arm("no loss on the site head", finetune={"site_weight": 0}),
    "no-content": Arm("no coding statistics as input", model={"content_length": 2}),
    "no-attention": Arm("convolutions only", model={"attention_every": 99}),
    "window-18432": Arm("windows of twice the length", finetune={"window": 18432, "batch_size": 1}),
    "dropout": Arm("drop-out of 0.1 in the encoder", model={"dropout": 0.1}),
    "data-25": Arm("the first quarter of each contig", data=0.25),
    "data-50": Arm("the first half of each contig", data=0.5),
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
    parser.add_argument("--config", type=Path, help="configuration whose finetune section replaces the defaults")
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    given.out.mkdir(parents=True, exist_ok=True)
    chosen = given.only or list(ARMS)
    costs = measured_costs(given, chosen, given.out / "costs.json")
    table = given.out / "ablations.tsv"
    rows = pd.read_csv(table, sep="\t").to_dict("records") if table.exists() else []
    for seed in given.seeds:
        for name in chosen:
            if any((row["arm"], row["seed"]) == (name, seed) for row in rows):
                continue
            found = Trial(given, ARMS[name], given.out / f"{name}.{seed}", seed).run(*costs[name])
            rows.append({"arm": name, "seed": seed, **found})
            pd.DataFrame(rows).to_csv(table, sep="\t", index=False)
            print(json.dumps(rows[-1]), flush=True)
    show(pd.DataFrame(rows), {"steps": "{0:.0f}"} | dict.fromkeys(SHOWN, "{0:.3f} ({1:.3f}-{2:.3f})"), ARMS)


class Trial:
    """One arm with one seed.

    Args:
        folder: its tokenizer, encoder and model.
        validated: bases of the validation regions that are decoded at the end.
    """

    def __init__(
        self, given: argparse.Namespace, arm: Arm, folder: Path, seed: int, validated: int = 10_000_000
    ) -> None:
        self.given, self.arm, self.folder, self.validated = given, arm, folder, validated
        self.data, self.tokenizer = first_part(TrainingSet.load(given.training_set), arm.data), folder / "tokenizer"
        species, lineages = (list(dict.fromkeys(self.data.contigs[column])) for column in ("species", "lineage"))
        make_tokenizer(arm.tokenizer, given.corpus, 4096, 6, species, lineages).save_pretrained(self.tokenizer)
        self.pretraining = recipe_of("pretrain", arm, seed, given.config)
        self.finetuning = recipe_of("finetune", arm, seed, given.config)

    def pretrain(self, steps: int, target: Path) -> None:
        run_folder = target.with_suffix(".run")
        recipe = of_steps(self.pretraining, steps)
        run_pretraining(self.given.training_set, self.tokenizer, self.given.corpus, recipe, [], run_folder, target, 1)

    def train(self, steps: int, target: Path, start: Path | None = None) -> None:
        target.mkdir(parents=True, exist_ok=True)
        begin = load_start(start or self.tokenizer, self.data, self.finetuning.model, "full")
        decoders = Decoders.load(self.given.decoder)
        recipe = of_steps(self.finetuning, steps)
        recipe.task["validate_bases"] = self.validated
        Finetuning(self.data, begin, recipe, target, 1).train_network(decoders)

    def run(self, step: float, pretraining_step: float) -> dict[str, float]:
        """Train for the arm's time.

        Args:
            step, pretraining_step: seconds of processor time.

        Returns:
            Steps, and what the last validation found.
        """
        seconds, start, found = 60 * self.given.minutes * self.arm.time, None, {}
        if self.arm.pretrain_share:
            start = self.folder / "pretrained"
            found["pretrain_steps"] = int(seconds * self.arm.pretrain_share / pretraining_step)
            self.pretrain(found["pretrain_steps"], start)
        found["steps"] = int(seconds * (1 - self.arm.pretrain_share) / step)
        self.train(found["steps"], self.folder / "trained", start)
        metrics = pd.read_csv(self.folder / "trained" / "metrics.tsv", sep="\t").set_index("name")["value"]
        return found | {
            name.removeprefix("validation_"): v for name, v in metrics.items() if name.startswith("validation_")
        }


def measured_costs(given: argparse.Namespace, names: list[str], path: Path) -> dict[str, tuple[float, float]]:
    """Seconds of processor time of a step of training and of pretraining (0 without it), by arm.

    Arms whose steps compute the same have one cost, the median of all their rounds.
    """
    costs = json.loads(path.read_text()) if path.exists() else {}
    trials = {name: Trial(given, ARMS[name], given.out / "timed" / name, 1, 50_000) for name in names}
    parts = {name: [str((trial.arm.tokenizer, trial.arm.model, trial.arm.finetune))] for name, trial in trials.items()}
    for name, trial in trials.items():
        if trial.arm.pretrain_share:
            parts[name].append(str((trial.arm.tokenizer, trial.arm.model, trial.arm.pretrain, "pretraining")))
    rounds: dict[str, list[float]] = {part: [] for own in parts.values() for part in own if part not in costs}
    for _ in range(ROUNDS):
        for name, trial in trials.items():
            for part, train in zip(parts[name], (trial.train, trial.pretrain), strict=False):
                if part in rounds:
                    rounds[part].append(seconds_a_step(train, trial.folder / train.__name__))
    costs |= {part: float(np.median(found)) for part, found in rounds.items()}
    path.write_text(json.dumps(costs, indent=2) + "\n")
    return {name: (costs[own[0]], costs[own[1]] if own[1:] else 0.0) for name, own in parts.items()}


def first_part(data: TrainingSet, share: float) -> TrainingSet:
    """The training set with only the first ``share`` of each contig."""
    lengths = np.ceil(share * data.contigs["length"]).astype("int64")
    return replace(data, contigs=data.contigs.assign(length=lengths))


def configuration_of(path: Path | None) -> dict[str, Any]:
    """The defaults of the configuration, with the ``finetune`` section of a configuration file."""
    given = yaml.safe_load(path.read_text(encoding="utf-8")) if path else {}
    sections = {"genomes": [], "finetune": given.get("finetune", {})}
    return fill_defaults(sections, load_schema(ROOT / "workflow/schemas/config.schema.yaml"))


def recipe_of(section: str, arm: Arm, seed: int, path: Path | None = None) -> Recipe:
    """The recipe of a configuration with what the arm changes; small batches, as on one core."""
    config = configuration_of(path)
    small = {"batch_size": 2, "device": "cpu", "sequence_weight": 0.0} if section == "finetune" else {"batch_size": 4}
    changed = (arm.finetune if section == "finetune" else arm.pretrain) or {}
    model = {"size": "small", **(arm.model or {})}
    return Recipe({**config[section], **small, **changed}, model, config["training"], seed)


def of_steps(recipe: Recipe, steps: int) -> Recipe:
    """The same recipe with so many steps and one validation, at the end; short runs warm up for less."""
    warmup = min(recipe.task["warmup_steps"], max(1, steps // 10))
    run = {"steps": steps, "checkpoint_every": steps, "validate_every": 1, "warmup_steps": warmup}
    return replace(recipe, task={**recipe.task, **{name: v for name, v in run.items() if name in recipe.task}})


def seconds_a_step(train: Callable[[int, Path], None], folder: Path) -> float:
    """Processor time of a step: what comes with any run, such as its validation, costs two short runs the same."""
    marks = []
    for steps in (UNTIMED_STEPS, TIMED_STEPS + UNTIMED_STEPS):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(folder.with_suffix(".run"), ignore_errors=True)
        began = time.process_time()
        train(steps, folder)
        marks.append(time.process_time() - began)
    return (marks[1] - marks[0]) / TIMED_STEPS


def show(rows: pd.DataFrame, columns: Mapping[str, str], arms: Mapping[str, Any]) -> None:
    """Print the arms.

    Args:
        columns: names, and how mean, least and largest value over the seeds are written.
        arms: by name, with the ``question`` that each asks.
    """
    print("| arm | seeds | " + " | ".join(columns) + " | what differs |")
    print("|---|" + "---|" * (len(columns) + 2))
    for name, group in rows.groupby("arm", sort=False):
        cells = [form.format(group[c].mean(), group[c].min(), group[c].max()) for c, form in columns.items()]
        print(f"| {name} | {len(group)} | {' | '.join(cells)} | {arms[name].question} |")


if __name__ == "__main__":
    main()
