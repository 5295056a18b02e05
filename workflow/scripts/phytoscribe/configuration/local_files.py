"""Files that a configuration names, on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator


def unreadable(place: str, path: str) -> Iterator[str]:
    """A file that is not there or may not be read.

    Args:
        place: the key that names it.
    """
    if not os.path.isfile(path):  # unlike pathlib, it does not raise for a name that is too long
        wrong = "is a folder" if os.path.isdir(path) else "no such file"
        yield f"{place}: {path}: {wrong} (relative paths start where Snakemake runs)"
    elif not os.access(path, os.R_OK):
        yield f"{place}: {path}: no permission to read it"
