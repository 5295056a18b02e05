"""Files that figures of a genome are drawn from, where its genome has them: inputs of the rule that draws."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from phytoscribe.configuration.genomes import Genomes

InputFunction = Callable[[Any], str | list[str]]
"""From a rule's wildcards, which have ``genome``, to a file, or to an empty list."""


class FigureFiles:
    """Input functions of patterns with ``{genome}``; a genome that lacks the kind of file has none."""

    def __init__(self, genomes: Genomes) -> None:
        self._genomes = genomes

    def scored(self, pattern: str) -> InputFunction:
        """A file of genomes whose genes are scored."""
        return _of(self._genomes.evaluated, pattern)

    def with_reads(self, pattern: str) -> InputFunction:
        """A file of genomes that have Iso-Seq reads."""
        return _of(self._genomes.with_isoseq, pattern)


def _of(names: Collection[str], pattern: str) -> InputFunction:
    return lambda wildcards: pattern.format(genome=wildcards.genome) if wildcards.genome in names else []
