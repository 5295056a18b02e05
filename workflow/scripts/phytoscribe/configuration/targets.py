"""Requested files against the genomes of the configuration: a typing error is told before any job starts."""

from __future__ import annotations

import re
from collections.abc import Iterable

from phytoscribe.configuration.genomes import Genomes
from phytoscribe.configuration.schema import closest
from phytoscribe.errors import ConfigError

#: Files that belong to one genome; the name ends at the next slash or dot.
_OF_ONE_GENOME = re.compile(
    r"^(?:\./)?(?:"
    r"results/(?:predictions|clean|evaluation)/(?P<file>[^/.]+)\.[^/]+$"
    r"|results/evaluation/(?:augustus|isoseq)/(?P<evaluated>[^/.]+)\.[^/]+$"
    r"|results/splits/(?:proteins|loci)/(?P<split>[^/.]+)\.[^/]+$"
    r"|(?:resources/genomes|results/predictions/shards|results/tracks)/(?P<folder>[^/]+)/.+$"
    r")"
)


#: Files that only some genomes have: the property of `Genomes` that lists these, and what the others lack.
_OF_SOME_GENOMES = (
    (r"results/(clean/.+|splits/(proteins|loci)/.+)", "annotated", "annotation"),
    (r"resources/genomes/.+(\.annotation\.gff3|/annotation\.source\.json)", "annotated", "annotation"),
    (r"resources/genomes/[^/]+/isoseq\..+", "with_isoseq", "Iso-Seq reads"),
    (
        r"results/evaluation/[^/]+\.(genes|reference_loci|predicted_genes)\.tsv",
        "evaluated",
        "reference genes that training has not seen",
    ),
    (r"results/tracks/[^/]+/reference\.gff3\.gz", "checked", "reference annotation that is used"),
    (r"results/tracks/[^/]+/reads\.bam.*", "with_isoseq", "Iso-Seq reads"),
    (
        r"results/(evaluation/augustus/.+|tracks/[^/]+/augustus\.gff3\.gz)",
        "with_baseline",
        "AUGUSTUS species, or nothing to score it with",
    ),
    (r"results/evaluation/([^/]+\.(isoseq(_\w+)?|blast)\.tsv|isoseq/.+)", "with_isoseq", "Iso-Seq reads"),
)


def check_targets(requested: Iterable[str], genomes: Genomes) -> None:
    """Raise ConfigError for a requested file of a genome that the configuration does not list, or cannot make it for.

    Args:
        requested: command-line arguments; those that are no file of one genome are passed over.
        genomes: the genomes of the configuration.
    """
    for target in requested:
        match = _OF_ONE_GENOME.match(target)
        if match is None:
            continue
        name = next(filter(None, match.groups()))
        if name not in genomes.names:
            raise ConfigError(
                f"{target}: there is no genome '{name}' in the configuration{closest(name, genomes.names)}; "
                f"its genomes are: {', '.join(genomes.names)}"
            )
        for pattern, having, lacking in _OF_SOME_GENOMES:
            able = getattr(genomes, having)
            if re.fullmatch(pattern, target.removeprefix("./")) and name not in able:
                others = f"; genomes that have: {', '.join(able)}" if able else ""
                raise ConfigError(f"{target}: the configuration gives genome '{name}' no {lacking}{others}")
