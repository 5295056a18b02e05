"""Published numbers are what the commands beside them give: those of docs/scores.md that take a minute together."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from tiny_workflow import ROOT, copy_house, start, write_config

CONTIG = "Chr5_25975502_26975502"
#: Networks are computed in the precision that a processor is fast with, which moves a gene or two.
LAST_DIGITS = 0.006


@pytest.fixture(scope="module")
def commands() -> list[str]:
    """The commands of docs/scores.md."""
    text = (ROOT / "docs/scores.md").read_text()
    return re.findall(r"`((?:python|snakemake) [^`]+)`", text[text.index("## Rebuilding") :])


def the_one(commands: list[str], *words: str) -> list[str]:
    found = [command for command in commands if all(word in command for word in words)]
    assert len(found) == 1, found
    return shlex.split(found[0])


@pytest.fixture(scope="module")
def example(commands, tmp_path_factory) -> Path:
    """The example as it comes, but for AUGUSTUS, whose minutes no number here needs; predicted and beside its reads."""
    folder = copy_house(tmp_path_factory.mktemp("published"))
    for name in ("resources/example", "resources/models", "tests/data/evaluation", "tools"):
        shutil.copytree(ROOT / name, folder / name)
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    for genome in config["genomes"]:
        genome.pop("augustus", None)
    write_config(folder, config)
    program, *arguments = the_one(commands, "snakemake", "athaliana.isoseq.tsv")
    assert program == "snakemake"
    done = start(folder, *arguments)
    assert done.returncode == 0, done.stdout[-4000:]
    return folder


def printed(folder: Path, command: list[str]) -> dict[tuple[str, str], list[float]]:
    """Precision, recall and F1 by ruler and level, as tools/score_genes.py prints them."""
    done = subprocess.run(
        [sys.executable, *command[1:]], cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in done.stdout.splitlines()[2:]]
    return {(ruler, level): [float(value) for value in values] for ruler, level, *values in rows}


def published(level: str) -> list[float]:
    """Precision, recall and F1 of every program on the larger test contig, the newest model first, AUGUSTUS last."""
    text = (ROOT / "benchmarks/accuracy.md").read_text()
    section = text[text.index(f"{CONTIG}, all loci") :]
    row = next(line for line in section.splitlines() if line.startswith(f"| {level} |"))
    return [float(cell) for cell in row.strip("| ").split(" | ")[1:]]


def test_augustus_on_the_larger_contig(example, commands):
    found = printed(example, the_one(commands, "tools/score_genes.py", "--augustus", CONTIG))
    assert found["exact", "cds_exon"] == published("CDS exon")[-3:]
    assert found["exact", "locus"] == published("locus")[-3:]


def test_the_prediction_on_the_larger_contig(example, commands):
    found = printed(example, the_one(commands, "tools/score_genes.py", "--rejected", CONTIG))
    assert found["exact", "cds_exon"] == pytest.approx(published("CDS exon")[:3], abs=LAST_DIGITS)
    assert found["exact", "locus"] == pytest.approx(published("locus")[:3], abs=LAST_DIGITS)


def test_read_groups_that_hold_a_chain(example):
    scores = pd.read_csv(example / "results/evaluation/athaliana.isoseq.tsv", sep="\t")
    row = next(line for line in (ROOT / "benchmarks/isoseq.md").read_text().splitlines() if "`read_locus`" in line)
    reference, _, ours = (float(cell.strip("* ")) for cell in row.strip("| ").split("|")[2:])
    chosen = {"level": "read_locus", "ruler": "cds_chain", "subset": "all", "metric": "supported"}
    rows = scores[(scores[list(chosen)] == pd.Series(chosen)).all(axis=1)].set_index("predictor")
    assert round(rows.loc["reference", "value"], 3) == reference
    assert rows.loc["phytoscribe", "value"] == pytest.approx(ours, abs=0.013)
