"""The regulatory head on whole chromosome 1 of A. thaliana: 387 factors (DAP-seq) and 3 samples of open chromatin.

    python benchmarks/heads.py prepare DATA FOLDER         # DATA: the folder with regulatory/ and athaliana_chr1/
    python benchmarks/heads.py trunk FOLDER            # features of the released model, for --encoder frozen
    python benchmarks/heads.py train FOLDER [--encoder none|frozen] [--seed N] [--set KEY=VALUE ...]   # a head
    python benchmarks/heads.py score FOLDER [HEAD ...]     # heads by the names of their folders; prints the table
    python benchmarks/heads.py release FOLDER HEAD         # the factors alone, into resources/models

Bins of 200 bases; positive if a summit lies in the bin. Trained on 0-22 Mb, chosen and calibrated on 22-24.5 Mb, tested
on 24.5-30.4 Mb, where every bin counts. benchmarks/heads.md shows the result.
"""

from __future__ import annotations

import argparse
import gzip
import logging
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import numpy as np
import pandas as pd
import yaml

from phytoscribe.genome.fasta import check_fasta, write_index
from phytoscribe.models.regulatory import Calibration, RegulatoryHead, load_head, save_head
from phytoscribe.prediction.trunk_cells import write_trunk_cells
from phytoscribe.prediction.windows import PredictionSettings
from phytoscribe.regulatory.peaks import read_peaks
from phytoscribe.splits.parts import TEST, TRAIN, VALIDATE, PartInterval, Parts, write_parts
from phytoscribe.training.loop.settings import Recipe
from phytoscribe.training.tasks.regulatory.scores import score_heads
from phytoscribe.training.tasks.regulatory.task import run_regulatory_training

ROOT = Path(__file__).resolve().parents[1]
CONTIG = "Chr1_full"
#: Where validation and test begin.
EDGES = (22_000_000, 24_500_000)
#: Open chromatin: the best of the many wide intervals of each sample, by score (regulatory/SOURCES.md says why).
BEST = 6000
SAMPLES = ("seedling", "root", "crude")


def prepare(data: Path, folder: Path) -> None:
    """Sequence, peaks and blocks."""
    folder.mkdir(parents=True, exist_ok=True)
    fasta = folder / f"{CONTIG}.fa"
    check_fasta(data / "athaliana_chr1" / "genome.fa.gz", fasta)
    contigs = write_index(fasta, Path(f"{fasta}.fai"))
    bed = folder / "peaks.bed"
    with bed.open("w", encoding="utf-8") as out:
        for part in ("Chr1a", "Chr1b"):
            with gzip.open(data / "regulatory" / "athaliana_dap" / f"{part}.bed.gz", "rt") as lines:
                for line in lines:
                    _, summit, factor, *_ = line.rstrip("\n").split("\t")
                    out.write(f"{CONTIG}\t{summit}\t{int(summit) + 1}\t{factor}\n")
        for sample in SAMPLES:
            with gzip.open(data / "regulatory" / f"athaliana_atac_{sample}.bed.gz", "rt") as lines:
                rows = [line.rstrip("\n").split("\t") for line in lines if line.startswith("Chr1\t")]
            for row in sorted(rows, key=lambda row: -float(row[4]))[:BEST]:
                middle = (int(row[1]) + int(row[2])) // 2
                out.write(f"{CONTIG}\t{middle}\t{middle + 1}\tATAC_{sample}\n")
    read_peaks({"path": str(bed)}, contigs, {}, "athaliana").save(folder / "peaks.npz")
    edges = [0, *EDGES, contigs[CONTIG]]
    tiles = [PartInterval(*edges[n : n + 2], part) for n, part in enumerate((TRAIN, VALIDATE, TEST))]
    write_parts(folder / "parts.bed", Parts({CONTIG: tiles}))


def read_trunk(folder: Path, threads: int) -> None:
    """Features of the released model."""
    model, fasta = ROOT / "resources" / "models" / "brassicales", folder / f"{CONTIG}.fa"
    names = ("athaliana", "Brassicales")
    output = (folder / "trunk.npy", folder / "trunk.json")
    write_trunk_cells(fasta, model, PredictionSettings(), "auto", names, output, threads)


def train_head(folder: Path, encoder: str, seed: int, given: dict[str, str], threads: int) -> None:
    """Train with the defaults of the schema, but for what is given."""
    schema = yaml.safe_load((ROOT / "workflow" / "schemas" / "config.schema.yaml").read_text(encoding="utf-8"))
    keys = {**schema["$defs"]["run"]["properties"], **schema["properties"]["regulatory"]["properties"]}
    settings = {name: key["default"] for name, key in keys.items() if "default" in key}
    settings |= {name: yaml.safe_load(value) for name, value in given.items()} | {"encoder": encoder}
    trunk = [(str(folder / "trunk.npy"), str(folder / "trunk.json"))] if encoder == "frozen" else []
    files = [str(folder / name) for name in (f"{CONTIG}.fa", "peaks.npz", "parts.bed")]
    recipe = Recipe(settings, {}, {"devices": 1, "nodes": 1}, seed)
    name = encoder if seed == 1 else f"{encoder}_{seed}"
    run_folder, target = folder / f"{name}.run", folder / name
    run_regulatory_training(
        *([file] for file in files), trunk, recipe, files, run_folder, target, threads, ["Brassicales"]
    )


def score(folder: Path, names: list[str], threads: int) -> None:
    """Write regulatory.tsv, and print the rows of the page."""
    frozen = any(name.startswith("frozen") for name in names)
    trunk = [(str(folder / "trunk.npy"), str(folder / "trunk.json"))] if frozen else []
    heads = {f"head {name}": folder / name for name in names}
    labels = load_head(folder / names[0])[0].config.labels
    groups = {"387 factors": [label for label in labels if not label.startswith("ATAC_")]}
    groups["open chromatin"] = sorted(set(labels) - set(groups["387 factors"]))
    files = ([str(folder / name)] for name in (f"{CONTIG}.fa", "peaks.npz", "parts.bed"))
    score_heads(heads, *files, trunk, 1, folder / "regulatory.tsv", threads, groups)
    table = pd.read_csv(folder / "regulatory.tsv", sep="\t")
    wide = table[table["label"].isin(groups)].pivot(index=["label", "model"], columns="measure")
    for (group, model), row in wide.iterrows():
        cells = [f"{row['value', 'auprc']:.3f} ({row['low', 'auprc']:.3f} to {row['high', 'auprc']:.3f})"]
        cells += [f"{row['value', name]:.3f}" for name in ("lift", "precision_10", "precision_50", "ece", "auroc")]
        print(f"| {group} | {model} | {' | '.join(cells)} | {row['value', 'above_ridge']:.2f} |".replace("nan", ""))


def release(folder: Path, name: str) -> None:
    """Write a head without open chromatin, where a plain regression is better, beside the structure model."""
    head, calibration, report = load_head(folder / name)
    kept = [place for place, label in enumerate(head.config.labels) if not label.startswith("ATAC_")]
    factors = RegulatoryHead(replace(head.config, labels=tuple(head.config.labels[place] for place in kept)))
    of_labels = ("motifs.weight", "sites.weight", "around.weight", "bias")
    factors.load_state_dict({key: x[kept] if key in of_labels else x for key, x in head.state_dict().items()})
    calibration = Calibration(*(column[kept] for column in vars(calibration).values()))
    target = ROOT / "resources" / "models" / "brassicales" / "regulatory"
    target.mkdir(exist_ok=True)
    told = {key: value for key, value in report.items() if key not in ("network", "labels")}
    told["validation_auprc"] = round(float(np.nanmean(calibration.auprc)), 6)
    save_head(factors, calibration, told | {"genomes": ["athaliana Chr1"]}, target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    commands = parser.add_subparsers(dest="command", required=True)
    prepare_command = commands.add_parser("prepare")
    prepare_command.add_argument("data", type=Path)
    for name in ("prepare", "trunk", "train", "score", "release"):
        command = prepare_command if name == "prepare" else commands.add_parser(name)
        command.add_argument("folder", type=Path)
        if name == "score":
            command.add_argument("heads", nargs="*", default=["none"])
        if name == "release":
            command.add_argument("head")
        if name == "train":
            command.add_argument("--encoder", choices=["none", "frozen"], default="none")
            command.add_argument("--seed", type=int, default=1)
            command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    if given.command == "prepare":
        prepare(given.data, given.folder)
    elif given.command == "trunk":
        read_trunk(given.folder, given.threads)
    elif given.command == "release":
        release(given.folder, given.head)
    elif given.command == "score":
        score(given.folder, given.heads, given.threads)
    else:
        settings = dict(item.split("=", 1) for item in given.set)
        train_head(given.folder, given.encoder, given.seed, settings, given.threads)


if __name__ == "__main__":
    main()
