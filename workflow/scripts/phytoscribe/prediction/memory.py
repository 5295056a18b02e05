"""What the C library does with the memory of large arrays that are made and freed over and over."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
#: More than any array of a window; glibc before 2.35 refuses a larger threshold.
_LARGE = 1 << 25


class FreedMemory:
    """Keeps freed memory for the next arrays, and gives it back now and then; for glibc, elsewhere nothing happens.

    By default every large tensor is fresh memory of the kernel, page by page and zeroed: a fifth of the time of the
    network on processors.  Without giving back, gaps between arrays would add up over a long genome.  And all threads
    share what has been freed: by default each has a heap of its own, and as contigs and windows move from one thread to
    another, every heap grows as large as the largest thing that ever was in it.

    To be made before the threads are: those that have begun to use a heap of their own keep it.
    """

    #: Calls of :meth:`tidy` between two times that memory is given back.
    INTERVAL = 16

    def __init__(self) -> None:
        self._trim = None
        self._calls = 0
        if not sys.platform.startswith("linux"):
            return
        library = ctypes.CDLL(None)
        if not (hasattr(library, "mallopt") and hasattr(library, "malloc_trim")):
            return
        options = ((_ARENA_MAX, 1), (_TRIM_THRESHOLD, 1 << 30), (_MMAP_THRESHOLD, _LARGE))
        if all(library.mallopt(option, value) for option, value in options):
            self._trim = library.malloc_trim

    def tidy(self) -> None:
        """To be called after each batch of windows."""
        self._calls += 1
        if self._trim is not None and self._calls % self.INTERVAL == 0:
            self._trim(0)
