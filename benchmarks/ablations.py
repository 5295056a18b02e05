"""Arms of the training recipe, one after the other, judged on the validation contigs alone.

    python benchmarks/ablations.py --data packed --out arms --steps 1500 [--only NAME ...]

Each arm is one call of tools/train_release.py (its command is in the table) with the same seed, steps and schedule as
the first; only what its name says differs.  An arm that has finished is not run again.  Writes OUT/ablations.tsv and
prints the table of benchmarks/ablations.md.  The packed folder is made with tools/pack_training_data.py.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd

BOTH = json.dumps({"athaliana": 0.5, "bnapus": 0.5})
ONE = json.dumps({"athaliana": 1})
OTHER = json.dumps({"bnapus": 1})
BASELINE = ["--start-mixture", ONE, "--rate", "5e-4"]
#: Name of the arm, what it asks, and its arguments.
ARMS: dict[str, tuple[str, list[str]]] = {
    "baseline": ("A. thaliana alone, 6-mers, 9,216 bp windows", BASELINE),
    "rate-1.5e-3": ("three times the learning rate", ["--start-mixture", ONE, "--rate", "1.5e-3"]),
    "mixed": ("half B. napus throughout", ["--start-mixture", BOTH, "--rate", "5e-4"]),
    "bnapus-first": (
        "B. napus first, A. thaliana after",
        ["--start-mixture", OTHER, "--end-mixture", ONE, "--rate", "5e-4"],
    ),
    "boundary-1": ("boundary states weigh like others", [*BASELINE, "--loss", '{"boundary_weight": 1}']),
    "boundary-15": ("boundary states weigh fifteen-fold", [*BASELINE, "--loss", '{"boundary_weight": 15}']),
    "no-f1": ("no coding F1 in the loss", [*BASELINE, "--loss", '{"f1_weight": 0}']),
    "no-sites": ("no loss on the site head", [*BASELINE, "--loss", '{"site_weight": 0}']),
    "no-content": ("no coding statistics as input", [*BASELINE, "--model", '{"content_length": 1}']),
    "no-attention": ("convolutions only", [*BASELINE, "--model", '{"attention_every": 99}']),
    "single-bases": ("tokens of one base", [*BASELINE, "--k", "1", "--model", '{"hidden_size": 128}']),
    "3-mers": ("tokens of three bases", [*BASELINE, "--k", "3"]),
    "window-4608": ("windows of half the length, twice as many", [*BASELINE, "--window", "4608", "--batch", "4"]),
    "window-18432": ("windows of twice the length, half as many", [*BASELINE, "--window", "18432", "--batch", "1"]),
    **{
        f"data-{percent}": (f"{percent} % of the training contigs", [*BASELINE, "--share", str(percent / 100)])
        for percent in (10, 25, 50, 100)
    },
    "no-average": ("the last weights, not their average", [*BASELINE, "--average", "0"]),
}
SHOWN = ["nats", "donor_ap", "acceptor_ap", "base_f1", "cds_exon_f1", "locus_f1"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--decoder", help="decoder.json that all arms are judged with; none is fitted then")
    parser.add_argument("--only", nargs="*", choices=list(ARMS), help="run these arms alone")
    given = parser.parse_args()
    rows = []
    for name in given.only or ARMS:
        question, arguments = ARMS[name]
        folder = given.out / name
        fixed = ["--data", str(given.data), "--out", str(folder), "--steps", str(given.steps)]
        fixed += ["--validate-every", str(given.steps), "--average", "0.99", "--seed", str(given.seed)]
        fixed += ["--threads", str(given.threads)]
        if given.decoder:
            fixed += ["--decoder", given.decoder, "--keep-decoder"]
        command = [sys.executable, "tools/train_release.py", *fixed, *arguments]
        scores = scores_of(folder, given.steps)
        if not scores:
            subprocess.run(command, check=True)
            scores = scores_of(folder, given.steps)
        rows.append({"arm": name, "question": question, **scores, "arguments": shlex.join(arguments)})
        table = pd.DataFrame(rows)
        table.to_csv(given.out / "ablations.tsv", sep="\t", index=False)
    print("| arm | " + " | ".join(SHOWN) + " | what differs | arguments |")
    print("|---|" + "---|" * (len(SHOWN) + 2))
    for row in rows:
        shown = " | ".join(f"{row[name]:.3f}" for name in SHOWN)
        print(f"| {row['arm']} | {shown} | {row['question']} | `{row['arguments']}` |")


def scores_of(folder: Path, step: int) -> dict[str, float]:
    """Validation figures of a finished arm; empty if it has not finished."""
    path = folder / "metrics.tsv"
    if not path.exists():
        return {}
    table = pd.read_csv(path, sep="\t")
    last = table[(table["step"] == step) & table["name"].str.startswith("validation_")]
    return {name.removeprefix("validation_"): value for name, value in zip(last["name"], last["value"], strict=True)}


if __name__ == "__main__":
    main()
