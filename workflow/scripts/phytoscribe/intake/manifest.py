"""The manifest: one table of all files that a configuration takes in, where they come from and what may be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from phytoscribe.files import atomic_open
from phytoscribe.intake.records import NOT_DECLARED, SourceRecord, check_pair, shown

COLUMNS = (
    "genome",
    "file",
    "source",
    "file_name",
    "assembly_version",
    "annotation_version",
    "size",
    "sha256",
    "date",
    "terms",
)


def write_manifest(
    records: Sequence[SourceRecord], descriptions: Mapping[str, Mapping[str, Any]], target: str | Path
) -> None:
    """Write the manifest (docs/adding-a-species.md), after one more check that its pairs belong together.

    Versions and terms are those that the configuration declares now: corrected ones need no new download.

    Args:
        records: what arrived, in the order of the table.
        descriptions: ``{genome: {"genome": source, "annotation": source, "isoseq": [source], "terms": text}}``.

    Raises:
        ConfigError: an assembly and an annotation do not belong together.
    """
    described = list(_described(records, descriptions))
    genomes = {record.genome: record for record in described if record.kind == "genome"}
    for record in described:
        if record.kind == "annotation":
            check_pair(genomes[record.genome], record)
    with atomic_open(target) as out:
        out.write("\t".join(COLUMNS) + "\n")
        for record in described:
            out.write("\t".join(_cell(value) for value in _row(record)) + "\n")


def _described(
    records: Iterable[SourceRecord], descriptions: Mapping[str, Mapping[str, Any]]
) -> Iterable[SourceRecord]:
    seen: dict[tuple[str, str], int] = {}
    for record in records:
        of_genome = descriptions[record.genome]
        number = seen.get((record.genome, record.kind), 0)
        seen[record.genome, record.kind] = number + 1
        source = of_genome[record.kind]
        yield record.declared_anew(source if isinstance(source, Mapping) else source[number], of_genome["terms"])


def _row(record: SourceRecord) -> tuple[str | int, ...]:
    """The values of one record, in the order of :data:`COLUMNS`; a dash where a version makes no sense."""
    assembly = "-" if record.kind == "isoseq" else shown(record.assembly_versions)
    annotation = shown(record.annotation_versions) if record.kind == "annotation" else "-"
    return (
        record.genome,
        record.file,
        record.source,
        record.file_name,
        assembly,
        annotation,
        record.size,
        record.sha256,
        record.date,
        record.terms or NOT_DECLARED,
    )


def _cell(value: str | int) -> str:
    return " ".join(str(value).split())
