"""The genomes of a configuration, and the uses that each of them allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from phytoscribe.configuration.evidence import has_proteins, has_reads
from phytoscribe.intake.transfer.addresses import shown_url
from phytoscribe.noncoding import chosen_programs

Source = Mapping[str, Any]
"""Where a file comes from: ``path``, ``url`` or ``phytozome``, with checksum and versions if they are given."""

#: Keys that describe a file and decide nothing of its content, of a source and of a Phytozome query in it.
_DESCRIBING = {"version", "assembly"}
_DESCRIBING_QUERY = {"assembly", "annotation"}

#: Roles whose genes are known and are divided between training, validation and test.
SPLIT_ROLES = ("train", "validate", "test")


@dataclass(frozen=True, slots=True)
class GenomeEntry:
    """One item of the list ``genomes`` in the configuration.

    Attributes:
        contigs: split (``validate`` or ``test``) of each contig that a genome with role ``train`` holds out.
        seqid_map: sequence names of the annotation to those of the FASTA, or the path of a table of them; None if
            they are the same.
        organelles: organelle contigs, in addition to those recognised by name.
        terms: licence or usage terms, in the user's words.
        evidence: ``rnaseq`` and ``proteins`` (files), ``isoseq``, ``strict`` and ``judge`` of the genome's
            evidence; None if there is none.
        expression: files with measured expression; None if there are none.
        species: name of the species that the model gets as input; genomes of one species share it.
        locus_tag: prefix of gene names that NCBI or ENA registered for the assembly; empty if none.
        utrs: ``complete``, or ``incomplete`` if a transcript annotated without UTRs may in fact have some.
        isoforms: ``complete``, or ``incomplete`` if the annotation leaves isoforms out.
        peaks: file of each label, or ``path`` of one file with all labels; None if there are none.
    """

    name: str
    role: str
    genome: Source
    lineage: str = "unknown"
    annotation: Source | None = None
    mask: Source | None = None
    repeats: Source | None = None
    junctions: Source | None = None
    peaks: Mapping[str, str] | None = None
    isoseq: tuple[Source, ...] = ()
    augustus: str | None = None
    evidence: Mapping[str, Any] | None = None
    expression: Mapping[str, Any] | None = None
    contigs: Mapping[str, str] = field(default_factory=dict)
    seqid_map: Mapping[str, str | None] | str | None = None
    organelles: tuple[str, ...] = ()
    terms: str = ""
    locus_tag: str = ""
    utrs: str = "complete"
    isoforms: str = "complete"
    species: str = ""

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> GenomeEntry:
        """From a validated item of the configuration in the long form."""
        given = {"species": item["name"], **{key: value for key, value in item.items() if value is not None}}
        contigs = {contig: part for part, contigs in given.get("contigs", {}).items() for contig in contigs}
        lists = {key: tuple(given.get(key, ())) for key in ("isoseq", "organelles")}
        return cls(**given | lists | {"contigs": contigs})

    def contigs_of(self, part: str) -> list[str]:
        """Names of the contigs held out for ``part``, as in the configuration."""
        return [contig for contig, of_part in self.contigs.items() if of_part == part]


class Genomes:
    """All genomes of a validated configuration, in its order."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self._entries = {item["name"]: GenomeEntry.of(item) for item in config["genomes"]}

    def __getitem__(self, name: str) -> GenomeEntry:
        return self._entries[name]

    @property
    def names(self) -> list[str]:
        return list(self._entries)

    def with_role(self, *roles: str) -> list[str]:
        """Names of the genomes with any of these roles."""
        return [name for name, entry in self._entries.items() if entry.role in roles]

    def descriptions(self) -> dict[str, dict[str, Any]]:
        """``{genome: {kind: versions, ..., "terms": text}}`` as declared in the configuration."""
        return {
            name: {
                "genome": describing_part(entry.genome),
                "annotation": describing_part(entry.annotation or {}),
                "isoseq": [describing_part(source) for source in entry.isoseq],
                "terms": entry.terms,
            }
            for name, entry in self._entries.items()
        }

    @property
    def submitted(self) -> list[str]:
        """Genomes that have a locus_tag; all if none has, so that the rule reports what is missing."""
        return [name for name, entry in self._entries.items() if entry.locus_tag] or self.names

    @property
    def reported(self) -> list[dict[str, Any]]:
        """Data on each genome for the report: name, role, lineage and scored contigs."""
        return [
            {"name": name, "role": entry.role, "lineage": entry.lineage, "scored_contigs": self.scored_contigs(name)}
            for name, entry in self._entries.items()
        ]

    @property
    def split(self) -> list[str]:
        """Genomes in the split: all except those with role ``predict``, which never touch training."""
        return self.with_role(*SPLIT_ROLES)

    @property
    def self_trained(self) -> list[str]:
        """Genomes that train on the confident genes of a first prediction, since they have no annotation."""
        return [name for name in self.with_role("train") if not self._entries[name].annotation]

    @property
    def with_genes(self) -> list[str]:
        """Genomes with genes that a split can divide: annotated, or predicted for self-training."""
        return [name for name in self.names if name in (*self.annotated, *self.self_trained)]

    def training_sources(self) -> list[dict[str, Any]]:
        """Data for the training set on each genome of the split, in addition to its files."""
        return [
            {
                "name": name,
                "species": entry.species,
                "lineage": entry.lineage,
                "mask": entry.mask["path"] if entry.mask else None,
                "complete_utrs": entry.utrs == "complete" and name not in self.self_trained,
                "complete_isoforms": entry.isoforms == "complete" and name not in self.self_trained,
            }
            for name, entry in self._entries.items()
            if entry.role in SPLIT_ROLES
        ]

    @property
    def trains(self) -> bool:
        """True if this configuration trains the model it predicts with."""
        return self._config["predict"]["model"] == "trained"

    @property
    def annotated(self) -> list[str]:
        return [name for name, entry in self._entries.items() if entry.annotation]

    @property
    def checked(self) -> list[str]:
        """Genomes whose annotation is used for training or as a reference."""
        used = {*self.evaluated, *self.with_isoseq, *(self.split if self.trains else ())}
        return [name for name in self.annotated if name in used]

    @property
    def evaluated(self) -> list[str]:
        """Genomes with reference genes that training has not seen."""
        return [name for name in self.annotated if self._holds_out_genes(self._entries[name])]

    @property
    def with_noncoding(self) -> list[str]:
        """Genomes for which a program or the user tells genes without protein, or mobile elements."""
        if chosen_programs(self._config):
            return self.names
        return [name for name, entry in self._entries.items() if entry.repeats]

    def junctions(self, name: str) -> list[str]:
        """The file of RNA-seq junctions of a genome, or nothing."""
        found = self._entries[name].junctions
        return [found["path"]] if found else []

    def ranking_junctions(self, name: str) -> list[str]:
        """The same where reads help to predict: only in a genome of role ``predict``, so that no score has them."""
        return self.junctions(name) if self._entries[name].role not in SPLIT_ROLES else []

    def judging_junctions(self, name: str) -> list[str]:
        """The same where reads judge a prediction: wherever they did not help to make it."""
        return [] if self.ranking_junctions(name) else self.junctions(name)

    @property
    def with_training_junctions(self) -> list[str]:
        """Genomes with RNA-seq junctions from which the ranker of isoforms learns, or that calibrate it."""
        return [name for name in self.with_role("train", "validate") if self._entries[name].junctions]

    @property
    def with_evidence(self) -> list[str]:
        """Genomes whose prediction weighs evidence."""
        return [name for name, entry in self._entries.items() if entry.evidence]

    @property
    def with_junctions(self) -> list[str]:
        """Genomes whose prediction weighs the junctions of reads."""
        return [name for name in self.with_evidence if has_reads(self._entries[name].evidence)]

    @property
    def with_proteins(self) -> list[str]:
        """Genomes whose prediction weighs aligned proteins."""
        return [name for name in self.with_evidence if has_proteins(self._entries[name].evidence)]

    @property
    def compared(self) -> list[str]:
        """Genomes whose prediction with evidence is compared with one from DNA alone: those with held-out genes."""
        return [name for name in self.with_evidence if name in self.evaluated]

    @property
    def teaching_reads(self) -> list[str]:
        """Genomes from which it is learned how much reads weigh."""
        return [name for name in self.with_junctions if name in self.split]

    @property
    def teaching_proteins(self) -> list[str]:
        """Genomes from which it is learned how much proteins weigh."""
        return [name for name in self.with_proteins if name in self.split]

    @property
    def with_expression(self) -> list[str]:
        """Genomes whose genes have measured expression."""
        return [name for name, entry in self._entries.items() if entry.expression]

    @property
    def learnt_expression(self) -> list[str]:
        """Genomes whose expression trains, chooses or tests heads: never those of role ``predict``."""
        return [name for name in self.with_expression if name in self.split]

    @property
    def trained_with_repeats(self) -> list[str]:
        """Genomes that train and whose mobile elements are known."""
        return [name for name, entry in self._entries.items() if entry.role == "train" and entry.repeats]

    @property
    def with_peaks(self) -> list[str]:
        """Genomes whose peaks the regulatory head learns from or is judged by; never those of role ``predict``."""
        return [name for name in self.split if self._entries[name].peaks]

    @property
    def with_isoseq(self) -> list[str]:
        return [name for name, entry in self._entries.items() if entry.isoseq]

    @property
    def judged_by_isoseq(self) -> list[str]:
        """Genomes whose prediction Iso-Seq reads judge: those whose reads did not help to make it."""
        weighed = [name for name in self.with_evidence if self._entries[name].evidence["isoseq"]]
        return [name for name in self.with_isoseq if name not in weighed]

    def read_limits(self, name: str) -> dict[str, Any]:
        """Thresholds for aligned reads to count as evidence; nothing for a genome without reads."""
        return dict(self._config["evaluate"]["isoseq"]) if self._entries[name].isoseq else {}

    @property
    def with_baseline(self) -> list[str]:
        """Genomes on which AUGUSTUS runs for comparison."""
        return [name for name in self.evaluated if self._entries[name].augustus]

    def predicted_contigs(self, name: str) -> list[str] | None:
        """Contigs to predict, or None for all: with ``predict.scope: test`` only the test contigs of a train genome."""
        if self._config["predict"]["scope"] == "all":
            return None
        return self.scored_contigs(name)

    def scored_contigs(self, name: str) -> list[str] | None:
        """Contigs whose genes are scored, or None for all (then the split table determines the loci)."""
        entry = self._entries[name]
        by_contig = self._config["split"]["mode"] == "contig"
        return (entry.contigs_of("test") or None) if entry.role == "train" and by_contig else None

    def scored_part(self, name: str) -> str:
        """The scored split: ``test``, or ``validate`` for a genome with that role."""
        return "validate" if self._entries[name].role == "validate" else "test"

    def contig_parts(self) -> dict[str, dict[str, str]]:
        """``{genome: {contig: part}}`` of the held-out contigs of train genomes; empty in mode ``cluster``."""
        if self._config["split"]["mode"] != "contig":
            return {}
        return {name: dict(self._entries[name].contigs) for name in self.split if self._entries[name].contigs}

    def roles(self) -> dict[str, str]:
        """``{genome: role}`` of the genomes in the split."""
        return {name: self._entries[name].role for name in self.split}

    def tested(self, names: Iterable[str]) -> bool:
        """Whether blocks or contigs of any of these genomes are held out for the test of a head."""
        split = self._config["split"]
        by_blocks = split["mode"] == "cluster" and split["fractions"]["test"] > 0
        entries = [self._entries[name] for name in names]
        return any(
            entry.role == "test" or (entry.role == "train" and (by_blocks or entry.contigs_of("test")))
            for entry in entries
        )

    def _holds_out_genes(self, entry: GenomeEntry) -> bool:
        by_cluster = self._config["split"]["mode"] == "cluster"
        return entry.role != "train" or by_cluster or bool(entry.contigs_of("test"))


def deciding_part(source: Source) -> dict[str, Any]:
    """The part of a source that determines the downloaded bytes; as a rule parameter it triggers reruns correctly.

    Declared versions are left out, so that correcting one causes no new download.  Secrets in a URL are hidden, because
    Snakemake stores rule parameters in files.
    """
    part = {key: value for key, value in source.items() if key not in _DESCRIBING}
    if "url" in part:
        part["url"] = shown_url(part["url"])
    if "phytozome" in part:
        part["phytozome"] = {key: value for key, value in part["phytozome"].items() if key not in _DESCRIBING_QUERY}
    return part


def describing_part(source: Source) -> dict[str, Any]:
    """The part of a source that only describes the file: versions."""
    part = {key: value for key, value in source.items() if key in _DESCRIBING}
    if "phytozome" in source:
        part["phytozome"] = {key: value for key, value in source["phytozome"].items() if key in _DESCRIBING_QUERY}
    return part
