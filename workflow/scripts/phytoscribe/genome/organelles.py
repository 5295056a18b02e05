"""Contigs that are a chloroplast or a mitochondrion, recognised by their names."""

from __future__ import annotations

import re

CHLOROPLAST, MITOCHONDRION = "chloroplast", "mitochondrion"

#: What is left of a name after ``chr``, ``chromosome`` and separators, lower case.
_SHORT_NAMES = {
    "pt": CHLOROPLAST,
    "cp": CHLOROPLAST,
    "pltd": CHLOROPLAST,
    "mt": MITOCHONDRION,
    "mito": MITOCHONDRION,
}
#: Single letters say it only behind ``chr``: a contig called C may be anything.
_LETTERS = {"c": CHLOROPLAST, "p": CHLOROPLAST, "m": MITOCHONDRION}
_WORDS = {
    "chloroplast": CHLOROPLAST,
    "plastid": CHLOROPLAST,
    "plastome": CHLOROPLAST,
    "mitochondri": MITOCHONDRION,
    "mitogenome": MITOCHONDRION,
}
_CHROMOSOME = re.compile(r"^(?:chromosome|chrom|chr)[_.\- ]?")
_VERSION = re.compile(r"\.\d+$")

#: RefSeq and GenBank records of organelles of plants with a reference genome, without version.
ACCESSIONS = {
    # Arabidopsis thaliana
    "NC_000932": CHLOROPLAST,
    "AP000423": CHLOROPLAST,
    "NC_037304": MITOCHONDRION,
    "NC_001284": MITOCHONDRION,
    "BK010421": MITOCHONDRION,
    "Y08501": MITOCHONDRION,
    # Oryza sativa
    "NC_001320": CHLOROPLAST,
    "NC_031333": CHLOROPLAST,
    "NC_011033": MITOCHONDRION,
    # Zea mays
    "NC_001666": CHLOROPLAST,
    "NC_007982": MITOCHONDRION,
    # Glycine max
    "NC_007942": CHLOROPLAST,
    "NC_020455": MITOCHONDRION,
    # Populus trichocarpa
    "NC_009143": CHLOROPLAST,
    # Vitis vinifera
    "NC_007957": CHLOROPLAST,
    "NC_012119": MITOCHONDRION,
    # Sorghum bicolor
    "NC_008602": CHLOROPLAST,
    "NC_008360": MITOCHONDRION,
    # Brachypodium distachyon
    "NC_011032": CHLOROPLAST,
    # Setaria italica
    "NC_022850": CHLOROPLAST,
    # Chlamydomonas reinhardtii
    "NC_005353": CHLOROPLAST,
    "NC_001638": MITOCHONDRION,
    # Physcomitrium patens
    "NC_005087": CHLOROPLAST,
    "NC_007945": MITOCHONDRION,
    # Brassica napus
    "NC_016734": CHLOROPLAST,
    "NC_008285": MITOCHONDRION,
    # Solanum lycopersicum
    "NC_007898": CHLOROPLAST,
    "NC_035963": MITOCHONDRION,
}


def organelle_of(name: str) -> str | None:
    """``chloroplast`` or ``mitochondrion`` if the contig's name says so, else None.

    Recognised: ChrC, ChrM, ChrPt, Pt, Mt, MT, Pltd, names that hold ``chloroplast``, ``plastid`` or ``mitochondri``,
    and the accessions of :data:`ACCESSIONS` with or without version.  Other names go into ``organelles`` of the
    genome's configuration.
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
    return _SHORT_NAMES.get(short)
