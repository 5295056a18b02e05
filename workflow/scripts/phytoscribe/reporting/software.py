"""Versions of the programs and packages that the report job finds."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from importlib import metadata

from phytoscribe import __version__

PACKAGES = (
    "snakemake", "torch", "pytorch-lightning", "transformers", "tokenizers", "numba", "numpy", "pandas",
    "pyfaidx", "pysam", "matplotlib", "jinja2",
)  # fmt: skip
#: Program, the option that makes it tell its version, and where the version is in its answer.
PROGRAMS = (
    ("cd-hit", "-h", r"version ([\w.]+)"),
    ("blastn", "-version", r"blastn: ([\w.+]+)"),
    ("minimap2", "--version", r"(\S+)"),
    ("augustus", "--version", r"\(([\w.]+)\)"),
    ("curl", "--version", r"curl ([\w.]+)"),
    ("gt", "--version", r"GenomeTools\) ([\w.]+)"),
)


def versions() -> list[tuple[str, str]]:
    """(name, version) of PhytoScribe, Python, the packages that are installed and the programs on PATH."""
    found = [("PhytoScribe", __version__), ("Python", platform.python_version())]
    installed = {(item.metadata["Name"] or "").lower(): item.version for item in metadata.distributions()}
    found += [(name, installed[name]) for name in PACKAGES if name in installed]
    return found + [(name, told) for name, option, pattern in PROGRAMS if (told := _told(name, option, pattern))]


def _told(program: str, option: str, pattern: str) -> str | None:
    """The version that a program tells, ``unknown`` if its answer is not understood, None if it is not on PATH."""
    path = shutil.which(program)
    if path is None:
        return None
    done = subprocess.run([path, option], capture_output=True, text=True, check=False)
    matched = re.search(pattern, done.stdout + done.stderr)
    return matched.group(1) if matched else "unknown"
