"""The set-up scripts: what is missing is installed where that needs no question, else one line says what to do."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = ("cd-hit", "blastn", "minimap2", "gt", "augustus", "curl", "aragorn", "cmscan", "salmon")


def command(folder: Path, name: str, text: str = "exit 0") -> None:
    (folder / name).write_text(f"#!/bin/bash\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def bin_folder(tmp_path):
    """A PATH with bash and env alone."""
    for name in ("bash", "env"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    return tmp_path


def install(folder: Path, *arguments: str, systemd: str = "/no/such/folder") -> subprocess.CompletedProcess:
    return subprocess.run(
        ["/usr/bin/bash", str(ROOT / "tools/install_programs.sh"), *arguments],
        env=os.environ | {"PATH": str(folder), "SYSTEMD_FOLDER": systemd},
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_to_do_is_silent(bin_folder):
    for name in PROGRAMS:
        command(bin_folder, name)
    done = install(bin_folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_apt_one_line_says_what_to_install(bin_folder):
    for name in (*PROGRAMS[:3], *PROGRAMS[5:]):
        command(bin_folder, name)
    done = install(bin_folder)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "apt-get install genometools augustus augustus-data" in done.stderr
    assert "conda install -c conda-forge -c bioconda genometools-genometools augustus" in done.stderr


def test_without_rights_nothing_is_asked(bin_folder):
    command(bin_folder, "apt-get", "echo called >&2")
    command(bin_folder, "id", "echo 1000")
    command(bin_folder, "sudo", "exit 1")
    done = install(bin_folder)
    assert done.returncode == 1
    assert "called" not in done.stderr
    assert done.stderr.startswith("Missing: cd-hit blastn minimap2 gt augustus curl aragorn cmscan salmon.")


def test_root_installs_what_is_missing(bin_folder):
    for name in PROGRAMS[1:]:
        command(bin_folder, name)
    command(bin_folder, "id", "echo 0")
    command(bin_folder, "apt-get", f'echo "$@" >> {bin_folder}/calls; /usr/bin/cp {bin_folder}/gt {bin_folder}/cd-hit')
    done = install(bin_folder)
    assert done.returncode == 0, done.stderr
    calls = (bin_folder / "calls").read_text().splitlines()
    assert calls[0].startswith("update")
    assert calls[1].split()[-1] == "cd-hit"


def test_slurm_is_installed_for_the_tests_where_nothing_starts_it_for_good(bin_folder):
    command(bin_folder, "id", "echo 0")
    command(bin_folder, "apt-get", f'echo "$@" >> {bin_folder}/calls')
    done = install(bin_folder, "slurm")
    assert done.returncode == 0, done.stderr
    calls = (bin_folder / "calls").read_text().splitlines()
    assert calls[1].split()[-4:] == ["slurmctld", "slurmd", "slurm-client", "munge"]


@pytest.mark.parametrize(
    ("there", "user", "systemd", "reason"),
    [
        (["sbatch"], 0, False, "has a part of one"),
        ([], 1000, False, "needs root"),
        ([], 0, True, "systemd would keep it running"),
    ],
)
def test_elsewhere_one_line_says_why_slurm_is_not_installed(bin_folder, there, user, systemd, reason):
    for name in there:
        command(bin_folder, name)
    command(bin_folder, "id", f"echo {user}")
    command(bin_folder, "apt-get", f"echo called >> {bin_folder}/calls")
    done = install(bin_folder, "slurm", systemd=str(bin_folder) if systemd else "/no/such/folder")
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    assert "will be skipped" in done.stdout
    assert reason in done.stdout
    assert not (bin_folder / "calls").exists()


def test_slurm_that_is_there_is_no_news(bin_folder):
    for name in ("slurmctld", "slurmd", "sbatch", "munged"):
        command(bin_folder, name)
    done = install(bin_folder, "slurm")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_size_of_the_environment_is_said_for_both_builds(tmp_path):
    (tmp_path / "venv/bin").mkdir(parents=True)
    command(tmp_path, "python3")
    command(tmp_path / "venv/bin", "pip")
    done = subprocess.run(
        ["bash", str(ROOT / "tools/make_environment.sh"), str(tmp_path / "python3"), str(tmp_path / "venv")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "about 2 GB, or 6 GB where pip brings the CUDA build of PyTorch" in done.stdout


def test_old_python_is_refused(tmp_path):
    command(tmp_path, "python3", 'case "$1" in -V) echo Python 3.9.2;; *) exit 1;; esac')
    done = subprocess.run(
        ["bash", str(ROOT / "tools/make_environment.sh"), str(tmp_path / "python3"), str(tmp_path / "venv")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "Python 3.9.2" in done.stderr
    assert not (tmp_path / "venv").exists()
