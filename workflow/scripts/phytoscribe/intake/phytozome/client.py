"""Genomes from Phytozome: found in the listing, with their usage terms, and downloaded with the user's token."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from phytoscribe.errors import DownloadError
from phytoscribe.intake.phytozome.choice import choose_annotation, choose_assembly, require_versions
from phytoscribe.intake.phytozome.listing import Downloads, PhytozomeFile, PhytozomeHosts, files_of, shown_query
from phytoscribe.intake.transfer.addresses import HOW_TO_GET_ONE, conceal, read_token, secrets_in
from phytoscribe.intake.transfer.answers import Refused, one_line
from phytoscribe.intake.transfer.transfer import Expected, fetch

log = logging.getLogger(__name__)

NOT_STATED = "not stated"

_ON_TAPE = "PURGED"


@dataclass(frozen=True)
class PhytozomeGenome:
    """One genome of Phytozome with the two files that are taken of it.

    Attributes:
        genome_id: Phytozome's number of the proteome.
        proteome: its short name: ``Athaliana``.
        organism: full name of the species; "" where the listing does not say.
        assembly_version: as the listing says; "" where it does not.
        annotation_version: as the listing says; "" where it does not.
        genome: the assembly.
        annotation: the gene annotation.
        terms: usage terms in one line.
    """

    genome_id: int
    proteome: str
    organism: str
    assembly_version: str
    annotation_version: str
    genome: PhytozomeFile
    annotation: PhytozomeFile
    terms: str


def resolve(query: Mapping[str, Any], downloads: Downloads) -> PhytozomeGenome:
    """Find the genome that a query names, its two files and its usage terms.

    The token is read only where a file must be restored from tape: both files in one request.

    Args:
        query: ``{genome_id}`` or ``{proteome, version}``, and, if wanted, ``assembly`` and ``annotation`` (declared
            versions: a text, or a list of texts that mean the same), ``genome_file`` and ``annotation_file``.
        downloads: servers, patience and token.

    Raises:
        ConfigError: the query names no genome or several, or declares other versions.
        DownloadError: a server cannot be reached or refuses, or a file is on tape.
    """
    files = files_of(query, downloads)
    assembly, annotation = choose_assembly(files, query), choose_annotation(files, query)
    require_versions(assembly, annotation, query)
    genome_id = annotation.genome_id
    assert genome_id is not None
    found = PhytozomeGenome(
        genome_id=genome_id,
        proteome=annotation.proteome or shown_query(query),
        organism=annotation.organism or "",
        assembly_version=assembly.assembly_version or "",
        annotation_version=annotation.annotation_version or "",
        genome=assembly,
        annotation=annotation,
        terms=_terms(genome_id, annotation.usage or assembly.usage, downloads),
    )
    log.info(
        "%s: %s (%s), assembly %s: %s, annotation %s: %s",
        shown_query(query),
        found.proteome,
        found.organism or "species not stated",
        found.assembly_version or NOT_STATED,
        assembly.file_name,
        found.annotation_version or NOT_STATED,
        annotation.file_name,
    )
    on_tape = [file for file in (assembly, annotation) if file.status.upper() == _ON_TAPE]
    if on_tape:
        raise _restored(on_tape, downloads)
    return found


def fetch_file(file: PhytozomeFile, target: str | Path, downloads: Downloads) -> None:
    """Download one file with the user's token; see :func:`phytoscribe.intake.transfer.transfer.fetch`.

    Raises:
        DownloadError: no token, or one that is not accepted; the file is on tape, or not what the listing says.
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
    policy = None
    try:
        reply = replace(downloads, settings=brief).json(url)
    except DownloadError as error:
        log.warning("usage terms: %s", error)
    else:
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
        log.warning(
            "Phytozome %d: data usage is %s: publishing whole-genome analyses may need the agreement of the data's "
            "owners, see %s",
            genome_id,
            terms,
            page,
        )
    return f"{terms}, see {page}"
