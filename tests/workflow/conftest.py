"""Folders in which the tiny workflow can run, or has run."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_workflow import copy_house, start, tiny_config, write_config, write_tiny_data


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """A folder in which the whole tiny workflow has run, started by the literal command of a user."""
    folder = copy_house(tmp_path_factory.mktemp("finished"))
    write_tiny_data(folder)
    write_config(folder, tiny_config())
    done = start(folder, "all")
    assert done.returncode == 0, done.stdout[-6000:]
    return folder


@pytest.fixture
def house(tmp_path) -> Path:
    """A folder with the workflow and the tiny data, in which nothing has run."""
    folder = copy_house(tmp_path)
    write_tiny_data(folder)
    write_config(folder, tiny_config())
    return folder
