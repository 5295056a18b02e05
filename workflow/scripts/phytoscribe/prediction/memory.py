"""What the C library does with the memory of large arrays that are made and freed over and over."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGE = 1 << 30


class FreedMemory:
    """Keeps freed memory for the next arrays, and gives it back now and then; for glibc, elsewhere nothing happens.

    By default every large tensor is fresh memory of the kernel, page by page and zeroed: a fifth of the time of the
    network on processors.  Without giving back, gaps between arrays would add up over a long genome.
    """

    #: Calls of :meth:`tidy` between two times that memory is given back.
    INTERVAL = 32

    def __init__(self) -> None:
        self._trim = None
        self._calls = 0
        if not sys.platform.startswith("linux"):
            return
        library = ctypes.CDLL(None)
        if not (hasattr(library, "mallopt") and hasattr(library, "malloc_trim")):
            return
        if library.mallopt(_TRIM_THRESHOLD, _LARGE) and library.mallopt(_MMAP_THRESHOLD, _LARGE):
            self._trim = library.malloc_trim

    def tidy(self) -> None:
        """To be called after each batch of windows."""
        self._calls += 1
        if self._trim is not None and self._calls % self.INTERVAL == 0:
            self._trim(0)
