"""One process at a time: the lock beside a file that is being fetched."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from phytoscribe.errors import DownloadError

log = logging.getLogger(__name__)

SECONDS_BETWEEN_TRIES = 0.25


@contextmanager
def alone(lock_path: Path, shown: str) -> Iterator[None]:
    """Hold a lock file, waiting for another process that holds it; a dead process holds nothing.

    Args:
        lock_path: made with its folder, and removed at the end.
        shown: what is being fetched, for messages.

    Raises:
        DownloadError: the lock file cannot be written.
    """
    lock = FileLock(lock_path, poll_interval=SECONDS_BETWEEN_TRIES)
    try:
        lock_path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.info("%s: another process is fetching it; waiting (lock %s)", shown, lock_path)
            lock.acquire()
    except OSError as error:
        raise DownloadError(
            f"{shown}: nothing can be written into {lock_path.parent} ({error.strerror}); check the folder"
        ) from error
    try:
        yield
    finally:
        # Removed while held: whoever waits for it notices and makes a new one.
        lock_path.unlink(missing_ok=True)
        lock.release()
