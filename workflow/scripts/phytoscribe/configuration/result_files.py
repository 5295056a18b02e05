"""Files that the rules of tracks, plausibility and figures take from each other, as functions of their wildcards.

Each function takes an object with the attribute ``genome``, and gives paths from the folder that Snakemake runs in.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Protocol

from phytoscribe.configuration.genomes import Genomes
from phytoscribe.tracks.kinds import TRACKS

#: Gene shapes of the species that the released model learned from (tools/make_related_species.py).
RELATED_SPECIES = Path(__file__).parents[1] / "evaluation" / "quality" / "related_species.tsv"

#: Probability tracks of a genome.
BIGWIGS = tuple(f"results/tracks/{{genome}}/{track}.bw" for track in TRACKS)


InputFunction = Callable[[Any], str | list[str]]
"""From a rule's wildcards, which have ``genome``, to a file, or to an empty list."""


class OfGenome(Protocol):
    """Wildcards of a rule for one genome."""

    genome: str


class OfAnnotation(OfGenome, Protocol):
    """Wildcards of the rule that indexes an annotation."""

    annotation: str


def shard_files(genome: str, count: int, ending: str) -> list[str]:
    """A file of each part that the prediction of one genome is divided into."""
    return [f"results/predictions/shards/{genome}/{number:03d}.{ending}" for number in range(count)]


class TrackFiles:
    """What belongs into ``results/tracks/{genome}/``."""

    def __init__(self, genomes: Genomes, config: Mapping[str, Any]) -> None:
        self._genomes = genomes
        self._settings = config["predict"]

    def shards(self, wildcards: OfGenome) -> list[str]:
        """What the parts of the prediction say along the contigs."""
        return shard_files(wildcards.genome, self._settings["shards"], "tracks")

    def source(self, wildcards: OfAnnotation) -> str:
        """The GFF3 behind an annotation of the folder."""
        return {
            "genes": f"results/predictions/{wildcards.genome}.gff3",
            # All of it: what training leaves out is worth a look too.
            "reference": f"results/clean/{wildcards.genome}.gff3",
            "augustus": f"results/evaluation/augustus/{wildcards.genome}.gff3",
        }[wildcards.annotation]

    def annotations(self, wildcards: OfGenome) -> list[str]:
        """Annotations in the folder: the prediction, and what there is beside it."""
        genomes = self._genomes
        having = {"genes": genomes.names, "reference": genomes.checked, "augustus": genomes.with_baseline}
        chosen = [annotation for annotation, names in having.items() if wildcards.genome in names]
        return [f"results/tracks/{wildcards.genome}/{annotation}.gff3.gz" for annotation in chosen]

    def bigwigs(self, wildcards: OfGenome) -> list[str]:
        """Probability tracks, where the configuration wants them."""
        if not self._settings["tracks"]:
            return []
        return [pattern.format(genome=wildcards.genome) for pattern in BIGWIGS]

    def reads(self, wildcards: OfGenome) -> list[str]:
        """Aligned reads, for genomes that have some."""
        there = wildcards.genome in self._genomes.with_isoseq
        return [f"results/tracks/{wildcards.genome}/reads.bam"] if there else []

    def targets(self) -> list[str]:
        """What opens the tracks of all genomes in browsers."""
        files = ("igv_session.xml", "jbrowse/config.json")
        return [f"results/tracks/{name}/{file}" for name in self._genomes.names for file in files]


class PlausibilityFiles:
    """What a prediction is compared with where there is no reference."""

    def __init__(self, genomes: Genomes, config: Mapping[str, Any]) -> None:
        self._genomes = genomes
        self._lineage: str | None = config["evaluate"]["busco"].get("lineage")

    def shapes(self, wildcards: OfGenome) -> list[str]:
        """Shapes of the genes of annotated species: the others of this configuration, then those that ship."""
        genomes = self._genomes
        own = [name for name in genomes.split if name in genomes.checked and name != wildcards.genome]
        return [*(f"results/clean/{name}.shapes.tsv" for name in own), os.path.relpath(RELATED_SPECIES)]

    def repeats(self, wildcards: OfGenome) -> list[str]:
        """The BED file of repeats, for genomes that have one."""
        found = self._genomes[wildcards.genome].repeats
        return [found["path"]] if found else []

    def lineage(self) -> list[str]:
        """The file that makes a folder a BUSCO lineage, where the configuration wants BUSCO."""
        return [os.path.join(self._lineage, "dataset.cfg")] if self._lineage else []

    def busco(self, wildcards: OfGenome) -> list[str]:
        """The summary of BUSCO, where the configuration wants it."""
        return [f"results/evaluation/busco/{wildcards.genome}.json"] if self._lineage else []

    def targets(self) -> list[str]:
        """The tables of all genomes."""
        return [f"results/evaluation/{name}.plausibility.tsv" for name in self._genomes.names]


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
