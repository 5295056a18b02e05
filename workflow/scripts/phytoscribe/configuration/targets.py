"""Requested files against the genomes of the configuration: a typing error is told before any job starts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from phytoscribe.configuration.schema import closest
from phytoscribe.errors import ConfigError

#: Files that belong to one genome; the name ends at the next slash or dot.
_OF_ONE_GENOME = re.compile(
    r"^(?:\./)?(?:"
    r"results/(?:predictions|clean|evaluation)/(?P<file>[^/.]+)\.[^/]+$"
    r"|results/evaluation/(?:augustus|isoseq)/(?P<evaluated>[^/.]+)\.[^/]+$"
    r"|results/splits/(?:proteins|loci)/(?P<split>[^/.]+)\.[^/]+$"
    r"|(?:resources/genomes|results/predictions/shards)/(?P<folder>[^/]+)/.+$"
    r")"
)


def check_targets(requested: Iterable[str], known: Sequence[str]) -> None:
    """Raise ConfigError for a requested file of a genome that the configuration does not list.

    Args:
        requested: command-line arguments; those that are no file of one genome are passed over.
        known: names of the genomes in the configuration.
    """
    for target in requested:
        match = _OF_ONE_GENOME.match(target)
        if match is None:
            continue
        name = next(filter(None, match.groups()))
        if name not in known:
            raise ConfigError(
                f"{target}: there is no genome '{name}' in the configuration{closest(name, known)}; "
                f"its genomes are: {', '.join(known)}"
            )
