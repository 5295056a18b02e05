"""Read the whole JGI file listing of a Phytozome genome into records, and hold the download settings.

The listing is public; no token is sent.  Protocol: https://files.jgi.doe.gov/apidoc/ (API version 2).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from phytoscribe.errors import ConfigError, DownloadError
from phytoscribe.intake.transfer.addresses import DEFAULT_FILE, Hidden, shown_url
from phytoscribe.intake.transfer.answers import one_line, request_json
from phytoscribe.intake.transfer.retries import TransferSettings, insist

#: The server refuses longer pages.
FILES_PER_PAGE = 50
#: A server that names ever new pages must not be asked for ever.
_MOST_PAGES = 400
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_FILE_ID = re.compile(r"[A-Za-z0-9_-]+")
_MD5 = re.compile(r"[0-9a-fA-F]{32}")


@dataclass(frozen=True)
class PhytozomeHosts:
    """The servers behind Phytozome; only the first two receive the user's token.

    ``listing`` lists files and restores them from tape, ``files`` sends them, ``properties`` holds the terms of use.
    """

    listing: str = "https://files.jgi.doe.gov"
    files: str = "https://files-download.jgi.doe.gov"
    properties: str = "https://phytozome-next.jgi.doe.gov"

    def __post_init__(self) -> None:
        for name in ("listing", "files", "properties"):
            address = getattr(self, name).rstrip("/")
            object.__setattr__(self, name, address)
            parts, shown = urlsplit(address), shown_url(address)
            if shown != address:
                raise ConfigError(f"download.phytozome.{name}: {shown}: give it without password and query")
            if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL):
                raise ConfigError(
                    f"download.phytozome.{name}: {shown} is no https address; your token would travel unprotected"
                )


@dataclass(frozen=True)
class Downloads:
    """How files are fetched; see ``download`` in the configuration.

    Attributes:
        settings: patience.
        hosts: Phytozome's servers.
        token_file: see :func:`phytoscribe.intake.transfer.addresses.read_token`.
        wait: called with the seconds to wait between attempts.
    """

    settings: TransferSettings = field(default_factory=TransferSettings)
    hosts: PhytozomeHosts = field(default_factory=PhytozomeHosts)
    token_file: str | Path = DEFAULT_FILE
    wait: Callable[[float], None] = time.sleep

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> Downloads:
        """From the checked section ``download`` of the configuration."""
        settings = TransferSettings(attempts=section["attempts"], timeout_seconds=section["timeout"])
        return cls(settings, PhytozomeHosts(**section["phytozome"]), section["token_file"])

    def json(self, url: str, token: Hidden | None = None, body: Mapping[str, Any] | None = None) -> Any:
        """:func:`phytoscribe.intake.transfer.answers.request_json`, tried again where that can help."""
        # Our own questions hold no secrets, and say which genome is meant.
        return insist(lambda: request_json(url, self.settings, token, body, url), url, self.settings, self.wait)


@dataclass(frozen=True)
class PhytozomeFile:
    """One file in the listing; a value that the listing does not give is None.

    Attributes:
        file_id: the number under which it is downloaded.
        file_name: its name.
        size: bytes.
        md5: hex digest.
        status: where it is stored; ``PURGED`` means only on tape.
        kind: ``assembly``, ``annotation/gene``, ...
        genome_id: number of its proteome.
        proteome, proteome_name: short name of that proteome (``Athaliana``), and another name of it.
        organism: full name of the species.
        assembly_version, annotation_version: of the proteome, as the listing says.
        usage: ``Unrestricted`` or ``Restricted``.
    """

    file_id: str
    file_name: str
    size: int | None = None
    md5: str | None = None
    status: str = ""
    kind: str | None = None
    genome_id: int | None = None
    proteome: str | None = None
    proteome_name: str | None = None
    organism: str | None = None
    assembly_version: str | None = None
    annotation_version: str | None = None
    usage: str | None = None


def shown_query(query: Mapping[str, Any]) -> str:
    """The query as messages name it."""
    if "genome_id" in query:
        return f"Phytozome {query['genome_id']}"
    return f"Phytozome {query['proteome']} {query['version']}"


def files_of(query: Mapping[str, Any], downloads: Downloads) -> list[PhytozomeFile]:
    """List all files of one genome; the query is ``{genome_id}``, or ``{proteome, version}`` of the annotation.

    Raises:
        ConfigError: the query matches no genome or several; the message lists them.
        DownloadError: the server cannot be reached or refuses.
    """
    if "genome_id" in query:
        listed = _all_files({"genome_id": query["genome_id"]}, downloads)
        files = [file for file in listed if file.genome_id == int(query["genome_id"])]
        if not files:
            raise ConfigError(
                f"{shown_query(query)}: the server lists no files of a genome with this number; look it up at "
                f"{downloads.hosts.properties} (it ends the address of the genome's page) and correct genome_id"
            )
        return files
    wanted = query["proteome"]
    found = list(_all_files({"q": wanted}, downloads))
    named = [file for file in found if _same(file.proteome, wanted) or _same(file.proteome_name, wanted)]
    files = [file for file in named if _same(file.annotation_version, query["version"])]
    numbers = {file.genome_id for file in files}
    if len(numbers) != 1 or None in numbers:
        among = files or named or found
        names = sorted({f"{file.proteome} {file.annotation_version} (genome_id {file.genome_id})" for file in among})
        more = f" and {len(names) - 20} more" if len(names) > 20 else ""
        raise ConfigError(
            f"{shown_query(query)}: {len(numbers) or 'no'} genomes have this name and annotation version; "
            f"found: {', '.join(names[:20]) or 'nothing'}{more}; give genome_id"
        )
    return files


def _all_files(search: Mapping[str, Any], downloads: Downloads) -> Iterator[PhytozomeFile]:
    """The files of all pages of a listing."""
    fixed = {"api_version": 2, "a": "false", "h": "false", "d": "asc", "x": FILES_PER_PAGE, "t": "simple"}
    page, seen = 1, set()
    while page not in seen and len(seen) < _MOST_PAGES:
        seen.add(page)
        url = f"{downloads.hosts.listing}/phytozome_file_list/?{urlencode({**search, **fixed, 'p': page})}"
        content = downloads.json(url)
        if isinstance(content, dict) and content.get("error"):
            raise DownloadError(f"{url}: the server reports: {one_line(str(content['error']))}; try again later")
        organisms = content.get("organisms") if isinstance(content, dict) else None
        if not isinstance(organisms, list) or not all(isinstance(organism, dict) for organism in organisms):
            raise DownloadError(f"{url}: not the expected list of files; check download.phytozome.listing")
        for organism in organisms:
            for entry in organism.get("files") or ():
                if isinstance(entry, dict) and entry.get("_id") and entry.get("file_name"):
                    yield _file(entry, organism)
        page = content.get("next_page")
        if isinstance(page, bool) or not isinstance(page, int) or page < 1:
            return
    server = downloads.hosts.listing
    raise DownloadError(f"{server}: the list of files does not end; try again later, or give genome_id")


def _file(entry: Mapping[str, Any], organism: Mapping[str, Any]) -> PhytozomeFile:
    metadata = _mapping(entry.get("metadata"))
    about = _mapping(metadata.get("phytozome"))
    taxon = _mapping(metadata.get("ncbi_taxon"))
    file_id, name = str(entry["_id"]), str(entry["file_name"])
    if not _FILE_ID.fullmatch(file_id):
        raise DownloadError(f"{name}: the listing gives it an id that cannot be asked for; try again later")
    md5 = _text(entry.get("md5sum")) or ""
    # Phytozome puts the proteome's number into each file name: Athaliana_447_TAIR10.fa.gz.
    in_name = next((part for part in name.split("_")[1:-1] if part.isdecimal()), None)
    usage = metadata.get("data_utilization_status") or organism.get("data_utilization_status")
    return PhytozomeFile(
        file_id=file_id,
        file_name=name,
        size=_positive(entry.get("file_size")),
        md5=md5.lower() if _MD5.fullmatch(md5) else None,
        status=_text(entry.get("file_status")) or "",
        kind=_text(metadata.get("type")),
        genome_id=_positive(about.get("proteome_id")) or _positive(in_name),
        proteome=_text(about.get("Gspecies")) or _text(about.get("proteome_name")),
        proteome_name=_text(about.get("proteome_name")),
        organism=_text(taxon.get("ncbi_taxon_species")) or _text(organism.get("name")),
        assembly_version=_text(about.get("assembly_version")),
        annotation_version=_text(about.get("annotation_version")),
        usage=_text(usage),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    """A value of the listing as text; a list of one counts as its item."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return one_line(str(value)) or None


def _positive(value: Any) -> int | None:
    text = _text(value) or ""
    return int(text) if text.isascii() and text.isdecimal() and int(text) > 0 else None


def _same(one: str | None, other: object) -> bool:
    return one is not None and one.casefold() == str(other).strip().casefold()
