"""A rule that is tried again says on the terminal once why it failed: at the last attempt."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from phytoscribe.errors import PhytoScribeError

log = logging.getLogger(__name__)


def said_once(main: Callable[[Any], None]) -> Callable[[Any], None]:
    """``main`` for :func:`phytoscribe.session.run_script`, whose errors reach the terminal at the last attempt alone.

    The log has them each time (Snakemake begins it anew for each attempt), and the exit code is 1 each time.
    ``snakemake.resources.attempts_left`` counts the attempts that follow.
    """

    def quiet_main(snakemake: Any) -> None:
        try:
            main(snakemake)
        except PhytoScribeError as error:
            if not attempts_left(snakemake):
                raise
            log.error("%s; Snakemake tries again", error)
            raise SystemExit(1) from None

    return quiet_main


def attempts_left(snakemake: Any) -> int:
    """Attempts that Snakemake makes if this one fails; 0 for a rule that does not count them."""
    return int(getattr(getattr(snakemake, "resources", None), "attempts_left", 0))
