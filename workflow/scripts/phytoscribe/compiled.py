"""Compilation of the functions that are machine code, and where that is kept between runs.

Numba on its own keeps machine code beside the source file, which may be read-only or another user's, and takes it for
current as long as this one file has not changed, though functions and numbers of other modules are compiled into it.
Here the folder is named by a digest of all modules that the function's module reaches, below the first of these
places that can be written: ``$NUMBA_CACHE_DIR``; ``phytoscribe`` in ``$XDG_CACHE_HOME`` (``~/.cache`` if unset);
``.snakemake`` where the run is; a temporary folder, for this process alone.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core import config
from numba.core.caching import UserProvidedCacheLocator

from phytoscribe.sources import SCRIPTS, modules_reached


def njit(**options: Any) -> Callable[[Callable], Callable]:
    """:func:`numba.njit`; with ``cache=True`` the machine code is kept as said above."""

    def compiled(function: Callable) -> Callable:
        before = config.CACHE_LOCATOR_CLASSES
        config.CACHE_LOCATOR_CLASSES = f"{__name__}.{DigestLocator.__name__}"
        try:
            return numba.njit(**options)(function)
        finally:
            config.CACHE_LOCATOR_CLASSES = before

    return compiled


class DigestLocator(UserProvidedCacheLocator):
    """Tells numba the folder of a function's machine code."""

    def __init__(self, function: Callable, file: str) -> None:
        super().__init__(function, file)
        self._cache_path = str(writable_folder(digest_of_sources(file)))

    @classmethod
    def from_function(cls, function: Callable, file: str) -> DigestLocator:
        locator = cls(function, file)
        locator.ensure_cache_path()
        return locator


@cache
def digest_of_sources(file: str | Path, scripts: Path = SCRIPTS) -> str:
    """Hex digest of a library module and all it reaches: their places in the library, and their bytes."""
    digest = hashlib.sha256()
    for path in (Path(file), *modules_reached(file, scripts)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(scripts)} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:32]


@cache
def writable_folder(digest: str) -> Path:
    """The folder of this name in the first of the places above where it can be written; it is made."""
    for folder in (place / digest for place in _places()):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError:
            continue
        return folder
    return _folder_of_this_process() / digest


@cache
def _folder_of_this_process() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="phytoscribe-compiled-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    warnings.warn(
        "no folder for compiled functions can be written, so each job compiles them anew (half a minute); "
        "set XDG_CACHE_HOME to one that can",
        stacklevel=2,
    )
    return folder


def _places() -> Iterator[Path]:
    if config.CACHE_DIR:
        yield Path(config.CACHE_DIR)
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    # Without a home `~` stays as it is.
    if os.path.isabs(home):
        yield Path(home) / "phytoscribe" / "compiled"
    if Path(".snakemake").is_dir():
        yield Path(".snakemake/phytoscribe").absolute()
