"""Training over nodes gives what one process gives, and ends the same whatever a cluster does to it midway."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from disturbing import ENDED, STEPS, state_of
from job_table import submitted_jobs
from safetensors.torch import load_file
from tiny_training import BATCH
from tiny_training import STEPS as TINY_STEPS
from tiny_workflow import ROOT
from torch.testing import assert_close

WAIT = 900


def test_one_process_ends_with_the_same_bytes_after_every_disturbance(trainings):
    run = trainings["one, disturbed"].result(WAIT)
    assert run.states == ["FAILED", "FAILED", "TIMEOUT"], "told to stop, killed, over its time; requeued before"
    assert all(earlier < later for earlier, later in zip(run.began, run.began[1:], strict=False)), run.began
    assert len(run.began) >= 5
    assert run.began[-1] < STEPS
    assert run.weights.read_bytes() == trainings["one"].result(WAIT).weights.read_bytes()


def test_two_nodes_end_with_the_same_weights_after_being_stopped_and_killed(trainings):
    run = trainings["nodes, disturbed"].result(WAIT)
    assert run.states == ["FAILED", "FAILED"]
    assert all(earlier < later for earlier, later in zip(run.began, run.began[1:], strict=False)), run.began
    whole = trainings["nodes"].result(WAIT)
    expected = load_file(whole.weights)
    for name, found in load_file(run.weights).items():
        assert_close(found, expected[name], rtol=1e-5, atol=1e-8)
    for outcome in (run, whole):
        metrics = pd.read_csv(outcome.weights.with_name("metrics.tsv"), sep="\t").set_index("name")
        assert set(metrics.loc[["world_size"], "value"]) == {2}


def test_the_job_of_two_nodes_has_a_gpu_on_each(trainings):
    trainings["nodes"].result(WAIT)
    jobs = submitted_jobs()
    over_nodes = jobs[(jobs["rules"] == "pretrain_encoder") & (jobs["nodes"] == 2)]
    assert len(over_nodes) >= 4
    assert set(over_nodes["gpus"]) == {2}
    assert set(over_nodes["partition"]) == {"gpu"}


@pytest.fixture(scope="module")
def by_ranks(cluster, prepared, tmp_path_factory) -> dict[tuple[int, int], Path]:
    """The same tiny training by nodes and processes of each."""
    folder = tmp_path_factory.mktemp("ranks")
    (folder / "data").mkdir()
    (folder / "data/training_set").symlink_to(prepared / "results/training_set")
    (folder / "data/tokens").symlink_to(prepared / "results/tokenizer")
    shapes = [(1, 1), (1, 2), (2, 1), (2, 2)]
    jobs = [submit(folder, nodes, devices) for nodes, devices in shapes]
    deadline = time.monotonic() + WAIT
    while not all(state_of(job) in ENDED for job in jobs):
        assert time.monotonic() < deadline
        time.sleep(1)
    for job in jobs:
        assert state_of(job) == "COMPLETED", (folder / f"{job}.log").read_text()[-3000:]
    return {(nodes, devices): folder / f"{nodes}x{devices}" for nodes, devices in shapes}


def submit(folder: Path, nodes: int, devices: int) -> str:
    given = {"data": str(folder / "data"), "folder": str(folder / f"{nodes}x{devices}"), "dropout": 0.0}
    description = folder / f"{nodes}x{devices}.json"
    description.write_text(json.dumps(given | {"nodes": nodes, "devices": devices}))
    places = [f"--nodes={nodes}", f"--ntasks={nodes}", "--ntasks-per-node=1", f"--gpus={nodes * devices}"]
    needs = ["--partition=gpu", "--mem=6000", "--time=15", f"--cpus-per-task={devices}"]
    command = f"{sys.executable} tests/tiny_training.py {description}"
    paths = os.pathsep.join(str(ROOT / part) for part in ("workflow/scripts", "tests"))
    done = subprocess.run(
        ["sbatch", "--parsable", *needs, *places, f"--output={folder}/%j.log", f"--chdir={ROOT}", f"--wrap={command}"],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (2, 2)])
def test_any_number_of_nodes_and_processes_trains_like_one(by_ranks, shape):
    nodes, devices = shape
    folder = by_ranks[shape]
    pd.testing.assert_series_equal(losses(folder), losses(by_ranks[1, 1]), rtol=1e-4)
    seen = [list(map(int, file.read_text().split())) for file in sorted(folder.glob("seen.*"))]
    assert len(seen) == nodes * devices
    assert Counter(number for part in seen for number in part) == Counter(range(TINY_STEPS * BATCH))
    assert len({len(part) for part in seen}) == 1
    metrics = pd.read_csv(folder / "run/metrics.tsv", sep="\t").set_index("name")
    assert metrics.loc["world_size", "value"] == nodes * devices


def losses(folder: Path) -> pd.Series:
    table = pd.read_csv(folder / "run/metrics.tsv", sep="\t")
    return table[table["name"] == "train_loss"].set_index("step")["value"]
