"""A copy of the workflow in a folder of its own, 290 kb of the example genome, and Snakemake as users start it."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "resources/example/athaliana"
#: First bases of contigs of the example, by what they are used for.
TRAIN, VALIDATE, TEST, OTHER = ("Chr1", 150_000), ("Chr4", 50_000), ("Chr3_1065466_1464870", 70_000), ("Chr5", 20_000)


def copy_house(folder: Path) -> Path:
    """Copy what a run needs of the repository, without configuration and data."""
    for name in ("workflow", "profiles"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", folder)
    shutil.copytree(ROOT / "config/catalogue", folder / "config/catalogue")
    return folder


def write_config(folder: Path, config: dict) -> None:
    (folder / "config/config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def start(
    folder: Path, *arguments: str, environment: dict[str, str] | None = None, seconds: float = 900
) -> subprocess.CompletedProcess:
    """Run ``snakemake`` with these arguments in ``folder``, as from a shell; the output holds stderr too."""
    return subprocess.run(
        ["snakemake", *arguments],
        cwd=folder,
        env=start_variables() | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=seconds,
    )


def start_in_background(folder: Path, log: Path, *arguments: str) -> subprocess.Popen:
    """The same without waiting; the output goes to a file."""
    with log.open("w") as output:
        return subprocess.Popen(
            ["snakemake", *arguments], cwd=folder, env=start_variables(), stdout=output, stderr=subprocess.STDOUT
        )


def start_variables() -> dict[str, str]:
    variables = {key: value for key, value in os.environ.items() if not key.startswith("SNAKEMAKE")}
    return variables | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{variables['PATH']}"}


def jobs_of(output: str) -> dict[str, int]:
    """``{rule: jobs}`` of the first table of a dry run."""
    table = output.split("Job stats:", 1)[1].split("total", 1)[0].splitlines()[3:]
    return {line.split()[0]: int(line.split()[1]) for line in table if line.strip()}


def cut_fasta(pieces: dict[str, int]) -> str:
    """The first bases of contigs of the example, as FASTA."""
    with gzip.open(EXAMPLE / "genome.fa.gz", "rt") as handle:
        records = dict(record.split("\n", 1) for record in handle.read().split(">")[1:])
    return "".join(f">{name}\n{records[name].replace(chr(10), '')[:length]}\n" for name, length in pieces.items())


def cut_annotation(pieces: dict[str, int]) -> str:
    """The annotation of these first bases, without genes that reach beyond them."""
    kept, genes = ["##gff-version 3"], set()
    with gzip.open(EXAMPLE / "annotation.gff3.gz", "rt") as handle:
        rows = [line.rstrip("\n").split("\t") for line in handle if not line.startswith("#")]
    for row in rows:
        tags = dict(tag.split("=", 1) for tag in row[8].rstrip(";").split(";"))
        if row[2] == "gene" and int(row[4]) <= pieces.get(row[0], 0):
            genes.add(tags["ID"])
        elif not genes.intersection(tags.get("Parent", "").split(",")):
            continue
        elif "ID" in tags:
            genes.add(tags["ID"])  # a transcript: its exons are kept too
        if tags.get("ID") in genes or tags.get("Parent"):
            kept.append("\t".join(row))
    return "\n".join(kept) + "\n"


def tiny_config() -> dict:
    """A configuration that trains, predicts and scores everything in a minute or two."""
    training = {"steps": 20, "checkpoint_every": 10, "batch_size": 2, "window": 2048, "warmup_steps": 5}
    return {
        "seed": 1,
        "genomes": [
            {
                "name": "tiny",
                "role": "train",
                "lineage": "Brassicales",
                "genome": {"path": "data/tiny.fa"},
                "annotation": {"path": "data/tiny.gff3"},
                "mask": {"path": "data/tiny.bed"},
                "isoseq": [{"path": str(EXAMPLE / "isoseq_chr3.fastq.gz")}],
                "augustus": "arabidopsis",
                "contigs": {"validate": [VALIDATE[0]], "test": [TEST[0]]},
            },
            {"name": "other", "role": "predict", "lineage": "Malpighiales", "genome": {"path": "data/other.fa"}},
        ],
        "clean": {"backend": "builtin"},
        "split": {"mode": "contig"},
        "tokenizer": {"kind": "bpe", "vocabulary": 256, "corpus_bases": 100_000},
        "model": {"size": "tiny"},
        "pretrain": {**training, "validation_windows": 4},
        "finetune": {**training, "validate_every": 2, "validate_bases": 50_000},
        "predict": {"model": "trained", "scope": "test", "shards": 2, "window": 4096, "margin": 512},
    }


def write_tiny_data(folder: Path) -> None:
    data = folder / "data"
    data.mkdir()
    pieces = dict([TRAIN, VALIDATE, TEST])
    (data / "tiny.fa").write_text(cut_fasta(pieces))
    (data / "tiny.gff3").write_text(cut_annotation(pieces))
    (data / "tiny.bed").write_text("Chr1\t130735\t130855\torf_not_ok\n")
    # A contig shorter than a window and one of N alone: both are valid, and have no genes.
    (data / "other.fa").write_text(
        cut_fasta(dict([OTHER])) + ">short\n" + "ACGTTGCA" * 30 + "\n>gap\n" + "N" * 9000 + "\n"
    )
