"""One annotation through the cleaner that the configuration names."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from phytoscribe import __version__
from phytoscribe.annotation.agat import clean_with_agat
from phytoscribe.annotation.model import GeneModel
from phytoscribe.annotation.normalise import normalise
from phytoscribe.annotation.repairs import LOSSES, RepairReport
from phytoscribe.errors import ConfigError

log = logging.getLogger(__name__)


class Cleaned(NamedTuple):
    """Sorted gene models, what was changed, and the name and version of the cleaner."""

    genes: list[GeneModel]
    report: RepairReport
    cleaner: str


def clean(path: str | Path, contigs: Mapping[str, int], backend: str) -> Cleaned:
    """Clean a GFF3 or GTF file with ``agat`` or ``builtin``; the one is never used in place of the other.

    Raises:
        ConfigError: another backend.
        GffError, ToolError: see the cleaners.
    """
    if backend == "builtin":
        genes, report = normalise(path, contigs)
        cleaner = f"PhytoScribe {__version__} builtin cleaner"
    elif backend == "agat":
        genes, report, version = clean_with_agat(path, contigs)
        cleaner = f"AGAT {version} and PhytoScribe {__version__} builtin cleaner"
    else:
        raise ConfigError(f"config, clean.backend: {backend!r} is unknown; allowed are agat and builtin")
    log.info("%s: %d genes in, %d genes out, by %s", path, report.genes_in, report.genes_out, cleaner)
    for kind, count in sorted(report.counts.items()):
        log.log(logging.WARNING if kind in LOSSES else logging.INFO, "%s: %d", kind, count)
    return Cleaned(genes, report, cleaner)
