"""Calling external programs: found or named as missing, checked, their versions told."""

from __future__ import annotations

import logging
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from phytoscribe.errors import ToolError

#: What a user types to get a program: Debian/Ubuntu package (empty where there is none) and conda package, or that of
#: pip where there is no channel.
PACKAGES = {
    "aragorn": ("aragorn", "bioconda::aragorn"),
    "augustus": ("augustus augustus-data", "bioconda::augustus"),
    "busco": ("busco", "bioconda::busco"),
    "curl": ("curl", "conda-forge::curl"),
    "cmscan": ("infernal", "bioconda::infernal"),
    "cd-hit": ("cd-hit", "bioconda::cd-hit"),
    "minimap2": ("minimap2", "bioconda::minimap2"),
    "miniprot": ("", "bioconda::miniprot"),
    "diamond": ("diamond-aligner", "bioconda::diamond"),
    "blastn": ("ncbi-blast+", "bioconda::blast"),
    "blastp": ("ncbi-blast+", "bioconda::blast"),
    "makeblastdb": ("ncbi-blast+", "bioconda::blast"),
    "salmon": ("salmon", "bioconda::salmon"),
    "modisco": ("", "modisco-lite"),
    "tRNAscan-SE": ("", "bioconda::trnascan-se"),
}
_STDERR_LINES = 8
log = logging.getLogger(__name__)


def require(program: str, purpose: str) -> str:
    """Path of ``program``.

    Raises:
        ToolError: it is not on PATH; the text says what needs it and how to install it.
    """
    found = shutil.which(program)
    if found is None:
        apt, conda = PACKAGES[program]
        by_apt = f"'apt install {apt}' or " if apt else ""
        by_conda = f"conda install {conda}" if "::" in conda else f"pip install {conda}"
        raise ToolError(
            f"{program} is not on PATH, but {purpose} needs it; install it with {by_apt}'{by_conda}', or run Snakemake "
            "with '--software-deployment-method conda'"
        )
    return found


def run(command: Sequence[str | float | Path], stdout: Path | None = None, cwd: Path | None = None) -> str:
    """Run a program to its end and return what it printed, or write that to the file ``stdout`` and return "".

    Args:
        command: the program and its arguments; they are logged.
        stdout: a file for what it prints.
        cwd: the folder that it runs in.

    Raises:
        ToolError: it ends with an exit code other than 0; the text holds the command and its last lines on stderr.
    """
    words = [str(word) for word in command]
    log.info("%s", shlex.join(words))
    if stdout is None:
        done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=cwd)
    else:
        with stdout.open("w", encoding="utf-8") as handle:
            done = subprocess.run(words, stdout=handle, stderr=subprocess.PIPE, text=True, check=False, cwd=cwd)
    if done.returncode != 0:
        lines = [line.strip() for line in (done.stderr or done.stdout or "").splitlines() if line.strip()]
        last = " | ".join(lines[-_STDERR_LINES:])
        raise ToolError(f"'{shlex.join(words)}' failed with exit code {done.returncode}: {last or 'no message'}")
    return done.stdout or ""


def version_line(program: str, option: str, name: str = "") -> str:
    """The first line that ``program option`` prints on stdout or stderr, or ``name`` and the version behind it.

    Args:
        name: what stands before the version; without it the first line is taken.
    """
    done = subprocess.run([program, option], capture_output=True, text=True, check=False)
    text = (done.stdout + done.stderr).strip()
    found = re.search(rf"{re.escape(name)} v?\d\S*" if name else r".+", text)
    if found is None:
        raise ToolError(f"'{program} {option}' printed no version; reinstall {program}")
    return found[0].strip()
