"""What a sequence name means whatever its spelling: a chromosome or scaffold number, an accession, an organelle."""

from __future__ import annotations

import re
from collections.abc import Iterable

from phytoscribe.genome.organelles import organelle_of

#: Kind of a sequence and its number, letter or accession, such as ``("chromosome", "1")``.
Meaning = tuple[str, str]

_ACCESSION = re.compile(r"([A-Z]{1,6}_?\d{5,})(?:\.\d+)?")
_NUMBER = r"[_.\- ]?0*(\d+[A-Za-z]?|[A-Za-z]0*\d+|[XYUVWZxyuvwz])"
_KINDS = {
    "chromosome": re.compile(
        rf"(?:.*[_.\-|])?(?:[A-Z]{{2}}\d[\d.]*)?(?:chromosome|chrom|chr|ch|lg|linkage_?group){_NUMBER}"
    ),
    "scaffold": re.compile(r"(?:.*[_.\-|])?(?:scaffold|scaff|scf|super_?contig|super)[_.\- ]?0*(\d+)"),
    "contig": re.compile(r"(?:.*[_.\-|])?(?:contig|ctg|tig)[_.\- ]?0*(\d+)"),
}
_BARE = re.compile(r"0*(\d+[A-Za-z]?|[A-Z]0*\d+|[XY])")
_PREFIXED = re.compile(r"([A-Za-z][A-Za-z_.\-]*?)[_.\-]?0*(\d+)")


def canonical_names(names: Iterable[str]) -> dict[str, Meaning | None]:
    """The meaning of each name, or None; equal meanings are one sequence.

    Chr1, chr01, 1, LG1 and SL4.0ch01 are chromosome 1; scaffolds and contigs are counted apart.  A species' own prefix
    (Gm01, Bd1) counts as chromosome if all such names share it and no other name is a chromosome.
    """
    meanings: dict[str, Meaning | None] = {name: _meaning(name) for name in names}
    if not any(meaning and meaning[0] == "chromosome" for meaning in meanings.values()):
        prefixed = {name: found for name, m in meanings.items() if m is None and (found := _PREFIXED.fullmatch(name))}
        if len({found.group(1) for found in prefixed.values()}) == 1:
            meanings.update({name: ("chromosome", found.group(2)) for name, found in prefixed.items()})
    return meanings


def _meaning(name: str) -> Meaning | None:
    last = next((part for part in reversed(name.split("|")) if part), name).strip()
    organelle = organelle_of(last)
    if organelle:
        return "organelle", organelle
    accession = _ACCESSION.fullmatch(last)
    if accession:
        return "accession", accession.group(1)
    bare = _BARE.fullmatch(last)
    if bare:
        return "chromosome", _number(bare.group(1))
    for kind, pattern in _KINDS.items():
        found = pattern.fullmatch(last) or pattern.fullmatch(last.lower())
        if found:
            return kind, _number(found.group(1))
    return None


def _number(text: str) -> str:
    """A01 and a1 are A1."""
    return re.sub(r"(?<=[A-Z])0+(?=\d)", "", text.upper())
