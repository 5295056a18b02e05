"""Where machine code of compiled functions is kept, and when it is made anew."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"
CALLED = """
from phytoscribe.compiled import njit

SIZE = {size}

@njit(cache=True)
def size_of(text):
    return SIZE + text
"""
CALLING = """
from phytoscribe.compiled import njit
from phytoscribe.called import size_of

@njit(cache=True)
def twice(number):
    return 2 * size_of(number)
"""
ASK = "from phytoscribe.calling import twice; print(twice(0), sum(twice.stats.cache_hits.values()))"


@pytest.fixture
def library(tmp_path) -> Path:
    """A library of two compiled modules, one of which calls the other."""
    package = tmp_path / "scripts/phytoscribe"
    package.mkdir(parents=True)
    for name in ("__init__.py", "compiled.py", "sources.py"):
        shutil.copy(SCRIPTS / "phytoscribe" / name, package)
    (package / "called.py").write_text(CALLED.format(size=10))
    (package / "calling.py").write_text(CALLING)
    return package


def ask(library: Path, wrapper: tuple[str, ...] = (), **variables: str) -> subprocess.CompletedProcess:
    """What the compiled function gives in a process of its own, and how often its machine code was found."""
    kept = {key: value for key, value in os.environ.items() if key not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    return subprocess.run(
        [*wrapper, sys.executable, "-B", "-c", ASK],
        env=kept | {"PYTHONPATH": str(library.parent)} | variables,
        cwd=library.parents[1],
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.mark.parametrize("variable", ["XDG_CACHE_HOME", "NUMBA_CACHE_DIR", "HOME"])
def test_machine_code_is_kept_and_follows_the_modules_that_are_called(library, tmp_path, variable):
    variables = {variable: str(tmp_path / "cache")}
    before = sorted(library.rglob("*"))
    assert ask(library, **variables).stdout.split() == ["20", "0"]
    assert ask(library, **variables).stdout.split() == ["20", "1"]
    # The file of the function that is called from outside stays as it is.
    (library / "called.py").write_text(CALLED.format(size=30))
    assert ask(library, **variables).stdout.split() == ["60", "0"]
    assert sorted(library.rglob("*")) == before
    assert list((tmp_path / "cache").rglob("*.nbi"))


def test_copies_of_the_same_sources_share_machine_code(library, tmp_path):
    ask(library, XDG_CACHE_HOME=str(tmp_path / "cache"))
    copy = tmp_path / "elsewhere/scripts/phytoscribe"
    shutil.copytree(library, copy)
    assert ask(copy, XDG_CACHE_HOME=str(tmp_path / "cache")).stdout.split() == ["20", "1"]


def test_without_a_home_it_is_kept_where_the_run_is(library, tmp_path):
    (tmp_path / ".snakemake").mkdir()
    nowhere = {"XDG_CACHE_HOME": "/dev/null/cache"}
    assert ask(library, **nowhere).stdout.split() == ["20", "0"]
    assert ask(library, **nowhere).stdout.split() == ["20", "1"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can run as somebody else")
def test_a_cache_that_another_user_filled_stops_nobody(library, tmp_path):
    cache = {"NUMBA_CACHE_DIR": str(tmp_path / "shared"), "XDG_CACHE_HOME": str(tmp_path / "own")}
    for folder in ("shared", "own"):
        (tmp_path / folder).mkdir()
    (tmp_path / "own").chmod(0o777)
    ask(library, **cache)
    # Root without the right to pass over permissions is like any other user.
    other = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search")
    for folder in (tmp_path / "shared").iterdir():
        folder.chmod(0o555)
    assert ask(library, other, **cache).stdout.split() == ["20", "0"]
    assert list((tmp_path / "own").rglob("*.nbi"))


def test_where_nothing_can_be_written_it_is_made_each_time_and_said(library, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    done = ask(library, XDG_CACHE_HOME="/dev/null/cache", TMPDIR=str(tmp_path))
    assert done.stdout.split() == ["20", "0"]
    assert "set XDG_CACHE_HOME" in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_all_compiled_functions_go_this_way():
    for file in (SCRIPTS / "phytoscribe").rglob("*.py"):
        if file.name != "compiled.py":
            assert "import numba" not in file.read_text(), file
            assert "from numba" not in file.read_text(), file
