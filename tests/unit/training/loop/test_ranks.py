"""Several processes train like one; a run that is stopped or killed ends like an undisturbed one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import chain
from pathlib import Path

import pandas as pd
import pytest
import torch
from small_training_set import contig_of, small_set
from tiny_training import BATCH, CHECKPOINT_EVERY, STEPS

from phytoscribe.configuration.resources import place_of_prediction, places_of_ranks
from phytoscribe.errors import ConfigError
from phytoscribe.tokenizer.training import build_kmer_tokenizer
from phytoscribe.training.loop.callbacks import require_ranks
from phytoscribe.training.loop.launch import launch_command, threads_of_ranks
from phytoscribe.training.loop.ranks import divisors
from phytoscribe.training.loop.sampling import StepSampler
from phytoscribe.training.loop.settings import RunSettings

HERE = Path(__file__).parents[3]
CONTIG = "Chr4"
LIMIT = 300


@pytest.fixture(scope="module")
def data(arabidopsis_fasta, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    small_set(folder / "training_set", [contig_of(arabidopsis_fasta, CONTIG)])
    build_kmer_tokenizer(3, ["athaliana"], ["Brassicales"]).save_pretrained(folder / "tokens")
    return folder


def start(data: Path, folder: Path, devices: int = 1, dropout: float = 0.0, **environment: str) -> subprocess.Popen:
    job = folder.parent / f"{folder.name}.json"
    given = {"data": str(data), "folder": str(folder), "devices": devices, "nodes": 1, "dropout": dropout}
    job.write_text(json.dumps(given))
    paths = os.pathsep.join(["workflow/scripts", str(HERE)])
    return subprocess.Popen(
        [sys.executable, str(HERE / "tiny_training.py"), str(job)],
        env={**os.environ, "PYTHONPATH": paths, **environment},
        stdout=subprocess.DEVNULL,
        stderr=(folder.parent / f"{folder.name}.log").open("a"),
        start_new_session=True,
    )


def log_of(folder: Path) -> str:
    return (folder.parent / f"{folder.name}.log").read_text()


def finish(process: subprocess.Popen, folder: Path) -> Path:
    assert process.wait(LIMIT) == 0, log_of(folder)
    return folder


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("one") / "whole"
    return finish(start(data, folder, dropout=0.1), folder)


def losses(folder: Path) -> pd.Series:
    table = pd.read_csv(folder / "run" / "metrics.tsv", sep="\t")
    return table[table["name"] == "train_loss"].set_index("step")["value"]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder / "weights.pt", weights_only=True)


def same_weights(one: Path, other: Path) -> None:
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    for name in first:
        assert torch.equal(first[name], second[name]), name


def wait_for_step(folder: Path, process: subprocess.Popen, step: int) -> None:
    """Until so many steps' windows have been read."""
    deadline = time.monotonic() + LIMIT
    seen = folder / "seen.0"
    while time.monotonic() < deadline and process.poll() is None:
        if seen.exists() and len(seen.read_text().splitlines()) > step * BATCH:
            return
        time.sleep(0.01)
    raise AssertionError(log_of(folder))


@pytest.mark.parametrize("ranks", [1, 2, 4])
@pytest.mark.parametrize("began", [0, 3, 10, 17])
def test_ranks_share_each_step(ranks, began):
    shares = []
    for rank in range(ranks):
        sampler = StepSampler(8, 10, rank, ranks)
        sampler.step = began
        shares.append(list(sampler))
    end = (began // 10 + 1) * 10
    assert sorted(chain.from_iterable(shares)) == list(range(began * 8, end * 8))
    for step in range(end - began):
        size = 8 // ranks
        together = sorted(chain.from_iterable(share[step * size : (step + 1) * size] for share in shares))
        assert together == list(range((began + step) * 8, (began + step + 1) * 8))


def test_a_pass_ends_when_it_is_told_to():
    sampler = StepSampler(4, 10, 0, 1)
    indices = iter(sampler)
    taken = [next(indices) for _ in range(8)]
    sampler.stopping = True
    assert taken + list(indices) == list(range(8))


def test_two_processes_train_like_one(data, tmp_path):
    one = finish(start(data, tmp_path / "one"), tmp_path / "one")
    # What a cluster's job would have: without care, two processes of one task then train on half of the data.
    slurm = {"SLURM_NTASKS": "1", "SLURM_JOB_ID": "7", "SLURM_JOB_NAME": "python", "SLURM_PROCID": "0"}
    two = finish(start(data, tmp_path / "two", devices=2, **slurm), tmp_path / "two")
    seen = [list(map(int, (two / f"seen.{rank}").read_text().split())) for rank in (0, 1)]
    assert Counter(seen[0] + seen[1]) == Counter(range(STEPS * BATCH))
    assert len(seen[0]) == len(seen[1])
    pd.testing.assert_series_equal(losses(two), losses(one), rtol=1e-4)
    expected = weights(one)
    for name, found in weights(two).items():
        torch.testing.assert_close(found, expected[name], rtol=1e-4, atol=1e-5)
    table = pd.read_csv(two / "run" / "metrics.tsv", sep="\t")
    assert table.set_index("name").loc["world_size", "value"] == 2


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGUSR1])
def test_a_stopped_run_goes_on_at_the_very_step(data, whole, tmp_path, sent):
    folder = tmp_path / "stopped"
    process = start(data, folder, dropout=0.1)
    wait_for_step(folder, process, 13)
    process.send_signal(sent)
    assert process.wait(LIMIT) == 1
    assert f"StoppedError: training was stopped by {sent.name} after step" in log_of(folder)
    assert "the same command goes on from there" in log_of(folder)
    done = torch.load(folder / "run" / "last.ckpt", weights_only=True)["global_step"]
    assert 13 <= done < STEPS
    finish(start(data, folder, dropout=0.1), folder)
    assert f"step {done}" in log_of(folder)
    same_weights(folder, whole)
    # Each window was read once, and those of the steps after the signal again only if they had not been saved.
    assert sorted(map(int, (folder / "seen.0").read_text().split())) == list(range(STEPS * BATCH))


def test_a_killed_run_ends_with_the_same_weights(data, whole, tmp_path):
    folder = tmp_path / "killed"
    process = start(data, folder, dropout=0.1)
    wait_for_step(folder, process, CHECKPOINT_EVERY + 5)
    process.kill()
    process.wait(LIMIT)
    done = torch.load(folder / "run" / "last.ckpt", weights_only=True)["global_step"]
    assert done % CHECKPOINT_EVERY == 0
    assert 0 < done < STEPS
    finish(start(data, folder, dropout=0.1), folder)
    same_weights(folder, whole)
    tables = [pd.read_csv(f / "run" / "metrics.tsv", sep="\t") for f in (folder, whole)]
    pd.testing.assert_frame_equal(*tables)


class Intruder:
    """Read as a pickle, it makes a file."""

    def __init__(self, made: Path) -> None:
        self.made = made

    def __reduce__(self):
        return Path.touch, (self.made,)


def test_a_run_does_not_go_on_from_code(data, whole, tmp_path):
    folder, made = tmp_path / "given", tmp_path / "made"
    shutil.copytree(whole, folder)
    path = folder / "run" / "last.ckpt"
    torch.save(torch.load(path, weights_only=True) | {"loops": Intruder(made)}, path)
    assert start(data, folder, dropout=0.1).wait(LIMIT) == 1
    assert f"ModelError: {path}: it holds Python objects, which could run code and are not read" in log_of(folder)
    assert f"delete the folder {folder / 'run'}: training then begins anew" in log_of(folder)
    assert not made.exists()


def test_two_processes_stop_together_and_go_on(data, tmp_path):
    folders = tmp_path / "stopped", tmp_path / "whole"
    process = start(data, folders[0], devices=2)
    wait_for_step(folders[0], process, 8)
    process.send_signal(signal.SIGTERM)
    assert process.wait(LIMIT) == 1
    assert "StoppedError" in log_of(folders[0])
    finish(start(data, folders[0], devices=2), folders[0])
    finish(start(data, folders[1], devices=2), folders[1])
    expected = weights(folders[1])
    for name, found in weights(folders[0]).items():
        torch.testing.assert_close(found, expected[name], rtol=1e-5, atol=1e-7)


def test_missing_processes_are_refused(data, tmp_path):
    from tiny_training import train_tiny

    with pytest.raises(ConfigError, match=r"needs 2 processes .* but 1 came together; nothing was trained"):
        train_tiny(data, tmp_path, devices=2, nodes=1, dropout=0.0)
    assert not (tmp_path / "run").exists()
    require_ranks(4, 4)


def test_a_batch_that_cannot_be_shared_is_refused():
    with pytest.raises(ConfigError, match=r"batch_size \(6\) must be a multiple .* \(2 x 2\)"):
        RunSettings(100, 6, 10, 1e-3, devices=2, nodes=2)


def test_one_launcher(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith("SLURM_"):
            monkeypatch.delenv(name)
    one_node = launch_command(tmp_path / "job", 4, 1, 2)
    assert "--standalone" in one_node
    assert one_node[one_node.index("--nproc-per-node") + 1] == "4"
    with pytest.raises(ConfigError, match=r"training.nodes is 2, which needs a SLURM job"):
        launch_command(tmp_path / "job", 4, 2, 2)
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    several = launch_command(tmp_path / "job", 2, 3, 4)
    assert several[0] == "srun"
    flags = {"--nodes": "3", "--ntasks": "3", "--ntasks-per-node": "1", "--nnodes": "3", "--cpus-per-task": "8"}
    for flag, value in flags.items():
        assert several[several.index(flag) + 1] == value


@pytest.mark.parametrize(
    ("cores", "devices", "nodes", "threads"), [(8, 1, 1, 8), (8, 3, 2, 2), (8, 8, 2, 1), (1, 4, 1, 1)]
)
def test_ranks_share_the_cores_of_their_node(cores, devices, nodes, threads):
    assert threads_of_ranks(cores, {"devices": devices, "nodes": nodes}) == threads


def test_several_nodes_never_ask_srun_for_more_cores_than_the_job_has():
    with pytest.raises(ConfigError, match=r"training.devices is 16, but the job has 8 cores on each of its 2 nodes"):
        threads_of_ranks(8, {"devices": 16, "nodes": 2})


@pytest.mark.parametrize(
    ("section", "gpus"),
    [
        ({"device": "auto", "precision": "auto"}, True),
        ({"device": "cuda", "precision": "bfloat16"}, True),
        ({"device": "cpu", "precision": "auto"}, False),
        ({"device": "auto", "precision": "int8"}, False),
    ],
)
def test_gpus_are_asked_for_where_they_may_be_used(section, gpus):
    assert place_of_prediction(section) == ({"gpu": 1} if gpus else {})
    assert places_of_ranks({"devices": 4, "nodes": 1}, section) == ({"gpu": 4} if gpus else {})
    several = places_of_ranks({"devices": 4, "nodes": 2}, section)
    assert several.pop("gpu", None) == (8 if gpus else None)
    assert several == {"nodes": 2, "tasks": 2, "tasks_per_gpu": 0, "mpi": "srun"}


def test_divisors_of_one_process():
    amounts = torch.tensor([4.0, 0.0])
    assert divisors(amounts).tolist() == [4.0, 1.0]
