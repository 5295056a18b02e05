"""Snakemake that itself runs in a small SLURM job, as docs/slurm.md advises where the login node is not for it."""

from __future__ import annotations

import os
import shlex
import subprocess

import pytest
from job_table import submitted_jobs
from slurm_chain import PROFILE, make_chain_house
from tiny_workflow import start_variables

TARGET = "results/splits/clusters.tsv"
#: What the outer job asks for; it has all of this in its environment as SLURM_*, and none may reach the jobs it sends.
SMALL = ("--ntasks=1", "--cpus-per-task=1", "--mem-per-cpu=1500", "--time=30")


@pytest.fixture(scope="module")
def nested(cluster, tmp_path_factory):
    """A folder where the chain has run up to the clusters of proteins, and the jobs sent from the outer one."""
    folder = make_chain_house(tmp_path_factory.mktemp("nested"))
    known = max(submitted_jobs()["job"], default=0)
    # The outer job sees one core, as on a cluster that binds jobs to theirs.
    inner = f"srun taskset --cpu-list 0 snakemake {shlex.join(PROFILE)} {TARGET}"
    command = ["sbatch", "--wait", "--job-name=outer", "--output=outer.log", *SMALL, "--wrap", inner]
    done = subprocess.run(
        command, cwd=folder, env=start_variables(), capture_output=True, text=True, check=False, timeout=900
    )
    said = (folder / "outer.log").read_text()
    assert done.returncode == 0, done.stderr + said[-6000:]
    jobs = submitted_jobs(known, folder)
    return folder, jobs[jobs["rules"] != ""], said


def test_the_chain_ends(nested):
    folder, jobs, said = nested
    assert (folder / TARGET).stat().st_size
    assert "running snakemake in a SLURM job context" in said
    assert set(jobs["state"]) == {"COMPLETED"}


def test_jobs_get_what_they_ask_for_not_what_the_outer_job_has(nested):
    _, jobs, _ = nested
    of_rule = jobs.set_index(jobs["rules"].str.partition("_wildcards_")[0])
    assert of_rule.loc["index_genome", ["cores", "asked_mb"]].tolist() == [1, 1000]
    job = of_rule.loc["cluster_paralogs"]
    assert (job["partition"], job["cores"], job["gpus"]) == ("cpu", 16, 0)
    assert 4000 <= job["asked_mb"] < 4100


def test_programs_are_not_bound_to_the_core_of_the_outer_job(nested):
    """In its job Snakemake counts the cores that it sees, which here are those of this machine."""
    folder, _, _ = nested
    assert f"-T {min(16, os.cpu_count())} " in (folder / "logs/split/clusters.log").read_text()
