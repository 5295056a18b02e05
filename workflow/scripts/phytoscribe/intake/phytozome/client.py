"""Find genomes and their usage terms in Phytozome's listing, and download them with the user's token.

Fixed rules choose the assembly and the annotation.  If they leave several files, the user must name one.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from phytoscribe.errors import ConfigError, DownloadError
from phytoscribe.intake.phytozome.listing import Downloads, PhytozomeFile, PhytozomeHosts, files_of, shown_query
from phytoscribe.intake.transfer.addresses import HOW_TO_GET_ONE, conceal, read_token, secrets_in
from phytoscribe.intake.transfer.answers import Refused, one_line
from phytoscribe.intake.transfer.transfer import Expected, fetch

log = logging.getLogger(__name__)

NOT_STATED = "not stated"

_ENDINGS = re.compile(r"(\.(soft|hard)masked)?\.fa\.gz$|\.gene(_exons)?\.gff3\.gz$", re.IGNORECASE)
_ON_TAPE = "PURGED"


class PhytozomeGenome(NamedTuple):
    """One Phytozome genome: its number, the two files to download, and its usage terms in one line."""

    genome_id: int
    genome: PhytozomeFile
    annotation: PhytozomeFile
    terms: str


def resolve(query: Mapping[str, Any], downloads: Downloads) -> PhytozomeGenome:
    """Find the genome that a query names, with its two files and its usage terms.

    The token is read only if a file must be restored from tape; one request restores both files.

    Args:
        query: ``{genome_id}`` or ``{proteome, version}``; optionally ``assembly`` and ``annotation`` (declared
            versions: one text, or a list of equivalent texts), ``genome_file`` and ``annotation_file``.
        downloads: servers, patience and token.

    Raises:
        ConfigError: the query matches no genome or several, or declares other versions.
        DownloadError: a server cannot be reached or refuses, or a file is on tape.
    """
    files = files_of(query, downloads)
    assembly, annotation = choose_assembly(files, query), choose_annotation(files, query)
    require_versions(assembly, annotation, query)
    genome_id = annotation.genome_id
    assert genome_id is not None
    terms = _terms(genome_id, annotation.usage or assembly.usage, downloads)
    log.info(
        f"{shown_query(query)}: {annotation.proteome} ({annotation.organism or 'species not stated'}), assembly "
        f"{assembly.assembly_version or NOT_STATED}: {assembly.file_name}, annotation "
        f"{annotation.annotation_version or NOT_STATED}: {annotation.file_name}"
    )
    on_tape = [file for file in (assembly, annotation) if file.status.upper() == _ON_TAPE]
    if on_tape:
        raise _restored(on_tape, downloads)
    return PhytozomeGenome(genome_id, assembly, annotation, terms)


def choose_assembly(files: Sequence[PhytozomeFile], query: Mapping[str, Any]) -> PhytozomeFile:
    """Choose the unmasked assembly of a genome, or the soft-masked one if there is no other.

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
    """Choose the gene annotation with exons, or the one without if there is no other.

    Raises:
        ConfigError: none or several are left.
    """
    if "annotation_file" in query:
        return _named(files, query, "annotation_file")
    found = [file for file in files if file.file_name.lower().endswith(".gene_exons.gff3.gz")]
    if not found and (found := [file for file in files if file.file_name.lower().endswith(".gene.gff3.gz")]):
        log.warning("%s: no gene_exons.gff3.gz is listed; taking the file without exons", shown_query(query))
    return _only(found, "gene annotation (.gene_exons.gff3.gz)", files, query, "annotation_file")


def require_versions(assembly: PhytozomeFile, annotation: PhytozomeFile, query: Mapping[str, Any]) -> None:
    """Check that the assembly and the annotation of a genome have the versions that the query declares.

    Declared versions are compared with both the listing and the file name, because the two differ for some genomes
    (447: listing TAIR9, name TAIR10).

    Raises:
        ConfigError: the versions differ from the declared ones, or the annotation was made on another assembly.
    """
    shown = shown_query(query)
    of_annotation = versions_of(annotation, annotation.annotation_version)
    known_of = {"assembly": versions_of(assembly, assembly.assembly_version), "annotation": of_annotation}
    for file, (key, known) in zip((assembly, annotation), known_of.items()):
        declared = _declared(query, key)
        if declared and not _folded(declared) & _folded(known):
            raise ConfigError(
                f"{shown}: the configuration declares {key} {' = '.join(declared)}, but {file.file_name} is "
                f"{' or '.join(known) or 'of no stated version'} for Phytozome; correct the declared version (a list "
                "where several texts mean the same), or choose another genome"
            )
    one, other = assembly.assembly_version, annotation.assembly_version
    both = _folded([one, other])
    if len(both) > 1 and not both <= _folded(_declared(query, "assembly")):
        raise ConfigError(
            f"{shown}: {assembly.file_name} is assembly {one}, but {annotation.file_name} was made on assembly "
            f"{other}; if both mean the same, declare `assembly: [{one}, {other}]`"
        )


def versions_of(file: PhytozomeFile, listed: str | None) -> tuple[str, ...]:
    """Versions in the listing and in the file name, which do not always agree."""
    return tuple(dict.fromkeys(filter(None, (listed, version_in_name(file.file_name)))))


def version_in_name(file_name: str) -> str | None:
    """The version in a file name of the form ``Species_number_VERSION.kind``; None in other names.

    >>> version_in_name("Ptrichocarpa_533_v4.1.gene_exons.gff3.gz")
    'v4.1'
    """
    stem, endings = _ENDINGS.subn("", file_name)
    match = re.fullmatch(r"[^_].*?_\d+_(.+)", stem)
    return match[1] if endings and match else None


def _declared(query: Mapping[str, Any], key: str) -> list[str]:
    """The equivalent versions that a query declares."""
    value = query.get(key) or []
    return [str(text).strip() for text in (value if isinstance(value, list | tuple) else [value])]


def _folded(texts: Iterable[str | None]) -> set[str]:
    """Versions in the form used for comparison, without case or empty texts."""
    return {text.casefold() for text in texts if text}


def _named(files: Sequence[PhytozomeFile], query: Mapping[str, Any], key: str) -> PhytozomeFile:
    """The file that the query names, by its name, or by its id where names are not unique."""
    found = [file for file in files if query[key] in (file.file_name, file.file_id)]
    return _only(found, f"file {query[key]}", files, query, key)


def _only(
    found: Sequence[PhytozomeFile], what: str, files: Sequence[PhytozomeFile], query: Mapping[str, Any], key: str
) -> PhytozomeFile:
    """The one file left, listed once or several times."""
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


def fetch_file(file: PhytozomeFile, target: str | Path, downloads: Downloads) -> None:
    """Download one file with the user's token; see :func:`phytoscribe.intake.transfer.transfer.fetch`.

    Raises:
        DownloadError: the token is missing or not accepted, or the file is on tape or differs from the listing.
    """
    token = read_token(downloads.token_file)
    lacking = [name for name, value in (("size", file.size), ("md5", file.md5)) if value is None]
    if lacking:
        log.warning("%s: the listing gives no %s to check the download by", file.file_name, " and no ".join(lacking))
    url = f"{downloads.hosts.files}/download_files/{file.file_id}/"
    expected = Expected(file.size, md5=file.md5)
    try:
        fetch(url, target, expected, downloads.settings, token, downloads.wait, file.file_name)
        return
    except Refused as error:
        status, said = error.status, error.said
        if status not in (401, 403, 409):
            raise
    if status == 409:
        raise _restored([file], downloads)
    raise _not_allowed(file.file_name, status, said, downloads.hosts, file.genome_id)


def _restored(files: Sequence[PhytozomeFile], downloads: Downloads) -> DownloadError:
    """Ask for files to be brought back from tape; the message that ends this run."""
    names = " and ".join(file.file_name for file in files)
    on_tape = f"{names}: on tape at the JGI, not on disk"
    url = f"{downloads.hosts.listing}/request_archived_files/"
    body = {"ids": [file.file_id for file in files], "send_mail": False, "api_version": "2"}
    try:
        token = read_token(downloads.token_file)
    except DownloadError as error:
        return DownloadError(f"{on_tape}, and asking for them to be restored needs a token: {error}")
    try:
        reply = downloads.json(url, token, body)
    except DownloadError as error:
        if isinstance(error, Refused) and error.status in (401, 403):
            return _not_allowed(names, error.status, error.said, downloads.hosts, files[0].genome_id)
        return DownloadError(f"{on_tape}, and restoring could not be requested: {error}")
    reply = reply if isinstance(reply, dict) else {}
    if reply.get("error"):
        said = conceal(one_line(str(reply["error"])), secrets_in(url, token))
        return DownloadError(f"{on_tape}, and restoring could not be requested: {said}; try again later")
    number = reply.get("request_id")
    called = f" (request {number})" if isinstance(number, int) else ""
    return DownloadError(
        f"{on_tape}; restoring has been requested{called} and usually takes less than a day: "
        "run the same command again then"
    )


def _not_allowed(names: str, status: int, said: str, hosts: PhytozomeHosts, genome_id: int | None) -> DownloadError:
    reply = f"{status}: {said}" if said else str(status)
    if status == 401:
        return DownloadError(
            f"{names}: the JGI does not accept your token ({reply}): it has expired or is incomplete; {HOW_TO_GET_ONE}"
        )
    return DownloadError(
        f"{names}: the JGI does not allow you this file ({reply}): its terms of use have to be accepted first, or the "
        f"genome is not public yet; see {hosts.properties}/info/{genome_id} after logging in with the same account"
    )


def _terms(genome_id: int, listed: str | None, downloads: Downloads) -> str:
    """The usage terms of a genome in one line, which is also logged."""
    page = f"{downloads.hosts.properties}/info/{genome_id}"
    url = f"{downloads.hosts.properties}/api/db/properties/proteome/{genome_id}"
    # Terms are worth one more attempt, not minutes: the listing may know them too.
    brief = replace(downloads.settings, attempts=min(downloads.settings.attempts, 2), longest_wait_seconds=10.0)
    reply = None
    try:
        reply = replace(downloads, settings=brief).json(url)
    except DownloadError as error:
        log.warning("usage terms: %s", error)
    first = reply[0] if isinstance(reply, list) and reply else None
    policy = first.get("data_restriction_policy") if isinstance(first, dict) else None
    if isinstance(policy, str) and policy.strip():
        terms = one_line(policy).lower()
    else:
        terms = listed.lower() if listed else NOT_STATED
        log.warning("%s: states no usage terms; according to the file listing: %s", url, terms)
    if terms == "unrestricted":
        log.info("Phytozome %d: data usage is unrestricted, see %s", genome_id, page)
    else:
        needs = "publishing whole-genome analyses may need the agreement of the data's owners"
        log.warning("Phytozome %d: data usage is %s: %s, see %s", genome_id, terms, needs, page)
    return f"{terms}, see {page}"
