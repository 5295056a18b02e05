"""A SLURM for the tests of this folder, and the tiny workflow after a whole run on it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from disturbing import Outcome, begin
from job_table import submitted_jobs, with_use
from slurm_chain import PROFILE, Run, make_chain_house
from slurm_cluster import Cluster, why_not
from tiny_workflow import start

#: A run of the chain takes seven minutes on two free cores; this leaves room for a machine that is four times as slow.
SECONDS = 2700


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first waits for the chain."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(SECONDS + 100))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    cluster = Cluster(tmp_path_factory.mktemp("slurm"))
    try:
        try:
            cluster.start()
        except PermissionError as error:
            pytest.skip(f"pretended GPUs cannot be made here: {error}")
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory) -> Path:
    """The chain's folder with all that training needs, made on this machine."""
    folder = make_chain_house(tmp_path_factory.mktemp("prepared"))
    done = start(folder, "--cores", "2", "results/training_set/manifest.json", "results/tokenizer/tokenizer.json")
    assert done.returncode == 0, done.stdout[-4000:]
    return folder


@pytest.fixture(scope="session")
def trainings(cluster, prepared, tmp_path_factory) -> Iterator[dict[str, Future[Outcome]]]:
    """Disturbed and undisturbed training runs, which go on while other tests run."""
    folder = tmp_path_factory.mktemp("trainings")
    with ThreadPoolExecutor(4) as pool:
        yield begin(pool, folder, prepared)


@pytest.fixture(scope="session")
def chain(cluster, trainings, tmp_path_factory) -> Run:
    """The whole workflow, once, on SLURM, while the trainings wait for theirs."""
    folder = make_chain_house(tmp_path_factory.mktemp("chain"))
    began = time.monotonic()
    done = start(folder, *PROFILE, "all", seconds=SECONDS)
    seconds = time.monotonic() - began
    (folder / "snakemake.log").write_text(done.stdout)
    assert done.returncode == 0, done.stdout[-8000:]
    return Run(folder, done, with_use(submitted_jobs(folder=folder), folder), seconds)
