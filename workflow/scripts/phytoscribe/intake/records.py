"""Provenance of input files: a record for each file, the check of genome-annotation pairs, and the manifest.

A record holds facts (size, checksums, date), the provider's statements (Phytozome's versions and terms) and what the
configuration declared on that day.  The declarations can be corrected later without another download: see
:meth:`SourceRecord.declared_anew`.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from phytoscribe.errors import ConfigError, PhytoScribeError
from phytoscribe.files import atomic_open

log = logging.getLogger(__name__)

#: Columns of the manifest.
COLUMNS = ("genome", "file", "source", "file_name", "assembly_version", "annotation_version")
COLUMNS += ("size", "sha256", "date", "terms")
#: What a table says where nobody said anything.
NOT_DECLARED = "not declared"


@dataclass(frozen=True)
class Statement:
    """Versions and terms stated for a file.

    Attributes:
        assembly: version of the genome assembly that the file contains or was made on; several texts are equivalent
            names.
        annotation: version of the annotation, likewise.
        terms: licence or usage terms.
    """

    assembly: tuple[str, ...] = ()
    annotation: tuple[str, ...] = ()
    terms: str = ""

    @classmethod
    def of_source(cls, kind: str, source: Mapping[str, Any], terms: str = "") -> Statement:
        """What the configuration declares for a source of this kind (``genome``, ``annotation`` or ``isoseq``)."""
        if "phytozome" in source:
            query = source["phytozome"]
            return cls(_texts(query.get("assembly")), _texts(query.get("annotation")), terms)
        if kind == "genome":
            return cls(_texts(source.get("version")), (), terms)
        return cls(_texts(source.get("assembly")), _texts(source.get("version")), terms)


@dataclass(frozen=True)
class SourceRecord:
    """One file as it was downloaded or read.

    Attributes:
        genome: name of the genome in the configuration.
        kind: ``genome``, ``annotation``, ``isoseq`` or ``rnaseq``.
        file: the output that was made from it.
        source: path, URL or Phytozome number as a user would write it; no credentials.
        file_name: name of the file at its source.
        size: bytes as served.
        sha256, md5: of the bytes as served, hex.
        date: date on which it was taken in, UTC, ``YYYY-MM-DD``.
        provider: what Phytozome states; empty for other sources.
        declared: what the configuration declares.
        genome_id: Phytozome's number of the proteome, None for other sources.
    """

    genome: str
    kind: str
    file: str
    source: str
    file_name: str
    size: int
    sha256: str
    md5: str
    date: str
    provider: Statement = field(default_factory=Statement)
    declared: Statement = field(default_factory=Statement)
    genome_id: int | None = None

    @property
    def assembly_versions(self) -> tuple[str, ...]:
        """All names of the assembly version, the provider's first; empty if none is known."""
        return tuple(dict.fromkeys(self.provider.assembly + self.declared.assembly))

    @property
    def annotation_versions(self) -> tuple[str, ...]:
        """All names of the annotation version, the provider's first; empty if none is known."""
        return tuple(dict.fromkeys(self.provider.annotation + self.declared.annotation))

    @property
    def terms(self) -> str:
        """Usage terms from the provider and the configuration; empty if neither gives any."""
        return "; ".join(filter(None, dict.fromkeys((self.provider.terms, self.declared.terms))))

    def declared_anew(self, source: Mapping[str, Any], terms: str = "") -> SourceRecord:
        """The same record with the current declarations of the configuration."""
        return replace(self, declared=Statement.of_source(self.kind, source, terms))


def check_pair(genome: SourceRecord, annotation: SourceRecord) -> bool:
    """Check that an annotation was made on the assembly it is used with; False if no version is stated.

    Two files from Phytozome must belong to one proteome.  For all others, the assembly versions stated for the genome
    and for the annotation are compared as texts, ignoring case.  Pairs are declared, never guessed.

    Raises:
        ConfigError: the two disagree.
    """
    if genome.genome_id is not None and annotation.genome_id is not None:
        if genome.genome_id != annotation.genome_id:
            raise ConfigError(
                f"genome '{genome.genome}': the assembly is of {genome.source}, the annotation of {annotation.source}; "
                "both must come from one proteome, or genes lie at wrong places: give both the same genome_id"
            )
        log.info("assembly and annotation are both of %s", genome.source)
        return True
    known, wanted = genome.assembly_versions, annotation.assembly_versions
    if known and wanted:
        if not {text.casefold() for text in known} & {text.casefold() for text in wanted}:
            raise ConfigError(
                f"genome '{genome.genome}': the assembly ({genome.source}) is {shown(known)}, but the annotation "
                f"({annotation.source}) was made on {shown(wanted)}; take files that belong together, or correct "
                "`genome.version` and `annotation.assembly` in the configuration (a list where texts mean the same)"
            )
        log.info("the annotation was made on %s, which is the version of the assembly", shown(wanted))
        return True
    lacking = [key for key, texts in (("genome.version", known), ("annotation.assembly", wanted)) if not texts]
    log.warning(
        f"genome '{genome.genome}': whether the annotation was made on this assembly is {NOT_DECLARED} "
        f"(no {', no '.join(lacking)} in the configuration) and was not checked"
    )
    return False


def terms_line(record: SourceRecord) -> str:
    """One line for the terminal with the usage terms of a Phytozome file."""
    return f"{record.genome}: {record.source}: data usage: {' '.join((record.terms or NOT_DECLARED).split())}"


def write_record(path: str | Path, record: SourceRecord | Sequence[SourceRecord]) -> None:
    """Write one record, or a list of them, as JSON."""
    content = [asdict(part) for part in record] if isinstance(record, Sequence) else asdict(record)
    with atomic_open(path) as handle:
        json.dump(content, handle, indent=2, ensure_ascii=False)
        handle.write("\n")


def read_records(path: str | Path) -> list[SourceRecord]:
    """The records of a file written by :func:`write_record`.

    Raises:
        PhytoScribeError: the file is missing, or is not a file of records.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        parts = content if isinstance(content, list) else [content]
        for part in parts:
            for key in ("provider", "declared"):
                said = part[key]
                part[key] = Statement(tuple(said["assembly"]), tuple(said["annotation"]), said["terms"])
        return [SourceRecord(**part) for part in parts]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise PhytoScribeError(
            f"{path}: not a record of a download ({error}); delete the genome's folder and run the workflow again"
        ) from error


def write_manifest(
    records: Sequence[SourceRecord], descriptions: Mapping[str, Mapping[str, Any]], target: str | Path
) -> None:
    """Write the table of all input files (docs/adding-a-species.md), and check the pairs once more.

    Versions and terms come from the current configuration, so a correction needs no new download.

    Args:
        records: the input files, in the order of the table.
        descriptions: ``{genome: {"genome": source, "annotation": source, "isoseq": [source], "terms": text}}``.

    Raises:
        ConfigError: an assembly and an annotation do not belong together.
    """
    described, seen = [], Counter()
    for record in records:
        of_genome, place = descriptions[record.genome], (record.genome, record.kind)
        source = of_genome[record.kind]
        source = source if isinstance(source, Mapping) else source[seen[place]]
        seen[place] += 1
        described.append(record.declared_anew(source, of_genome["terms"]))
    genomes = {record.genome: record for record in described if record.kind == "genome"}
    for record in described:
        if record.kind == "annotation":
            check_pair(genomes[record.genome], record)
    with atomic_open(target) as out:
        out.write("\t".join(COLUMNS) + "\n")
        for record in described:
            row = vars(record) | {
                "assembly_version": "-" if record.kind == "isoseq" else shown(record.assembly_versions),
                "annotation_version": shown(record.annotation_versions) if record.kind == "annotation" else "-",
                "terms": record.terms or NOT_DECLARED,
            }
            out.write("\t".join(" ".join(str(row[column]).split()) for column in COLUMNS) + "\n")


def shown(versions: Iterable[str]) -> str:
    """Equivalent versions as one text: ``TAIR9 (= TAIR10)``; ``not declared`` where there are none."""
    first, *others = [*versions] or [NOT_DECLARED]
    return f"{first} (= {', '.join(others)})" if others else first


def _texts(value: str | Sequence[str] | None) -> tuple[str, ...]:
    return tuple(text.strip() for text in ([value] if isinstance(value, str) else value or ()))
