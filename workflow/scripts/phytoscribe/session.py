"""What every rule's script does around its one call: log file, messages, exit code."""

from __future__ import annotations

import errno
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from phytoscribe import __version__
from phytoscribe.errors import PhytoScribeError

#: Errors of the machine that the user can fix, and how.
MACHINE_ERRORS = {
    errno.ENOSPC: "make room on the disk and run again",
    errno.EDQUOT: "your disk quota is used up: make room and run again",
    errno.EROFS: "this file system cannot be written: run where it can",
    errno.EACCES: "change the permissions, or run where you may read and write",
}


def run_script(main: Callable[[Any], None], snakemake: Any) -> None:
    """Run one rule's ``main(snakemake)`` with its log file.

    Log lines and everything that is written to stderr go to ``snakemake.log[0]``; a
    :class:`~phytoscribe.errors.PhytoScribeError`, a full disk or a missing permission ends the script with exit code 1
    and its message, in the log and on the terminal, without a traceback.  A rule that Snakemake will try again, as
    ``snakemake.resources.attempts_left`` says, tells the log alone.
    """
    terminal = sys.stderr
    log_path = Path(snakemake.log[0])
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("w", buffering=1) as log_file:
        sys.stderr = log_file
        logging.basicConfig(
            stream=log_file,
            level=logging.INFO,
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
            force=True,
        )
        logging.captureWarnings(True)
        logging.getLogger("phytoscribe").info("PhytoScribe %s, rule %s", __version__, snakemake.rule)
        try:
            main(snakemake)
        except (PhytoScribeError, OSError) as error:
            message = _for_the_user(error)
            if message is None:
                logging.getLogger("phytoscribe").exception("unexpected error")
                raise
            again = getattr(getattr(snakemake, "resources", None), "attempts_left", 0)
            logging.getLogger("phytoscribe").error("%s%s", message, "; Snakemake tries again" if again else "")
            if not again:
                print(f"PhytoScribe, rule {snakemake.rule}: {message}", file=terminal, flush=True)
            raise SystemExit(1) from None
        except Exception:
            logging.getLogger("phytoscribe").exception("unexpected error")
            raise
        finally:
            sys.stderr = terminal


def warn(text: str) -> None:
    """A warning that the user must see: in the log, and on the terminal."""
    logging.getLogger("phytoscribe").warning("%s", text)
    print(f"PhytoScribe, warning: {text}", file=sys.__stderr__, flush=True)


def _for_the_user(error: PhytoScribeError | OSError) -> str | None:
    """The message of an error that a user can fix; None for a fault of the program."""
    if isinstance(error, PhytoScribeError):
        return str(error)
    if error.errno in MACHINE_ERRORS:
        return f"{error.filename or 'an output'}: {error.strerror}; {MACHINE_ERRORS[error.errno]}"
    return None
