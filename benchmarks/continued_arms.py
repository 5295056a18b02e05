"""Arms of the training recipe that continue a released model, judged on the validation regions of a training set alone.

    snakemake results/training_set/manifest.json --configfile config/release.yaml --cores 2
    python benchmarks/continued_arms.py --training-set results/training_set --config config/release.yaml --out arms \\
        --from-model resources/models/brassicales --steps 600 --seeds 1 2 3 \\
        [--species athaliana osativa ptrichocarpa] [--group osativa] [--only NAME ...]

All arms take the same number of steps over the same windows; a killed arm goes on from its last checkpoint, and one
that has finished is not run again.  Each network is judged by species (all that validate, or those named): by the
cross-entropy of its bases, and by a decoder fitted to the species' validation genes.  An F1 over 900 loci has a
standard error of 0.014, so the log likelihood of the genes under that decoder tells more than the F1 of its best paths.
Row ``start`` is the model that all arms begin with.  Writes OUT/continued_arms.tsv and prints mean and range over the
seeds.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import pandas as pd
import pytorch_lightning as lightning
import torch
from ablations import configuration_of, first_part, show

from phytoscribe.decoding.gene_regions import DecodedRegion
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.loading import trainable_parameters
from phytoscribe.training.data.training_set import TrainingSet
from phytoscribe.training.loop.runs import read_as_data
from phytoscribe.training.loop.settings import Recipe
from phytoscribe.training.tasks.structure.decoder_fit import decode_regions, fit_once
from phytoscribe.training.tasks.structure.lineage_fit import read_regions
from phytoscribe.training.tasks.structure.selection import cross_entropy
from phytoscribe.training.tasks.structure.start import load_start
from phytoscribe.training.tasks.structure.task import Finetuning

#: How far below the cut-off of splice sites starts and stops are candidates, if the start's decoder has none.
CODON_MARGIN = 2.0
#: Deviation of the routers' first weights: experts begin as copies, and only the router tells them apart.
ROUTER_DEVIATION = 0.02
START = "start"


#: What an arm trains by where it says nothing else: the recipe of the configuration without what the arms ask about.
PLAIN = {"mutation_rate": 0.0, "sequence_weight": 0.3}, {"size": "small", "dropout": 0.0}
#: What the recipe of the released weights has of it.
RELEASED = {"mutation_rate": 0.15, "sequence_weight": 2.0}, {"dropout": 0.1}


@dataclass(frozen=True)
class Arm:
    """What an arm changes: keys of the sections of the configuration.

    Attributes:
        experts: copies of each feed-forward layer that become its experts; 0 leaves the layers alone.
        data: share of each training contig that it sees, from the contig's start on.
    """

    question: str
    finetune: dict[str, Any] | None = None
    model: dict[str, Any] | None = None
    experts: int = 0
    data: float = 1.0


ARMS = {
    START: Arm("not trained"),
    "plain": Arm("nothing against overfitting, whole genes with a weight of 0.3"),
    "mutation": Arm("windows mutate", {"mutation_rate": 0.15}),
    "dropout": Arm("drop-out", model={"dropout": 0.1}),
    "whole-genes": Arm("whole genes weigh seven times as much", {"sequence_weight": 2.0}),
    "all": Arm("mutation, drop-out and whole genes", *RELEASED),
    "named-less": Arm("species and lineage withheld in half of the windows", {"unknown_share": 0.5}),
    "long-windows": Arm("half as many windows, twice as long", {"window": 18432, "batch_size": 2}),
    "experts": Arm("four experts in each feed-forward layer, of which two read a token", experts=4),
    "all-50": Arm("the same on the first half of each contig", *RELEASED, data=0.5),
    "all-25": Arm("the same on the first quarter of each contig", *RELEASED, data=0.25),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--training-set", type=Path, required=True)
    parser.add_argument("--config", type=Path, required=True, help="its finetune section is the recipe")
    parser.add_argument("--from-model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--species", nargs="*", help="by which arms are judged; all that validate if not given")
    parser.add_argument("--group", help="of the training set, to train on it alone; without it the recipe's mixture")
    parser.add_argument("--only", nargs="*", choices=list(ARMS), help="run these arms alone")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    given.out.mkdir(parents=True, exist_ok=True)
    table = given.out / "continued_arms.tsv"
    rows = pd.read_csv(table, sep="\t").to_dict("records") if table.exists() else []
    for seed in given.seeds:
        for name in given.only or ARMS:
            # The start has no seed.
            if any(row["arm"] == name and (name == START or row["seed"] == seed) for row in rows):
                continue
            trial = Trial(given, ARMS[name], given.out / f"{name}.{seed}", seed)
            trained = {} if name == START else trial.train()
            rows.append({"arm": name, "seed": seed, **trained, **trial.judge()})
            pd.DataFrame(rows).to_csv(table, sep="\t", index=False)
            print(json.dumps(rows[-1]), flush=True)
    found = pd.DataFrame(rows)
    measured = [name for name in found if name not in ("arm", "seed")]
    show(found, dict.fromkeys(measured, "{0:.4g} ({1:.4g} to {2:.4g})"), ARMS)


class Trial:
    """One arm with one seed."""

    def __init__(self, given: argparse.Namespace, arm: Arm, folder: Path, seed: int) -> None:
        self.data, self.folder = first_part(TrainingSet.load(given.training_set), arm.data), folder
        self.regions = [
            region
            for region in self.data.regions
            if region.genes and region.species in (given.species or [region.species])
        ]
        config = configuration_of(given.config)
        steps = {"steps": given.steps, "checkpoint_every": given.steps // 2, "validate_every": 2}
        steps["warmup_steps"] = min(config["finetune"]["warmup_steps"], given.steps // 10)
        # One short validation, at the end: the arms are judged here.
        task = {**config["finetune"], "device": "cpu", "validate_bases": 100_000, **PLAIN[0], **(arm.finetune or {})}
        if given.group:
            task["mixture"] = {"start": {given.group: 1.0}}
        self.recipe = Recipe({**task, **steps}, {**PLAIN[1], **(arm.model or {})}, config["training"], seed)
        lightning.seed_everything(seed, verbose=False)
        begin = load_start(given.from_model, self.data, self.recipe.model, "full")
        self.start = replace(begin, model=with_experts(begin.model, arm.experts)) if arm.experts else begin

    def train(self) -> dict[str, float]:
        """Train the arm; the average of its last weights is then the start's model.

        Returns:
            Steps, seconds of processor time of a step (of this run: a resumed one counts from its checkpoint), and
            numbers that learnt.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        began, learning = time.process_time(), trainable_parameters(self.start.model)
        selection = self._finetuning().train_network(self.start.decoders)
        seconds = time.process_time() - began
        self.start.model.load_state_dict(read_as_data(selection.best_path))
        steps = self.recipe.task["steps"]
        return {"steps": steps, "seconds_a_step": seconds / steps, "parameters": learning}

    def _finetuning(self) -> Finetuning:
        return Finetuning(self.data, self.start, self.recipe, self.folder, 1)

    def judge(self) -> dict[str, float]:
        """Cross-entropy, log likelihood of the genes (nats a base) and exact F1 of each species."""
        run = self._finetuning()
        run.start.model.eval()
        known = read_regions(run.predictor(), self.regions)
        found: dict[str, float] = {}
        for lineage, species in sorted({(region.lineage, region.species) for region in known}):
            own = [region for region in known if region.species == species]
            settings = self.start.decoders.of(lineage, species)
            settings = replace(settings, codon_margin=settings.codon_margin or CODON_MARGIN)
            found |= {f"{name}_{species}": value for name, value in judged(own, settings).items()}
        return found


def judged(regions: list[DecodedRegion], start: DecoderSettings) -> dict[str, float]:
    """What a network says of regions, by bases and with a decoder that is fitted to them."""
    fitted, report = fit_once(regions, start)
    figures = decode_regions(regions, fitted).figures
    return {
        "cross_entropy": cross_entropy(regions),
        "log_likelihood": report["log_likelihood_per_base"],
        "exon": figures["cds_exon_f1"],
        "locus": figures["locus_f1"],
    }


def with_experts(model: AnnotationModel, count: int) -> AnnotationModel:
    """The same network with copies of each feed-forward layer as its experts (sparse upcycling, arXiv:2212.05055)."""
    config = type(model.config).from_dict({**model.config.to_dict(), "expert_count": count})
    upcycled, given = AnnotationModel(config), model.state_dict()
    state = upcycled.state_dict()
    for name in state:
        before, experts, behind = name.partition(".experts.")
        source = f"{before}.{behind.partition('.')[2]}" if experts else name
        if source.endswith("router.weight"):
            torch.nn.init.normal_(state[name], std=ROUTER_DEVIATION)
        else:
            state[name].copy_(given[source])
    upcycled.load_state_dict(state)
    return upcycled


if __name__ == "__main__":
    main()
