"""What every rule's script does around its one call: log file, messages, exit code."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from phytoscribe import __version__
from phytoscribe.errors import PhytoScribeError


def run_script(main: Callable[[Any], None], snakemake: Any) -> None:
    """Run one rule's ``main(snakemake)`` with its log file.

    Log lines and everything that is written to stderr go to ``snakemake.log[0]``; a
    :class:`~phytoscribe.errors.PhytoScribeError` ends the script with exit code 1 and its message, in the log and on
    the terminal, without a traceback.
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
        except PhytoScribeError as error:
            logging.getLogger("phytoscribe").error("%s", error)
            print(f"PhytoScribe, rule {snakemake.rule}: {error}", file=terminal, flush=True)
            raise SystemExit(1) from None
        except Exception:
            logging.getLogger("phytoscribe").exception("unexpected error")
            raise
        finally:
            sys.stderr = terminal
