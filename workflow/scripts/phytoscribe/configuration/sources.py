"""What a source of a file must and must not say, beyond the form that the schema checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit


def source_mistakes(place: str, source: Mapping[str, Any], of_reads: bool = False) -> Iterator[str]:
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
        parts = urlsplit(url)
        secret = parts.username or parts.password
    except ValueError as error:
        yield f"{place}: not an address ({error}); correct it"
        return
    if secret:
        # The address itself stays out of the message: it would carry the password into logs.
        yield (
            f"{place}: it holds a user name or password, which would end up in logs and in Snakemake's records; "
            "download the file yourself and give its `path`"
        )


def _phytozome_mistakes(place: str, query: Mapping[str, Any]) -> Iterator[str]:
    if ("genome_id" in query) == ("proteome" in query):
        wrong = "both are given" if "genome_id" in query else "neither is given"
        yield f"{place}: give genome_id or proteome with version, {wrong}"
    elif ("proteome" in query) != ("version" in query):
        yield (
            f"{place}: proteome and version belong together, for example {{proteome: Ptrichocarpa, version: v4.1}}; "
            "beside genome_id the declared versions are called assembly and annotation"
        )
