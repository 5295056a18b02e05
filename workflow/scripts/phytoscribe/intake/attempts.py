"""A rule that is tried again says a thing once on the terminal."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from phytoscribe.errors import PhytoScribeError

log = logging.getLogger(__name__)


def said_once(main: Callable[[Any], None], snakemake: Any) -> Callable[[Any], None]:
    """``main`` for :func:`phytoscribe.session.run_script`, quiet about an error that the attempt before has shown.

    Call it before ``run_script``, which overwrites the log: the log of the attempt before is where the error is looked
    up. The error is in the new log as well, and the exit code is 1 each time.

    Args:
        snakemake: ``resources.attempt`` counts the attempts from 1, ``log[0]`` is the log file.
    """
    earlier = Path(snakemake.log[0])
    shown = (
        earlier.read_text(encoding="utf-8", errors="replace") if _attempt(snakemake) > 1 and earlier.is_file() else ""
    )

    def quiet_main(snakemake: Any) -> None:
        try:
            main(snakemake)
        except PhytoScribeError as error:
            if str(error) not in shown:
                raise
            log.error("%s", error)
            raise SystemExit(1) from None

    return quiet_main


def _attempt(snakemake: Any) -> int:
    return int(getattr(getattr(snakemake, "resources", None), "attempt", 1))
