"""Versions of the programs and packages that the report job finds, and what to cite for them."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from importlib import metadata

from phytoscribe import __version__

PACKAGES = (
    "snakemake", "torch", "pytorch-lightning", "transformers", "tokenizers", "numba", "numpy", "pandas",
    "pyfaidx", "requests", "pysam", "matplotlib", "jinja2",
)  # fmt: skip
#: Program, the option that makes it tell its version, and where the version is in its answer.
PROGRAMS = (
    ("cd-hit", "-h", r"version ([\w.]+)"),
    ("blastn", "-version", r"blastn: ([\w.+]+)"),
    ("minimap2", "--version", r"(\S+)"),
    ("augustus", "--version", r"\(([\w.]+)\)"),
    ("gt", "--version", r"GenomeTools\) ([\w.]+)"),
)
CITATIONS = (
    ("Snakemake", "Mölder et al. 2021, F1000Research 10:33", "10.12688/f1000research.29032.2"),
    ("AGAT", "Dainat, zenodo", "10.5281/zenodo.3552717"),
    ("CD-HIT", "Fu et al. 2012, Bioinformatics 28:3150", "10.1093/bioinformatics/bts565"),
    ("BLAST+", "Camacho et al. 2009, BMC Bioinformatics 10:421", "10.1186/1471-2105-10-421"),
    ("minimap2", "Li 2018, Bioinformatics 34:3094", "10.1093/bioinformatics/bty191"),
    ("AUGUSTUS", "Stanke et al. 2008, Bioinformatics 24:637", "10.1093/bioinformatics/btn013"),
    ("GenomeTools", "Gremme et al. 2013, IEEE/ACM TCBB 10:645", "10.1109/TCBB.2013.68"),
    ("PyTorch", "Paszke et al. 2019, NeurIPS 32", ""),
    ("Transformers", "Wolf et al. 2020, EMNLP: System Demonstrations", "10.18653/v1/2020.emnlp-demos.6"),
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
