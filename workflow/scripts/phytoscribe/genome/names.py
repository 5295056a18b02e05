"""Show names and other texts from users' files in messages, and recognise organelles by name."""

from __future__ import annotations

import re
from collections.abc import Collection

CHLOROPLAST, MITOCHONDRION = "chloroplast", "mitochondrion"

#: What is left of a name after ``chr``, ``chromosome`` and separators, lower case.
_SHORT_NAMES = {
    **dict.fromkeys(("pt", "cp", "pltd"), CHLOROPLAST),
    **dict.fromkeys(("mt", "mito"), MITOCHONDRION),
}
#: Single letters say it only behind ``chr``: a contig called C may be anything.
_LETTERS = {"c": CHLOROPLAST, "p": CHLOROPLAST, "m": MITOCHONDRION}
_WORDS = {
    **dict.fromkeys(("chloroplast", "cloroplast", "plastid", "plastome"), CHLOROPLAST),
    **dict.fromkeys(("mitochond", "mitocond", "mitogenom"), MITOCHONDRION),
}
#: Parts of a name, which separators divide, that can mean nothing else.
_PARTS = re.compile(r"(?P<plastid>(?:cp|pt|ct|pl|plt)dna|pltd|chloro|plast)\d*|(?P<mito>mtdna|mito(?:dna)?)\d*")
#: "Mt genome" may be that of Medicago truncatula if a sequence of it is named behind.
_GENOME = re.compile(r"(?:.*_)?(?:(?P<plastid>cp|pt|ct)|mt|mito)_?genome(?:_?\d+|_(?:circular|linear|complete))*")
#: "Pt1" and "Mt_chr1" are of Populus and Medicago: these are organelles only behind the name of an assembly.
_BEHIND = re.compile(r".*_(?P<short>(?:chr(?:omosome|om)?_?)?(?:pt|cp|mt)|chr(?:omosome|om)?_?[cm])")
_NUCLEAR = re.compile(r"(?:^|_)(?:chr|chromosome|lg|scaffold|scaf|contig|ctg|tig|super|group)_?[a-z]?\d")
_SEPARATORS = re.compile(r"[_.\-:;,/#+ ]+")
_CHROMOSOME = re.compile(r"^(?:chromosome|chrom|chr)[_.\- ]?")
_VERSION = re.compile(r"\.\d+$")

#: RefSeq and GenBank records without version, of plants with a reference genome: chloroplast / mitochondrion.
_RECORDS = """
Arabidopsis thaliana: NC_000932 AP000423 / NC_037304 NC_001284 BK010421 Y08501
Oryza sativa: NC_001320 NC_031333 / NC_011033
Zea mays: NC_001666 / NC_007982
Glycine max: NC_007942 / NC_020455
Populus trichocarpa: NC_009143 /
Vitis vinifera: NC_007957 / NC_012119
Sorghum bicolor: NC_008602 / NC_008360
Brachypodium distachyon: NC_011032 /
Setaria italica: NC_022850 /
Chlamydomonas reinhardtii: NC_005353 / NC_001638
Physcomitrium patens: NC_005087 / NC_007945
Brassica napus: NC_016734 / NC_008285
Solanum lycopersicum: NC_007898 / NC_035963
"""
ACCESSIONS = {
    record: organelle
    for line in _RECORDS.strip().splitlines()
    for organelle, records in zip((CHLOROPLAST, MITOCHONDRION), line.partition(":")[2].split("/"), strict=True)
    for record in records.split()
}


def shown(text: str, limit: int = 60) -> str:
    """Quote a text from a file: control characters are escaped, and a long text is cut."""
    return repr(text) if len(text) <= limit else f"{text[:limit]!r}... ({len(text)} characters)"


def unquoted(text: str, limit: int = 60) -> str:
    """A text from a file unchanged if it is printable and short; else as by :func:`shown`."""
    return text if len(text) <= limit and text.isprintable() else shown(text, limit)


def some_names(names: Collection[str], limit: int = 5) -> str:
    """The first names and the total number."""
    listed = ", ".join(map(unquoted, list(names)[:limit]))
    return listed if len(names) <= limit else f"{listed}, ... ({len(names)} in all)"


def organelle_of(name: str) -> str | None:
    """``chloroplast`` or ``mitochondrion`` if the contig's name indicates it, else None.

    Recognised: ChrC, ChrM, ChrPt, Pt, Mt, MT, also after an assembly's name (Osat_Pt); mito, Pltd, mtDNA, cpDNA, ptDNA
    as a part of a name (scaffold_mito1), mt_genome; names that hold ``chloroplast``, ``plastid`` or ``mitochond``, and
    the accessions of :data:`ACCESSIONS` with or without version.  Pt and Mt followed by anything are not: Pt1 is a
    chromosome of poplar, Mt_chr1 of Medicago.  List other names under ``organelles`` in the genome's configuration.
    """
    last = next((part for part in reversed(name.split("|")) if part), name).strip()
    accession = ACCESSIONS.get(_VERSION.sub("", last))
    if accession is not None:
        return accession
    lower = last.lower()
    for word, organelle in _WORDS.items():
        if word in lower:
            return organelle
    short = _CHROMOSOME.sub("", lower)
    if short != lower and short in _LETTERS:
        return _LETTERS[short]
    return _SHORT_NAMES.get(short) or _organelle_of_parts(_SEPARATORS.sub("_", lower).strip("_"))


def _organelle_of_parts(name: str) -> str | None:
    """What a name says whose parts are divided by ``_``, lower case."""
    found = next(filter(None, map(_PARTS.fullmatch, (_CHROMOSOME.sub("", part) for part in name.split("_")))), None)
    found = found or _GENOME.fullmatch(name)
    if found is not None:
        return CHLOROPLAST if found["plastid"] else MITOCHONDRION
    behind = _BEHIND.fullmatch(name)
    if behind is None or _NUCLEAR.search(name[: behind.start("short")]):
        return None
    return CHLOROPLAST if behind["short"][-2:] in ("pt", "cp") or behind["short"][-1] == "c" else MITOCHONDRION
