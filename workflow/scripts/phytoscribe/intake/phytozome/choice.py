"""Which files of a Phytozome genome are its assembly and its gene annotation, and whether their versions are right.

A choice is made by rules that leave one file, or not at all: where several are left the user names one.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

from phytoscribe.errors import ConfigError
from phytoscribe.intake.phytozome.listing import PhytozomeFile, shown_query

log = logging.getLogger(__name__)

_ANNOTATIONS = (".gene_exons.gff3.gz", ".gene.gff3.gz")
_ENDINGS = re.compile(r"(\.(soft|hard)masked)?\.fa\.gz$|\.gene(_exons)?\.gff3\.gz$", re.IGNORECASE)


def choose_assembly(files: Sequence[PhytozomeFile], query: Mapping[str, Any]) -> PhytozomeFile:
    """The unmasked assembly of a genome; the soft-masked one where there is no other.

    Raises:
        ConfigError: none or several are left.
    """
    if "genome_file" in query:
        chosen = _named(files, query, "genome_file")
        if "hardmasked" in chosen.file_name.lower():
            raise ConfigError(
                f"{shown_query(query)}: {chosen.file_name} is hard-masked: its repeats, and genes in them, are N; "
                "name another genome_file"
            )
        return chosen
    assemblies = [file for file in files if file.kind == "assembly" and file.file_name.lower().endswith(".fa.gz")]
    usable = [file for file in assemblies if "hardmasked" not in file.file_name.lower()]
    whole = [file for file in usable if "masked" not in file.file_name.lower()]
    if usable and not whole:
        log.warning("%s: only a soft-masked assembly is listed; taking it (case is ignored)", shown_query(query))
    return _only(whole or usable, "assembly (.fa.gz, not hard-masked)", files, query, "genome_file")


def choose_annotation(files: Sequence[PhytozomeFile], query: Mapping[str, Any]) -> PhytozomeFile:
    """The gene annotation with exons of a genome; the one without where there is no other.

    Raises:
        ConfigError: none or several are left.
    """
    if "annotation_file" in query:
        return _named(files, query, "annotation_file")
    for ending in _ANNOTATIONS:
        found = [file for file in files if file.file_name.lower().endswith(ending)]
        if found:
            if ending != _ANNOTATIONS[0]:
                log.warning("%s: no gene_exons.gff3.gz is listed; taking the file without exons", shown_query(query))
            break
    return _only(found, "gene annotation (.gene_exons.gff3.gz)", files, query, "annotation_file")


def require_versions(assembly: PhytozomeFile, annotation: PhytozomeFile, query: Mapping[str, Any]) -> None:
    """Check that assembly and annotation, two files of one genome, are of the versions that the query declares.

    Declared versions are compared with what the listing says and with what the file's name says, because the two
    differ for some genomes (447: listing TAIR9, name TAIR10).

    Raises:
        ConfigError: other versions than declared, or an annotation made on another assembly.
    """
    shown = shown_query(query)
    for key, file, listed in (
        ("assembly", assembly, assembly.assembly_version),
        ("annotation", annotation, annotation.annotation_version),
    ):
        declared = _declared(query, key)
        known = [version for version in (listed, version_in_name(file.file_name)) if version]
        if declared and not {text.casefold() for text in declared} & {text.casefold() for text in known}:
            raise ConfigError(
                f"{shown}: the configuration declares {key} {' = '.join(declared)}, but {file.file_name} is "
                f"{' or '.join(dict.fromkeys(known)) or 'of no stated version'} for Phytozome; correct the declared "
                "version (a list where several texts mean the same), or choose another genome"
            )
    one, other = assembly.assembly_version, annotation.assembly_version
    declared = {text.casefold() for text in _declared(query, "assembly")}
    if one and other and one.casefold() != other.casefold() and not {one.casefold(), other.casefold()} <= declared:
        raise ConfigError(
            f"{shown}: {assembly.file_name} is assembly {one}, but {annotation.file_name} was made on assembly "
            f"{other}; if both mean the same, declare `assembly: [{one}, {other}]`"
        )


def version_in_name(file_name: str) -> str | None:
    """The version in a file name of the form ``Species_number_VERSION.kind``; None in other names.

    >>> version_in_name("Ptrichocarpa_533_v4.1.gene_exons.gff3.gz")
    'v4.1'
    """
    stem, endings = _ENDINGS.subn("", file_name)
    match = re.fullmatch(r"[^_].*?_\d+_(.+)", stem)
    return match[1] if endings and match else None


def _declared(query: Mapping[str, Any], key: str) -> list[str]:
    value = query.get(key)
    if value is None:
        return []
    return [str(text).strip() for text in (value if isinstance(value, list | tuple) else [value])]


def _named(files: Sequence[PhytozomeFile], query: Mapping[str, Any], key: str) -> PhytozomeFile:
    """The file that the query names, by its name, or by its id where names are not unique."""
    wanted = query[key]
    found = [file for file in files if wanted in (file.file_name, file.file_id)]
    return _only(found, f"file {wanted}", files, query, key)


def _only(
    found: Sequence[PhytozomeFile], what: str, files: Sequence[PhytozomeFile], query: Mapping[str, Any], key: str
) -> PhytozomeFile:
    distinct = {(file.file_name, file.size, file.md5 or file.file_id): file for file in reversed(found)}
    if len(distinct) == 1:
        return next(iter(distinct.values()))
    if not distinct:
        names = ", ".join(sorted({file.file_name for file in files if _ENDINGS.search(file.file_name)}))
        raise ConfigError(
            f"{shown_query(query)}: no {what} is listed; sequence and gene files: {names or 'none'}; "
            f"name one with `{key}`, or choose another genome"
        )
    names = ", ".join(sorted(f"{file.file_name} (id {file.file_id})" for file in distinct.values()))
    raise ConfigError(
        f"{shown_query(query)}: {len(distinct)} files could be the {what}: {names}; name one with `{key}`"
    )
