"""How the tests start Snakemake on SLURM, and the configuration and data of the chain that they run."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess
from typing import NamedTuple

import pandas as pd
from tiny_workflow import ROOT, copy_house, cut_annotation, cut_fasta, tiny_config, write_config

from phytoscribe.annotation.gff_reader import read_gff3

#: The options of the README's command, and the one thing that tests change: how soon a finished job is noticed.
PROFILE = ("--profile", "profiles/slurm", "--slurm-init-seconds-before-status-checks", "8")
#: First bases of all eight contigs of the example: one to train, one to validate, six to test.
TRAIN, VALIDATE = {"Chr1": 150_000}, {"Chr4": 50_000}
TEST = {"Chr3_1065466_1464870": 70_000} | dict.fromkeys(
    ["Chr2", "Chr3", "Chr5", "Chr5_25975502_26975502", "ColHiFi_Chr1_5M_7M"], 9_000
)
#: As many as there are GPUs, so that no shard waits for another.
SHARDS = 4


class Run(NamedTuple):
    """A run of the whole workflow: its folder, what Snakemake said, its jobs, and the seconds that it took."""

    folder: Path
    done: CompletedProcess
    jobs: pd.DataFrame
    seconds: float


def chain_config(shards: int = SHARDS) -> dict:
    """The configuration of the chain: a genome, trained on, predicted with evidence and all kinds of genes, and scored.

    Isoforms are those of the lattice: a network of twenty steps finds too few genes to train a ranker on.
    """
    config = tiny_config()
    del config["genomes"][1]
    config["genomes"][0]["contigs"] = {"validate": list(VALIDATE), "test": list(TEST)}
    config["predict"] |= {"scope": "all", "shards": shards}
    config["isoforms"] = {"method": "lattice", "minimum_probability": 0.01}
    config["noncoding"] = {"tRNA": "aragorn", "rRNA": "barrnap"}
    # Its alignments are of a test and of the validation contig. A network of twenty steps cannot judge reads.
    aligned = str(ROOT / "tests/data/miniprot/athaliana.gff3.gz")
    config["genomes"][0]["evidence"] = {"rnaseq": ["data/SJ.out.tab"], "proteins": [aligned], "judge": False}
    return config


def annotated_junctions(gff3: Path) -> str:
    """The introns of an annotation as STAR writes junctions, with ten reads each."""
    found = {
        (gene.contig, str(start + 1), str(end), "1" if gene.strand == "+" else "2")
        for gene in read_gff3(gff3)
        for transcript in gene.transcripts
        for start, end in transcript.introns
    }
    return "".join(
        f"{contig}\t{start}\t{end}\t{strand}\t1\t0\t10\t0\t40\n" for contig, start, end, strand in sorted(found)
    )


def make_chain_house(folder: Path) -> Path:
    """A folder with the workflow, the chain's data and its configuration."""
    copy_house(folder)
    (folder / "data").mkdir()
    pieces = TRAIN | VALIDATE | TEST
    (folder / "data/tiny.fa").write_text(cut_fasta(pieces))
    (folder / "data/tiny.gff3").write_text(cut_annotation(pieces))
    (folder / "data/SJ.out.tab").write_text(annotated_junctions(folder / "data/tiny.gff3"))
    (folder / "data/tiny.bed").write_text("Chr1\t130735\t130855\torf_not_ok\n")
    write_config(folder, chain_config())
    return folder
