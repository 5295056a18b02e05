"""Files passed between rules, as functions of wildcards, and a check for requested files that no rule can make.

Paths are relative to the folder in which Snakemake runs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from phytoscribe.configuration.genomes import Genomes
from phytoscribe.configuration.schema import closest
from phytoscribe.errors import ConfigError
from phytoscribe.noncoding import PRESSED, SOURCES, chosen_programs
from phytoscribe.tracks.kinds import TRACKS

#: Gene structure statistics of the species that the released model learned from (tools/make_related_species.py).
RELATED_SPECIES = Path(__file__).parents[1] / "evaluation" / "quality" / "related_species.tsv"

#: Probability tracks of a genome.
BIGWIGS = tuple(f"results/tracks/{{genome}}/{track}.bw" for track in TRACKS)

#: Files that belong to one genome; the name ends at the next slash or dot.
_OF_ONE_GENOME = re.compile(
    r"^(?:\./)?(?:"
    r"results/(?:predictions|clean|evaluation(?!/(?:expression(?:_attribution|_profile)?|regulatory|attribution"
    r"|promoter_embedding(?:\.scores)?)\.tsv)|self|isoforms|noncoding|expression|regulatory)"
    r"/(?P<file>[^/.]+)\.[^/]+$"
    r"|results/evaluation/(?:augustus|isoseq)/(?P<evaluated>[^/.]+)\.[^/]+$"
    r"|results/splits/(?:proteins|loci)/(?P<split>[^/.]+)\.[^/]+$"
    r"|(?:resources/genomes|results/predictions/shards|results/tracks)/(?P<folder>[^/]+)/.+$"
    r")"
)
NO_PROGRAM = "program for non-coding genes (config key `noncoding`) and no file of repeats (`genomes[].repeats`)"
#: Files that only some genomes have: the property of `Genomes` that lists these, and what the others lack.
_OF_SOME_GENOMES = (
    (r"results/clean/.+", "annotated", "annotation"),
    (r"results/isoforms/[^/]+\.gff3", "annotated", "annotation"),
    (r"results/splits/(proteins|loci)/.+", "with_genes", "annotation"),
    (r"results/self/.+", "self_trained", "self-training (role train, no annotation, finetune.mode: self)"),
    (r"resources/genomes/.+(\.annotation\.gff3|/annotation\.source\.json)", "annotated", "annotation"),
    (r"resources/genomes/[^/]+/isoseq\..+", "with_isoseq", "Iso-Seq reads"),
    (
        r"results/evaluation/[^/]+\.(genes|isoforms|reference_loci|predicted_genes)\.tsv",
        "evaluated",
        "held-out reference genes",
    ),
    (
        r"results/(predictions/[^/]+\.dna\..+|evaluation/[^/]+\.evidence(_changes)?\.tsv|tracks/[^/]+/dna\.gff3\.gz)",
        "compared",
        "evidence, or no held-out reference genes to compare it by",
    ),
    (
        r"results/regulatory/[^/]+\.(peaks\.npz|parts\.bed)",
        "with_peaks",
        "peaks (`genomes[].peaks`) and part in the split",
    ),
    (r"results/tracks/[^/]+/reference\.gff3\.gz", "checked", "reference annotation that is used"),
    (r"results/tracks/[^/]+/junctions\.bed\.gz", "with_junctions", "evidence by reads (`genomes[].evidence`)"),
    (r"results/tracks/[^/]+/proteins\.gff3\.gz", "with_proteins", "evidence by proteins (`genomes[].evidence`)"),
    (r"results/tracks/[^/]+/reads\.bam.*", "with_isoseq", "Iso-Seq reads"),
    (
        r"results/(predictions/[^/]+\.(noncoding|all)\..+|tracks/[^/]+/noncoding\.gff3\.gz)",
        "with_noncoding",
        NO_PROGRAM,
    ),
    (r"results/evaluation/[^/]+\.noncoding\.tsv", "annotated", "annotation"),
    (r"results/expression/[^/]+\.measured\.tsv", "with_expression", "measured expression (`genomes[].expression`)"),
    (r"results/evaluation/augustus/.+", "with_baseline", "AUGUSTUS species, or nothing to score it with"),
    (r"results/tracks/[^/]+/augustus\.gff3\.gz", "with_baseline", "AUGUSTUS species, or nothing to score it with"),
    (r"results/evaluation/([^/]+\.(isoseq(_\w+)?|blast)\.tsv|isoseq/.+)", "with_isoseq", "Iso-Seq reads"),
)

InputFunction = Callable[[Any], str | list[str]]
"""From a rule's wildcards, which have ``genome``, to a file, or to an empty list."""


def shard_files(genome: str, count: int, ending: str, folder: str = "results/predictions/shards") -> list[str]:
    """One file for each shard of a genome's prediction."""
    return [f"{folder}/{genome}/{number:03d}.{ending}" for number in range(count)]


def source_records(genomes: Genomes) -> list[str]:
    """The records of all input files, in the order of the manifest."""
    kinds = {"genome": genomes.names, "annotation": genomes.checked, "isoseq": genomes.with_isoseq}
    return [
        f"resources/genomes/{name}/{kind}.source.json"
        for name in genomes.names
        for kind, having in kinds.items()
        if name in having
    ]


class TrackFiles:
    """Contents of ``results/tracks/{genome}/``."""

    def __init__(self, genomes: Genomes, config: Mapping[str, Any]) -> None:
        self._genomes = genomes
        self._settings = config["predict"]
        self._noncoding = NoncodingFiles(genomes, config)

    def shards(self, wildcards: Any) -> list[str]:
        """Probabilities along the contigs from all shards of the prediction."""
        return shard_files(wildcards.genome, self._settings["shards"], "tracks")

    def source(self, wildcards: Any) -> str:
        """The GFF3 behind an annotation of the folder."""
        return {
            "genes": f"results/predictions/{wildcards.genome}.gff3",
            # All of it: what training leaves out is worth a look too.
            "reference": f"results/clean/{wildcards.genome}.gff3",
            "augustus": f"results/evaluation/augustus/{wildcards.genome}.gff3",
            "noncoding": f"results/predictions/{wildcards.genome}.noncoding.gff3",
            "dna": f"results/predictions/{wildcards.genome}.dna.gff3",
        }[wildcards.annotation]

    def annotations(self, wildcards: Any) -> list[str]:
        """Annotations in the folder: the prediction and any others, and aligned proteins."""
        genome, genomes = wildcards.genome, self._genomes
        having = {
            "genes": genomes.names,
            "dna": genomes.compared,
            "proteins": genomes.with_proteins,
            "noncoding": self._noncoding.wanted(),
            "reference": genomes.checked,
            "augustus": genomes.with_baseline,
        }
        return [f"results/tracks/{genome}/{name}.gff3.gz" for name, names in having.items() if genome in names]

    def bigwigs(self, wildcards: Any) -> list[str]:
        """Probability tracks, if the configuration asks for them."""
        return [pattern.format(genome=wildcards.genome) for pattern in BIGWIGS if self._settings["tracks"]]

    def reads(self, wildcards: Any) -> list[str]:
        """Aligned reads, for genomes that have some."""
        there = wildcards.genome in self._genomes.with_isoseq
        return [f"results/tracks/{wildcards.genome}/reads.bam"] if there else []

    def junctions(self, wildcards: Any) -> list[str]:
        """Splice junctions of the evidence, for genomes that have some."""
        there = wildcards.genome in self._genomes.with_junctions
        return [f"results/tracks/{wildcards.genome}/junctions.bed.gz"] if there else []

    def targets(self) -> list[str]:
        """Files that open the tracks of all genomes in browsers."""
        files = ("igv_session.xml", "jbrowse/config.json")
        return [f"results/tracks/{name}/{file}" for name in self._genomes.names for file in files]


class NoncodingFiles:
    """Files of RNA genes and mobile elements, and which genomes have them."""

    def __init__(self, genomes: Genomes, config: Mapping[str, Any]) -> None:
        self._genomes = genomes
        self._settings = config["noncoding"]
        self._programs = chosen_programs(config)

    def tools(self) -> dict[str, str]:
        """Program by the type of gene that it finds, as in column 2; ``ncRNA`` stands for all other types."""
        return {kind: SOURCES[program] for kind, program in self._programs.items()}

    def found_by_others(self) -> list[str]:
        """Types that cmscan need not find."""
        return [kind for kind in self.tools() if kind != "ncRNA"]

    def found(self, wildcards: Any) -> list[str]:
        """What each program finds in a genome."""
        return [f"results/noncoding/{wildcards.genome}.{kind}.gff3" for kind in self.tools()]

    def models(self) -> list[str]:
        """The pressed covariance models, if the configuration asks for them."""
        return [self._settings["rfam"] + ending for ending in PRESSED] if "ncRNA" in self._programs else []

    def clans(self) -> list[str]:
        """The file of clans, if there is one."""
        return [] if self._settings["clanin"] == "none" else [self._settings["clanin"]]

    def wanted(self) -> list[str]:
        """Genomes whose files are made without being named: all with a program, else those that may lose genes."""
        if self.tools():
            return self._genomes.names
        return self._genomes.with_noncoding if self._settings["drop_in_repeats"] else []

    def scored(self) -> list[str]:
        """Genomes whose RNA genes are scored without being named."""
        return self._genomes.annotated if self.tools() else []


class PlausibilityFiles:
    """Inputs of the quality checks without a reference."""

    def __init__(self, genomes: Genomes, config: Mapping[str, Any]) -> None:
        self._genomes = genomes
        self._lineage: str | None = config["evaluate"]["busco"].get("lineage")

    def shapes(self, wildcards: Any) -> list[str]:
        """Gene structure statistics of the other annotated species of this configuration."""
        genomes = self._genomes
        own = [name for name in genomes.split if name in genomes.checked and name != wildcards.genome]
        return [f"results/clean/{name}.shapes.tsv" for name in own]

    def repeats(self, wildcards: Any) -> list[str]:
        """The file of repeats, for genomes that have one."""
        found = self._genomes[wildcards.genome].repeats
        return [found["path"]] if found else []

    def lineage(self) -> list[str]:
        """The file that identifies a BUSCO lineage folder, if the configuration asks for BUSCO."""
        return [os.path.join(self._lineage, "dataset.cfg")] if self._lineage else []

    def busco(self, wildcards: Any) -> list[str]:
        """The summary of BUSCO, if the configuration asks for it."""
        return [f"results/evaluation/busco/{wildcards.genome}.json"] if self._lineage else []


def of_genomes(names: Collection[str], pattern: str) -> InputFunction:
    """The file ``pattern`` of a genome among ``names``; other genomes have none."""
    return lambda wildcards: pattern.format(genome=wildcards.genome) if wildcards.genome in names else []


def check_targets(requested: Iterable[str], genomes: Genomes) -> None:
    """Raise ConfigError for a requested file of a genome that the configuration does not list, or cannot make it for.

    Args:
        requested: command-line arguments; those that are not a file of one genome are skipped.
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
