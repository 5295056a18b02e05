"""Sources of files in the configuration: mistakes that the schema cannot see, and what of them decides a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from phytoscribe.errors import DownloadError
from phytoscribe.intake.transfer.addresses import shown_url, split_url

Source = Mapping[str, Any]

#: Keys that describe a file and decide nothing of its content, of a source and of a Phytozome query in it.
_DESCRIBING = frozenset({"version", "assembly"})
_DESCRIBING_QUERY = frozenset({"assembly", "annotation"})


def deciding_part(source: Source) -> dict[str, Any]:
    """What of a source decides the bytes that arrive: a rule with this as parameter runs again when it must.

    Declared versions are left out, so that a corrected one fetches nothing again, and secrets of a URL are hidden:
    Snakemake keeps the parameters of its rules in files.
    """
    part = {key: value for key, value in source.items() if key not in _DESCRIBING}
    if "url" in part:
        part["url"] = shown_url(part["url"])
    if "phytozome" in part:
        part["phytozome"] = {key: value for key, value in part["phytozome"].items() if key not in _DESCRIBING_QUERY}
    return part


def describing_part(source: Source) -> dict[str, Any]:
    """What of a source only describes the file: versions."""
    part = {key: value for key, value in source.items() if key in _DESCRIBING}
    if "phytozome" in source:
        part["phytozome"] = {key: value for key, value in source["phytozome"].items() if key in _DESCRIBING_QUERY}
    return part


def source_mistakes(place: str, source: Source, of_reads: bool = False) -> Iterator[str]:
    """Mistakes of one source: not exactly one place, a URL with a password, a half-named proteome.

    Args:
        place: the source as a reader would say it: ``genomes[x].genome``.
        of_reads: the source is a file of reads, which Phytozome has not.
    """
    places = ["path", "url"] if of_reads else ["path", "url", "phytozome"]
    given = [key for key in places if key in source]
    if len(given) != 1:
        wrong = f"{' and '.join(given)} are given" if given else f"none of {', '.join(places)} is given"
        yield f"{place}: {wrong}; give exactly one of them"
    if "url" in source:
        yield from _url_mistakes(f"{place}.url", source["url"])
    if "phytozome" in source:
        yield from _phytozome_mistakes(f"{place}.phytozome", source["phytozome"])
        for key in ("version", "assembly"):
            if key in source:
                inner = "annotation" if place.endswith("annotation") and key == "version" else "assembly"
                yield f"{place}.{key}: is for path and url; say it as phytozome: {{..., {inner}: ...}}"


def _url_mistakes(place: str, url: str) -> Iterator[str]:
    try:
        parts = split_url(url)
    except DownloadError as error:
        yield f"{place}: {error}"
        return
    if parts.username or parts.password:
        # The address itself stays out of the message: it would carry the password into logs.
        yield (
            f"{place}: it holds a user name or password, which would end up in logs and in Snakemake's records; "
            "download the file yourself and give its `path`"
        )


def _phytozome_mistakes(place: str, query: Source) -> Iterator[str]:
    if ("genome_id" in query) == ("proteome" in query):
        wrong = "both are given" if "genome_id" in query else "neither is given"
        yield f"{place}: give genome_id or proteome with version, {wrong}"
    elif ("proteome" in query) != ("version" in query):
        yield (
            f"{place}: proteome and version belong together, for example {{proteome: Ptrichocarpa, version: v4.1}}; "
            "beside genome_id the declared versions are called assembly and annotation"
        )
