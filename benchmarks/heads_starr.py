"""Strength of core promoters (STARR-seq in tobacco leaves): what motifs and the structure model add to words.

    python benchmarks/heads_starr.py DATA WORK [--kind leaf|proto] [--model MODEL]    # rows for benchmarks/heads.md

DATA: the folder with promoter_activity/ (Jores et al. 2021, core promoters of 170 bases of A. thaliana, sorghum and
maize; the published test part, which is all that is here, so it is divided into five folds). WORK keeps the clusters
of CD-HIT-EST at 0.8 identity, each of which stays in one fold. Every row is a ridge regression on features that nothing
here changed; its penalty is chosen on the fold after the tested one. Neither the motifs nor the structure model have
seen the measurements.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from phytoscribe.evaluation.regression import bootstrap_weights, r_squared, value_and_interval
from phytoscribe.expression.baselines import chosen_ridge
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
SPECIES = {"At": "A. thaliana", "Sb": "sorghum", "Zm": "maize"}
Features = npt.NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--kind", choices=["leaf", "proto"], default="leaf")
    parser.add_argument("--model", type=Path, default=RELEASED, help="structure model whose features are read")
    given = parser.parse_args()
    table = pd.read_csv(given.data / "promoter_activity" / f"starrseq_{given.kind}.tsv.gz", sep="\t")
    clusters = clusters_of(table["sequence"], given.work / f"starr_{given.kind}")
    order = np.random.default_rng(SEED).permutation(clusters.max() + 1)
    folds = order[clusters] % FOLDS
    bases = np.stack([_padded(encode(sequence)) for sequence in table["sequence"]])
    species = pd.get_dummies(table["sp"]).to_numpy(np.float32)
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
    for name, features in rows.items():
        found = predicted(np.concatenate(features, axis=1), truth, folds)
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
        train = ~test & ~validate
        model, _ = chosen_ridge(*((features[own], truth[own, None]) for own in (train, validate)))
        found[test] = model(features[test])[:, 0]
    return found


def _interval(draws: npt.NDArray, sign: str = "") -> str:
    value, low, high = value_and_interval(draws)
    return f"{value:{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


if __name__ == "__main__":
    main()
