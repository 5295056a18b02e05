"""One training, two doors: sixty steps by the workflow, by tools/train_carried.py, and by the program that was before.

    python benchmarks/training_doors.py

Trains on the example, on this machine's processor, once without and once with the likelihood of whole genes (which then
joins at the first step).  ``training_recorded.tsv`` holds the losses of the same steps by tools/train_release.py, the
program that was replaced (commit 9711739), on the same genes, masks and rejected loci; the labels have changed since
commit 5c8aedf, which met them.  Prints the largest relative differences.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import yaml

ROOT = Path(__file__).resolve().parents[1]
RECORDED = ROOT / "benchmarks" / "training_recorded.tsv"
EXAMPLE = ROOT / "resources" / "example" / "athaliana"
#: Every step's loss is written where a checkpoint is due every fourth step.
FINETUNE = {
    "steps": 60,
    "checkpoint_every": 4,
    "validate_every": 15,
    "window": 9216,
    "warmup_steps": 20,
    "validate_bases": 300_000,
    "sequence_start": 0.0,
    "device": "cpu",
}
#: Column of the recorded losses, and what it was recorded with.
RUNS = {
    "float32": {"precision": "float32", "batch_size": 2, "sequence_weight": 0.0},
    "bfloat16": {"precision": "bfloat16", "batch_size": 2, "sequence_weight": 0.0},
    "bfloat16_whole_genes": {"precision": "bfloat16", "batch_size": 4, "sequence_weight": 0.25},
}


def main() -> None:
    recorded = pd.read_csv(RECORDED, sep="\t").set_index("step")
    print("| run | workflow against the carried folder | workflow against the former program |\n|---|---|---|")
    for name, settings in RUNS.items():
        with tempfile.TemporaryDirectory() as folder:
            workflow, carried = train(Path(folder), {**FINETUNE, **settings})
        shown = (largest(workflow, carried), largest(workflow, recorded[name]))
        print(f"| {name} | {shown[0]:.1e} | {shown[1]:.1e} |", flush=True)


def train(folder: Path, finetune: dict) -> tuple[pd.Series, pd.Series]:
    """Losses by step through both doors."""
    contigs = {"validate": ["Chr2", "Chr3", "Chr4", "Chr3_1065466_1464870"]}
    contigs["test"] = ["Chr5", "Chr5_25975502_26975502"]
    genome = {"name": "athaliana", "role": "train", "lineage": "Brassicales", "contigs": contigs}
    for kind, file in (("genome", "genome.fa.gz"), ("annotation", "annotation.gff3.gz"), ("mask", "mask.bed")):
        genome[kind] = {"path": str(EXAMPLE / file)}
    config = {"seed": 1, "genomes": [genome], "clean": {"backend": "builtin"}, "split": {"mode": "contig"}}
    config |= {"tokenizer": {"kind": "kmer", "k": 6}, "pretrain": {"steps": 0}, "finetune": finetune}
    (folder / "config.yaml").write_text(yaml.safe_dump({**config, "predict": {"model": "trained"}}))
    targets = ["results/models/structure/metrics.tsv", "results/carried/recipe.json"]
    where = ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder), "--configfile", "config.yaml"]
    run(["snakemake", "--cores", "1", *where, "--", *targets], folder)
    door = [
        sys.executable,
        str(ROOT / "tools" / "train_carried.py"),
        "results/carried",
        "--out",
        "run",
        "--threads",
        "1",
    ]
    run(door, folder)
    return losses(folder / "results/models/structure/metrics.tsv"), losses(folder / "run/model/metrics.tsv")


def run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


def losses(path: Path) -> pd.Series:
    table = pd.read_csv(path, sep="\t")
    return table[table["name"] == "train_loss"].set_index("step")["value"]


def largest(left: pd.Series, right: pd.Series) -> float:
    """Largest relative difference; both have the same steps."""
    assert list(left.index) == list(right.index), "not the same steps"
    return float(((left - right).abs() / right).max())


if __name__ == "__main__":
    main()
