"""One annotation through the cleaner that the configuration names."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from phytoscribe import __version__
from phytoscribe.annotation.cleaning.agat import clean_with_agat
from phytoscribe.annotation.cleaning.normalise import normalise
from phytoscribe.annotation.cleaning.repairs import LOSSES, RepairReport
from phytoscribe.annotation.model import GeneModel
from phytoscribe.annotation.seqids import check_seqid_map
from phytoscribe.errors import ConfigError

log = logging.getLogger(__name__)


class Cleaned(NamedTuple):
    """Sorted gene models, what was changed, and the name and version of the cleaner."""

    genes: list[GeneModel]
    report: RepairReport
    cleaner: str


def clean(
    path: str | Path, contigs: Mapping[str, int], backend: str, seqid_map: Mapping[str, str | None] | None = None
) -> Cleaned:
    """Clean a GFF3 or GTF file with ``agat`` or ``builtin``; the one is never used in place of the other.

    Args:
        path: the file, plain or gzipped.
        contigs: name to length, in the order in which the genes are sorted.
        backend: ``agat`` or ``builtin``.
        seqid_map: sequence name in the file to name in ``contigs``, or to None to leave the sequence out.

    Raises:
        ConfigError: another backend, or a ``seqid_map`` that would put genes on a wrong sequence.
        GffError, ToolError: see the cleaners.
    """
    if backend not in ("agat", "builtin"):
        raise ConfigError(f"config, clean.backend: {backend!r} is unknown; allowed are agat and builtin")
    check_seqid_map(path, contigs, seqid_map or {})
    if backend == "builtin":
        genes, report = normalise(path, contigs, seqid_map)
        cleaner = f"PhytoScribe {__version__} builtin cleaner"
    else:
        genes, report, version = clean_with_agat(path, contigs, seqid_map)
        cleaner = f"AGAT {version} and PhytoScribe {__version__} builtin cleaner"
    log.info("%s: %d genes in, %d genes out, by %s", path, report.genes_in, report.genes_out, cleaner)
    for kind, count in sorted(report.counts.items()):
        log.log(logging.WARNING if kind in LOSSES else logging.INFO, "%s: %d", kind, count)
    return Cleaned(genes, report, cleaner)
