"""Files: checksums, and what writers leave behind."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from phytoscribe.files import atomic_open, atomic_path, digests_of, scratch_folder, sha256_of

EXAMPLE = Path(__file__).parents[2] / "resources/example/athaliana/genome.fa.gz"
LIBRARY = Path(__file__).parents[2] / "workflow" / "scripts"


def test_checksums_of_one_reading(monkeypatch):
    content, opened, read = EXAMPLE.read_bytes(), Path.open, []
    monkeypatch.setattr(Path, "open", lambda self, *mode: read.append(self) or opened(self, *mode))
    found = digests_of(EXAMPLE, "sha256", "md5")
    assert found == {"sha256": hashlib.sha256(content).hexdigest(), "md5": hashlib.md5(content).hexdigest()}
    assert read == [EXAMPLE]
    assert sha256_of(EXAMPLE) == found["sha256"]


def test_md5_where_it_is_not_allowed_for_security(tmp_path, monkeypatch):
    """As Python on a machine in FIPS mode."""
    allowed = hashlib.new

    def fips(name, data=b"", *, usedforsecurity=True):
        if name == "md5" and usedforsecurity:
            raise ValueError("[digital envelope routines] unsupported")
        return allowed(name, data, usedforsecurity=usedforsecurity)

    monkeypatch.setattr(hashlib, "new", fips)
    (tmp_path / "empty").touch()
    assert digests_of(tmp_path / "empty", "md5") == {"md5": "d41d8cd98f00b204e9800998ecf8427e"}


def killed_while_writing(target: Path, make: str) -> Path:
    """The temporary file or folder of a process that was killed before it ended."""
    code = (
        "import sys, time; from phytoscribe.files import atomic_path\n"
        f"with atomic_path({str(target)!r}) as path:\n    {make}; print(path, flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    writer = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
    path = Path(writer.stdout.readline().strip())
    with atomic_path(target):
        assert path.exists(), "it is still being written"
        target.with_name(f".{target.name}.{socket.gethostname().replace('.', '-')}.{os.getpid()}.tmp").touch()
    writer.send_signal(signal.SIGKILL)
    writer.communicate()
    assert path.exists()
    return path


@pytest.mark.parametrize("make", ["path.write_text('half')", "(path / 'a').mkdir(parents=True)"])
def test_the_same_output_removes_what_a_killed_run_left(tmp_path, make):
    target = tmp_path / "k.fa"
    left = killed_while_writing(target, make)
    other = killed_while_writing(tmp_path / "k.fa.fai", "path.touch()")
    with atomic_open(target) as handle:
        handle.write("whole")
    assert not left.exists()
    assert other.exists(), "that of another output"
    assert target.read_text() == "whole"


@pytest.mark.parametrize("name", [".k.fa.node-17.4169.tmp", ".k.fa.4169.tmp"])
def test_what_another_machine_writes_is_left_alone_for_a_day(tmp_path, name):
    theirs = tmp_path / name
    theirs.touch()
    mine = tmp_path / ".k.fa.my.own.tmp"
    mine.touch()
    for age, there in ((3600, True), (90_000, False)):
        os.utime(theirs, (time.time() - age,) * 2)
        os.utime(mine, (0, 0))
        with atomic_open(tmp_path / "k.fa") as handle:
            handle.write("x")
        assert (theirs.exists(), mine.exists()) == (there, True)


def test_a_full_disk_is_named(tmp_path):
    def write():
        with Path("/dev/full").open("w") as full:
            full.write("x")

    with pytest.raises(OSError, match=f"left on device: '{tmp_path}/out'") as caught, atomic_path(tmp_path / "out"):
        write()
    assert caught.value.errno == errno.ENOSPC
    with pytest.raises(OSError, match=r"device: '.*/phytoscribe-"), atomic_path(tmp_path / "out"), scratch_folder():
        write()
    assert list(tmp_path.iterdir()) == []
