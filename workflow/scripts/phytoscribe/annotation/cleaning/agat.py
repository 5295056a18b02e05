"""Run AGAT's ``agat_convert_sp_gxf2gxf.pl`` and check what it did.

AGAT always ends with exit code 0: an unreadable file gives an empty output, a full disk a truncated one, an existing
output is left unchanged, and lost genes are only mentioned in its log (observed with AGAT 1.7.0).  It therefore runs in
a folder of its own, on an uncompressed copy of the source, and its output is used only after
:mod:`phytoscribe.annotation.cleaning.clean` has counted the genes that went in and came out.

AGAT: Dainat J., https://doi.org/10.5281/zenodo.3552717.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple

from phytoscribe.annotation.gff_text import numbered_lines
from phytoscribe.errors import ToolError

log = logging.getLogger(__name__)

PROGRAM = "agat_convert_sp_gxf2gxf.pl"
#: The version whose behaviour docs/cleaning.md describes.
TESTED_VERSION = "1.7.0"
#: A file of a million lines takes AGAT one to two minutes; one that is still running after this is caught in a loop.
TIME_LIMIT_SECONDS = 6 * 3600
#: AGAT does not notice a full disk.  It adds exons and UTRs to files without them, and ids to all lines.
ROOM_PER_BYTE = 5
#: AGAT writes several lines for each thing that it adds; a log is for reading.
LONGEST_LOG = 20_000
_DIRECTIVES_LEFT_OUT = ("###", "##FASTA", "##feature-ontology")


class AgatRun(NamedTuple):
    """AGAT's output file, the version in its banner and the text that it printed."""

    output: Path
    version: str
    printed: str


def find_agat() -> str:
    """Find the AGAT program.

    Raises:
        ToolError: it is not on PATH.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise ToolError(
            f"{PROGRAM} was not found: run Snakemake with --software-deployment-method conda, which installs AGAT, "
            "or set clean.backend: builtin in the configuration"
        )
    return program


def run_agat(program: str, source: str | Path, folder: Path) -> AgatRun:
    """Run AGAT on a copy of ``source`` in the empty ``folder``.

    Raises:
        ToolError: AGAT cannot be started, fails, is killed, does not end, or writes nothing or an incomplete line.
    """
    plain = folder / "source.gff"
    _copy_plain(source, plain)
    output = folder / "cleaned.gff3"
    # One process: it is as fast as two on real files, gives new features the same ids in every run, takes any sequence
    # name ("/" in one ends a forked run), and cannot lose a chunk whose process was killed, which AGAT passes over.
    command = [program, "--gff", str(plain), "--output", str(output), "--cpu", "0"]
    # Perl draws the order of its hashes anew in each run, and complains of locales that a machine lacks.
    environment = {**os.environ, "PERL_HASH_SEED": "0", "LC_ALL": "C"}
    with (folder / "stdout").open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                timeout=TIME_LIMIT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ToolError(
                f"{source}: AGAT had not ended after {TIME_LIMIT_SECONDS / 3600:g} hours and was stopped; "
                "set clean.backend: builtin"
            ) from error
        except OSError as error:
            raise ToolError(f"{program}: AGAT cannot be started ({error.strerror}); install it anew") from error
    printed, complaints = _text(folder / "stdout"), _text(folder / "stderr")
    _keep_log(folder, printed, complaints)
    found = re.search(r"[Vv]ersion:?\s*v?(\d[\w.]*)", printed)
    run = AgatRun(output, found.group(1) if found else "of unknown version", printed + complaints)
    if run.version != TESTED_VERSION:
        log.warning("AGAT is %s; its behaviour was checked with %s", run.version, TESTED_VERSION)
    _check_result(source, run, done.returncode)
    return run


def _copy_plain(source: str | Path, target: Path) -> None:
    """Copy the source's features and directives, uncompressed; other lines become blank, so that line numbers stay.

    This way AGAT also gets the features after a FASTA section, and no ``##feature-ontology``, which it would download.
    """
    try:
        with target.open("w", encoding="utf-8", newline="\n") as copy:
            for _, line in numbered_lines(source):
                directive = line.startswith("##") and not line.startswith(_DIRECTIVES_LEFT_OUT)
                copy.write(f"{line}\n" if directive or (line[:1] not in "#>" and line.count("\t") == 8) else "#\n")
        size, free = target.stat().st_size, shutil.disk_usage(target).free
    except OSError as error:
        raise ToolError(
            f"{target.parent}: no copy of {source} for AGAT could be written there ({error.strerror}); set TMPDIR to a "
            "folder with room"
        ) from error
    if free < size * ROOM_PER_BYTE:
        raise ToolError(
            f"{target.parent}: {free / 1e6:.0f} MB free, but AGAT's result for {source} may take "
            f"{size * ROOM_PER_BYTE / 1e6:.0f} MB; set TMPDIR to a folder with room"
        )


def _check_result(source: str | Path, run: AgatRun, code: int) -> None:
    number = -code if code < 0 else code - 128  # a shell in between adds 128 to the signal's number
    if number in signal.valid_signals():
        raise ToolError(
            f"{source}: AGAT was killed (signal {number}); as a rule its memory did not suffice: raise mem_mb of "
            "clean_annotation in the profile (2 GB for a million lines), or set clean.backend: builtin"
        )
    size = run.output.stat().st_size if run.output.exists() else 0
    if code != 0 or size == 0:
        tail = " | ".join(line.strip() for line in run.printed.splitlines()[-5:] if line.strip())
        raise ToolError(
            f"{source}: AGAT gave no result (exit code {code}): {tail or 'no message'}; "
            "look at the file, or set clean.backend: builtin"
        )
    with run.output.open("rb") as handle:
        handle.seek(-1, os.SEEK_END)
        if handle.read(1) != b"\n":
            raise ToolError(
                f"{source}: AGAT's output ends in the middle of a line; as a rule the disk of {run.output.parent} was "
                "full: set TMPDIR to a folder with room"
            )


def _keep_log(folder: Path, printed: str, complaints: str) -> None:
    """AGAT's own log, what it printed to stderr and a count of its warnings, in ours."""
    files = sorted(folder.glob("agat_log_*/*"))
    own = "".join(_text(file) for file in files) if files else printed
    lines = own.splitlines()
    if len(lines) > LONGEST_LOG:
        half = LONGEST_LOG // 2
        lines = [*lines[:half], f"[{len(lines) - LONGEST_LOG} lines left out]", *lines[-half:]]
    log.info("AGAT's log:\n%s", "\n".join(lines))
    if complaints.strip():
        log.info("AGAT's stderr:\n%s", complaints[-100_000:])
    warnings = [line.strip() for line in own.splitlines() if "WARNING" in line]
    if warnings:
        log.warning("AGAT warned %d times (see its log above); first: %s", len(warnings), warnings[0])


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")
