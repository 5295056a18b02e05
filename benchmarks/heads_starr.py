"""Strength of core promoters (STARR-seq in tobacco leaves): what motifs and the structure model add to words.

    python benchmarks/heads_starr.py DATA WORK [--kind leaf|proto] [--model MODEL] [--network]

The rows of benchmarks/heads.md are printed.

DATA: the folder with promoter_activity/ (Jores et al. 2021, core promoters of 170 bases of A. thaliana, sorghum and
maize; the published test part, which is all that is here, so it is divided into five folds). WORK keeps the clusters
of CD-HIT-EST at 0.8 identity, each of which stays in one fold. Every row is a ridge regression on features that nothing
here changed; its penalty is chosen on the fold after the tested one. Neither the motifs nor the structure model have
seen the measurements. `--network` trains a small network of convolutions on the same folds, and asks what the features
add to its answer.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor, nn

from phytoscribe.evaluation.regression import bootstrap_weights, r_squared, value_and_interval
from phytoscribe.expression.baselines import Fitted, chosen_ridge
from phytoscribe.expression.features import gc_of, kmer_roots
from phytoscribe.genome import encode
from phytoscribe.genome.sequence import N_CODE
from phytoscribe.models.motif_stem import MotifStem
from phytoscribe.models.regulatory import load_head
from phytoscribe.prediction.expression import read_trunk_bins
from phytoscribe.prediction.trunk_cells import trunk_reader

RELEASED = Path(__file__).resolve().parents[1] / "resources" / "models" / "brassicales"
FOLDS, IDENTITY, SEED = 5, "0.8", 1
#: Bases that all sequences are brought to, a multiple of the bins of the structure model; N in front.
LENGTH = 200
REGIONS, LONGEST = 5, 4
#: The network: seeds whose mean is its answer, passes, promoters of a step, highest learning rate, channels.
SEEDS, PASSES, BATCH, RATE, CHANNELS = 3, 12, 32, 2e-3, 96
SPECIES = {"At": "A. thaliana", "Sb": "sorghum", "Zm": "maize"}
Features = npt.NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--kind", choices=["leaf", "proto"], default="leaf")
    parser.add_argument("--model", type=Path, default=RELEASED, help="structure model whose features are read")
    parser.add_argument("--network", action="store_true")
    given = parser.parse_args()
    table = pd.read_csv(given.data / "promoter_activity" / f"starrseq_{given.kind}.tsv.gz", sep="\t")
    clusters = clusters_of(table["sequence"], given.work / f"starr_{given.kind}")
    order = np.random.default_rng(SEED).permutation(clusters.max() + 1)
    folds = order[clusters] % FOLDS
    bases = np.stack([_padded(encode(sequence)) for sequence in table["sequence"]])
    species = pd.get_dummies(table["sp"]).to_numpy(np.float32, copy=True)
    composition = np.concatenate([species, gc_of(bases[:, None], LENGTH)], axis=1)
    words = kmer_roots(bases[:, None], REGIONS, LONGEST)
    head = load_head(RELEASED / "regulatory")[0].eval()
    motifs = stem_cells(head.stem, bases)
    torch.manual_seed(SEED)
    random = stem_cells(MotifStem(head.config.filters, head.config.motif, head.stem.cell), bases)
    network = trunk_reader(given.model, "cpu", 1, ("", ""))
    trunk = read_trunk_bins(network.network, bases[:, None], network.global_ids).astype(np.float32)
    trunk = trunk.reshape(len(bases), -1)
    rows = {
        "GC and species": [composition],
        "words of up to four bases in five regions": [composition, words],
        "motifs, random": [composition, random],
        "motifs of the released regulatory head": [composition, motifs],
        "features of the structure model": [composition, trunk],
        "words and motifs": [composition, words, motifs],
        "words and the structure model": [composition, words, trunk],
        "words, motifs and the structure model": [composition, words, motifs, trunk],
    }
    truth = table["enrichment"].to_numpy(float)
    weights = bootstrap_weights(clusters.tolist(), SEED)
    print(f"{len(table):,} promoters in {clusters.max() + 1:,} clusters\n")
    print("| features | R2 (95 %) | r | " + " | ".join(f"{name}, R2" for name in SPECIES.values()) + " |")
    print("|---|---|---|" + "---|" * len(SPECIES))
    draws = {}
    answers = {name: partial(predicted, np.concatenate(features, axis=1)) for name, features in rows.items()}
    if given.network:
        told = learned(bases, species, truth, folds)
        answers["the network"] = lambda truth, folds: told[folds, np.arange(len(truth))]
        beside = np.concatenate(rows["words and the structure model"], axis=1)
        answers["the network, words and the structure model"] = partial(beside_network, beside, told)
    for name, answer in answers.items():
        found = answer(truth, folds)
        draws[name] = r_squared(truth, found, weights)
        of_species = [
            r_squared(truth[own], found[own], weights[:, own])[0] for own in (table["sp"] == sp for sp in SPECIES)
        ]
        r = np.corrcoef(truth, found)[0, 1]
        cells = " | ".join(f"{value:.3f}" for value in of_species)
        print(f"| {name} | {_interval(draws[name])} | {r:.3f} | {cells} |", flush=True)
    print("\n| what it adds to words | R2 (95 %, paired) |\n|---|---|")
    before = draws["words of up to four bases in five regions"]
    for name, shown in (("words and motifs", "motifs"), ("words and the structure model", "the structure model")):
        print(f"| {shown} | {_interval(draws[name] - before, '+')} |")
    both = draws["words, motifs and the structure model"]
    print(f"| the structure model, where motifs are | {_interval(both - draws['words and motifs'], '+')} |")


def clusters_of(sequences: pd.Series, kept: Path) -> npt.NDArray[np.int64]:
    """Number of the cluster of each sequence, by CD-HIT-EST, from the kept file if there is one."""
    members = kept.with_suffix(".clstr")
    if not members.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        fasta = kept.with_suffix(".fa")
        fasta.write_text("".join(f">{place}\n{sequence}\n" for place, sequence in enumerate(sequences)))
        command = ["cd-hit-est", "-i", fasta, "-o", kept, "-c", IDENTITY, "-n", "5", "-d", "0", "-T", "1"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    clusters, number = np.full(len(sequences), -1), -1
    for line in members.read_text().splitlines():
        if line.startswith(">"):
            number += 1
        else:
            clusters[int(line.partition(">")[2].partition("...")[0])] = number
    return clusters


def _padded(codes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.concatenate([np.full(LENGTH - codes.size, N_CODE, dtype=np.uint8), codes])


def stem_cells(stem: MotifStem, bases: npt.NDArray[np.uint8]) -> Features:
    """Best match of each motif in each cell of ten bases, (promoters, cells * motifs), without cells of N alone."""
    with torch.inference_mode():
        parts = [stem(torch.from_numpy(part.astype(np.int64))) for part in np.array_split(bases, 20)]
    cells = torch.cat(parts).numpy()
    return cells[:, np.flatnonzero((bases != N_CODE).any(axis=0).reshape(-1, stem.cell).any(axis=1))].reshape(
        len(bases), -1
    )


def predicted(features: Features, truth: npt.NDArray[np.float64], folds: npt.NDArray[np.int64]) -> npt.NDArray:
    """Prediction of each promoter by a ridge that learned from other folds."""
    found = np.empty(len(truth))
    for fold in range(FOLDS):
        test, validate = folds == fold, folds == (fold + 1) % FOLDS
        found[test] = ridge_of(features, truth, ~test & ~validate, validate)(features[test])[:, 0]
    return found


def ridge_of(
    features: Features, truth: npt.NDArray[np.float64], train: npt.NDArray[np.bool_], validate: npt.NDArray[np.bool_]
) -> Fitted:
    """A ridge with the penalty that is best on the validation promoters."""
    return chosen_ridge(*((features[own], truth[own, None]) for own in (train, validate)))[0]


class Convolutions(nn.Module):
    """Strength of promoters, standardised, from bases and species: two convolutions, and a layer that sees places."""

    def __init__(self, species: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(N_CODE, CHANNELS, 13, padding="same")
        self.second = nn.Conv1d(CHANNELS, CHANNELS, 7, padding="same")
        self.drop, self.norms = nn.Dropout(0.3), nn.ModuleList(nn.BatchNorm1d(CHANNELS) for _ in range(2))
        self.dense = nn.Linear(CHANNELS * (LENGTH // 20), 64)
        self.answer = nn.Linear(64 + species, 1)

    def forward(self, bases: Tensor, species: Tensor) -> Tensor:
        one_hot = nn.functional.one_hot(bases, N_CODE + 1)[..., :N_CODE].float().transpose(1, 2)
        cells = nn.functional.max_pool1d(nn.functional.elu(self.norms[0](self.first(one_hot))), 5)
        cells = nn.functional.max_pool1d(nn.functional.elu(self.norms[1](self.second(self.drop(cells)))), 4)
        whole = nn.functional.elu(self.dense(self.drop(cells.flatten(1))))
        return self.answer(torch.cat([self.drop(whole), species], dim=1))[:, 0]


def learned(
    bases: npt.NDArray[np.uint8], species: Features, truth: npt.NDArray[np.float64], folds: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Predictions of all promoters by the networks of each tested fold, which learned from three others, (folds,
    promoters); the pass is chosen on the fold after the tested one."""
    inputs, found = (torch.from_numpy(bases.astype(np.int64)), torch.from_numpy(species)), []
    for fold in range(FOLDS):
        validate = folds == (fold + 1) % FOLDS
        train = (folds != fold) & ~validate
        seeds = []
        for seed in range(SEED, SEED + SEEDS):
            score, number, answer = trained(inputs, truth, train, validate, seed)
            print(f"fold {fold}, seed {seed}: R2 of the validation fold {score:.3f}, pass {number}", file=sys.stderr)
            seeds.append(answer)
        found.append(np.mean(seeds, axis=0))
    return np.stack(found)


def trained(
    inputs: tuple[Tensor, Tensor],
    truth: npt.NDArray[np.float64],
    train: npt.NDArray[np.bool_],
    validate: npt.NDArray[np.bool_],
    seed: int,
) -> tuple[float, int, npt.NDArray[np.float64]]:
    """R2 of the validation promoters after the best pass, its number, and the predictions of all promoters then."""
    torch.manual_seed(seed)
    network, own = Convolutions(inputs[1].shape[1]), np.flatnonzero(train)
    middle, spread = truth[own].mean(), truth[own].std()
    wanted = torch.from_numpy((truth - middle) / spread).float()
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, PASSES * -(-len(own) // BATCH))
    order, one = np.random.default_rng(seed), np.ones((1, validate.sum()))
    best: tuple[float, int, npt.NDArray[np.float64]] = (-np.inf, 0, np.empty(0))
    for number in range(1, PASSES + 1):
        network.train()
        for rows in torch.from_numpy(order.permutation(own)).split(BATCH):
            loss = nn.functional.mse_loss(network(*(x[rows] for x in inputs)), wanted[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        network.eval()
        with torch.inference_mode():
            parts = zip(*(x.split(500) for x in inputs), strict=True)
            answer = torch.cat([network(*part) for part in parts]).double().numpy() * spread + middle
        score = float(r_squared(truth[validate], answer[validate], one)[0])
        best = max(best, (score, number, answer), key=lambda found: found[0])
    return best


def beside_network(
    features: Features,
    network: npt.NDArray[np.float64],
    truth: npt.NDArray[np.float64],
    folds: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """Mean of the network's and a ridge's prediction, in the proportion that is best on the validation fold."""
    found = np.empty(len(truth))
    for fold in range(FOLDS):
        test, validate = folds == fold, folds == (fold + 1) % FOLDS
        both = ridge_of(features, truth, ~test & ~validate, validate)(features)[:, 0], network[fold]
        shares = np.linspace(0, 1, 21)
        mixed = [share * both[0] + (1 - share) * both[1] for share in shares]
        errors = [np.square(truth - one)[validate].mean() for one in mixed]
        found[test] = mixed[int(np.argmin(errors))][test]
    return found


def _interval(draws: npt.NDArray, sign: str = "") -> str:
    value, low, high = value_and_interval(draws)
    return f"{value:{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


if __name__ == "__main__":
    main()
