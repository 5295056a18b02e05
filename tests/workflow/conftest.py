"""Folders in which the tiny workflow can run, or has run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock
from tiny_workflow import copy_house, start, tiny_config, write_config, write_tiny_data


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """A folder in which the whole tiny workflow has run, started by the literal command of a user."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # one for all processes that test; whoever needs it first makes it
    folder, made = base / "finished", base / "finished.made"
    with FileLock(base / "finished.lock"):
        if not made.exists():
            folder.mkdir()
            write_tiny_data(copy_house(folder))
            write_config(folder, tiny_config())
            done = start(folder, "all")
            assert done.returncode == 0, done.stdout[-6000:]
            made.touch()
    return folder


@pytest.fixture
def house(tmp_path) -> Path:
    """A folder with the workflow and the tiny data, in which nothing has run."""
    folder = copy_house(tmp_path)
    write_tiny_data(folder)
    write_config(folder, tiny_config())
    return folder
