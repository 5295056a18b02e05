"""Loci of a few dozen bases with a coding gene, small enough to write down every isoform."""

from __future__ import annotations

from itertools import chain, combinations, pairwise, product

import numpy as np

from phytoscribe.annotation.model import introns_between
from phytoscribe.decoding.isoform_edits import MINIMUM_EXON, longest_cds
from phytoscribe.sentences.sentence import gene_of, tokens_of
from phytoscribe.sentences.shapes import GeneSentence, WrittenIsoform, bases_of, chain_with, introns_inside
from phytoscribe.sentences.sites import SITE_FEATURES, SiteTable, sites_of_isoform
from phytoscribe.sentences.tokens import BOS, CDS, EOS, EXON, TRANSCRIPT, SentenceError, Site, SiteKind

PIECES = ("ATG", "GT", "AG", "TAA", "A", "C", "GCC", "T", "TGA", "GTA", "CAG", "ATGG", "N")
CODES = {base: code for code, base in enumerate("ACGTN")}
INTRON, CODING = 4, 9


def table_of(sites, own=()) -> SiteTable:
    """A table of given sites, without features."""
    ordered = tuple(sorted(set(sites), key=lambda site: site.order))
    features = np.zeros((len(ordered), SITE_FEATURES), np.float32)
    return SiteTable(ordered, features, np.array([site in set(own) for site in ordered], dtype=bool))


def random_locus(seed: int, pieces: int, most_sites: int):
    """Bases, a primary with a CDS, and a table of sites; None where no primary came out."""
    generator = np.random.default_rng(seed)
    text = "".join(generator.choice(PIECES, pieces, p=[0.14, *[0.86 / 12] * 11, 0.86 / 12]))
    codes = np.array([CODES[base] for base in text], dtype=np.uint8)
    if codes.size < 24:
        return None
    start, end = int(generator.integers(0, 5)), codes.size - int(generator.integers(0, 5))
    cuts = sorted(generator.choice(np.arange(start + 3, end - 3), 2 * int(generator.integers(0, 3)), replace=False))
    introns = [(int(d), int(a)) for d, a in zip(cuts[::2], cuts[1::2], strict=True)]
    exons = chain_with(start, end, introns)
    cds = longest_cds(exons, codes)
    if any(e <= s for s, e in exons) or not cds:
        return None
    primary = WrittenIsoform(exons, cds)
    own = sites_of_isoform(*primary)
    kinds = generator.choice(list("TSDAP"), most_sites, p=[0.08, 0.15, 0.34, 0.35, 0.08])
    others = [Site(SiteKind(kind), int(generator.integers(0, codes.size + 1))) for kind in kinds]
    starts = [i for i in range(codes.size - 2) if text[i : i + 3] == "ATG"]
    others = [s._replace(cut=int(generator.choice(starts))) if s.kind == "S" and starts else s for s in others]
    return codes, primary, table_of([*own, *others], own)


def all_alternatives(codes, primary, earlier, table):
    """Words of every alternative that may follow the isoforms ``earlier``, straight from the rules."""
    cuts = {kind: [site.cut for site in table.sites if site.kind == kind] for kind in SiteKind}
    before = tokens_of(GeneSentence("protein_coding", "+", (primary,)), codes)[:-1]
    pairs = [(d, a) for d in cuts[SiteKind.D] for a in cuts[SiteKind.A] if a - d >= INTRON]
    gained = [list(c) for n in range(4) for c in combinations(pairs, n) if all(x[1] < y[0] for x, y in pairwise(c))]
    codings = [[], *([CDS, Site(SiteKind.S, cut)] for cut in cuts[SiteKind.S])]
    found = []
    for span in [(), *product(cuts[SiteKind.T], cuts[SiteKind.P])]:
        start, end = span or (primary.exons[0][0], primary.exons[-1][1])
        if span and not (start + MINIMUM_EXON <= end and start < primary.exons[-1][1] - MINIMUM_EXON):
            continue
        if span and end <= primary.exons[0][0] + MINIMUM_EXON:
            continue
        donors = [d for d, _ in introns_inside(primary.exons, start, end)]
        losses = chain.from_iterable(combinations(donors, n) for n in range(len(donors) + 1))
        for lost, new, coding in product(list(losses), gained, codings):
            words = [Site(SiteKind.T, start), Site(SiteKind.P, end)] if span else []
            words += [word for donor in lost for word in (EXON, Site(SiteKind.D, donor))]
            words += [Site(kind, cut) for intron in new for kind, cut in zip((SiteKind.D, SiteKind.A), intron)]
            words += coding
            try:
                isoform = gene_of([*before, TRANSCRIPT, *words, EOS], codes).isoforms[1]
            except SentenceError:
                continue
            exons = set(isoform.exons) - set(primary.exons)
            long_exons = all(e - s >= MINIMUM_EXON for s, e in exons)
            inside = all(any(s + 3 <= d and a <= e - 3 for s, e in _without(isoform.exons, (d, a))) for d, a in new)
            if (
                bases_of(isoform.cds) >= CODING
                and isoform.cds not in {i.cds for i in earlier}
                and long_exons
                and inside
            ):
                found.append(words)
    assert before[0] == BOS
    return found


def _without(exons, intron):
    introns = [found for found in introns_between(exons) if found != intron]
    return chain_with(exons[0][0], exons[-1][1], introns)
