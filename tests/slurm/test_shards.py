"""Prediction in shards, each a job: the same bytes as in one, also after one of them was killed."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from job_table import submitted_jobs
from slurm_chain import PROFILE, SHARDS, chain_config
from slurm_cluster import ask
from tiny_workflow import start, start_in_background, write_config

GFF3 = "results/predictions/tiny.gff3"


@pytest.fixture(scope="module")
def unsharded(chain, tmp_path_factory) -> bytes:
    """The prediction in one piece on this machine, by the model of the chain."""
    folder = tmp_path_factory.mktemp("unsharded") / "house"
    shutil.copytree(chain.folder, folder, ignore=shutil.ignore_patterns("predictions", "locks"))
    write_config(folder, chain_config(shards=1))
    done = start(folder, GFF3, "--cores", "2")
    assert done.returncode == 0, done.stdout[-4000:]
    assert "Training" not in done.stdout
    return (folder / GFF3).read_bytes()


def test_shards_give_the_bytes_of_one(chain, unsharded):
    assert b"\tCDS\t" in unsharded or b"\tgene\t" not in unsharded
    assert (chain.folder / GFF3).read_bytes() == unsharded


def test_a_killed_shard_is_made_again_alone(chain, unsharded):
    shutil.rmtree(chain.folder / "results/predictions")
    known = int(chain.jobs["job"].max())
    killed = run_and_kill_one(chain.folder, known)
    assert killed.returncode != 0, "without retries the run ends in failure"
    shards = sorted(file.name for file in (chain.folder / "results/predictions/shards/tiny").glob("*.jsonl"))
    assert len(shards) == SHARDS - 1, f"the others are kept: {shards}"
    assert not (chain.folder / GFF3).exists()

    known = int(submitted_jobs()["job"].max())
    again = start(chain.folder, *PROFILE, GFF3)
    assert again.returncode == 0, again.stdout[-4000:]
    rules = [name.partition("_wildcards")[0] for name in submitted_jobs(known, chain.folder)["rules"]]
    assert sorted(rules) == ["merge_predictions", "predict_shard"]
    assert (chain.folder / GFF3).read_bytes() == unsharded


def run_and_kill_one(folder: Path, known: int, seconds: float = 400) -> subprocess.CompletedProcess:
    """Predict without retries, and cancel a shard as soon as it runs."""
    log = folder / "killed.log"
    process = start_in_background(folder, log, *PROFILE, "--retries", "0", GFF3)
    try:
        deadline = time.monotonic() + seconds
        while not (running := running_shard(known)):
            assert process.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < deadline, "no shard runs"
            time.sleep(0.5)
        subprocess.run(["scancel", running], check=True, timeout=20)
        code = process.wait(timeout=seconds)
    finally:
        process.kill()
    return subprocess.CompletedProcess(process.args, code, log.read_text())


def running_shard(known: int) -> str | None:
    """A running shard that was submitted after the job ``known``."""
    for line in ask("squeue", "--noheader", "--states=RUNNING", "--format=%i %k").splitlines():
        job, comment = line.split()
        if int(job) > known and comment.startswith("rule_predict_shard"):
            return job
    return None
