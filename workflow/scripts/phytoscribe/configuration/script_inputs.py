"""Find the library modules that determine what a rule's script writes.

Snakemake reruns a rule when its script changes, not when a module changes that the script imports.  The rules
therefore list the modules reached as inputs; this module finds them, so that no list has to be kept by hand.
"""

from __future__ import annotations

from pathlib import Path

from phytoscribe.sources import PACKAGE, modules_reached

#: Modules and folders that cannot change a result, so that their edits rerun nothing: messages, logging, renaming
#: files, calling programs, where compiled code is kept, and downloads, which arrive whole and checked or not at all.
WITHOUT_RESULTS = (
    "compiled.py",
    "errors.py",
    "files.py",
    "programs.py",
    "session.py",
    "sources.py",
    "intake/transfer/",
)


def result_modules(script: str | Path, scripts: str | Path) -> list[Path]:
    """The modules of :func:`modules_reached` whose changes can affect what the script writes."""
    package = Path(scripts) / PACKAGE
    reached = modules_reached(script, scripts)
    return [file for file in reached if not str(file.relative_to(package)).startswith(WITHOUT_RESULTS)]
