"""What tells whether a site is on a further isoform of a gene: the numbers that a network reads of each site.

Beside what the table of sites says, these are the consequences of the simplest change of the first transcript at a
site, in the numbers that the ranker looks at: an own donor's intron stays in, the exon behind an own acceptor is
skipped, another donor or acceptor takes the place of the nearest own one.  And the lattice's word: the highest
posterior of a structure that has the site, or that lacks an own one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import introns_between
from phytoscribe.decoding.isoform_edits import (
    ALONE,
    FARTHEST,
    MINIMUM_EXON,
    STATE_ALONE,
    Edit,
    Isoform,
    edited,
    longest_cds,
)
from phytoscribe.decoding.isoform_features import DNA_FEATURES, LEAST_LOG_POSTERIOR, Prefixes, features_of
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.genome.intervals import Interval
from phytoscribe.sentences.given_gene import GivenGene
from phytoscribe.sentences.sites import SITE_FEATURES, SiteTable
from phytoscribe.sentences.tokens import Site, SiteKind

#: Numbers for each site.
EVIDENCE = SITE_FEATURES + DNA_FEATURES + 7


def site_evidence(table: SiteTable, gene: GivenGene, settings: DecoderSettings) -> npt.NDArray[np.float32]:
    """Evidence of the sites of a gene, float32 (n, EVIDENCE)."""
    changes, rows = [], []
    posteriors = {isoform.cds: isoform.log_posterior for isoform in gene.structures}
    introns = introns_between(gene.first.exons)
    for row, (site, own) in enumerate(zip(table.sites, table.own.tolist(), strict=True)):
        edit = _simplest_change(site, own, gene, introns, settings.minimum_intron)
        if edit is None:
            continue
        exons = edited(gene.first.exons, edit)
        cds = longest_cds(exons, gene.window.codes)
        if cds != gene.first.cds and sum(end - start for start, end in cds) >= settings.minimum_cds:
            changes.append(Isoform(exons, cds, posteriors.get(cds), edited=True))
            rows.append(row)
    found = np.zeros((len(table), EVIDENCE), dtype=np.float32)
    found[:, :SITE_FEATURES] = table.features
    if changes:
        numbers = features_of(changes, gene.first, gene.window, Prefixes.of(gene.window))
        found[rows, SITE_FEATURES : SITE_FEATURES + DNA_FEATURES] = numbers
        found[rows, SITE_FEATURES + DNA_FEATURES] = 1.0
    found[:, SITE_FEATURES + DNA_FEATURES + 1] = _lattice(table, gene)
    length = sum(end - start for start, end in gene.first.cds)
    found[:, SITE_FEATURES + DNA_FEATURES + 2 :] = (
        _log_odds(gene.first.gene),
        _log_odds(gene.first.locus),
        math.log(length),
        math.log1p(len(introns)),
        max((isoform.log_posterior or 0.0 for isoform in gene.structures), default=LEAST_LOG_POSTERIOR),
    )
    return found


def _log_odds(p: float) -> float:
    p = min(max(p, 1e-3), 1 - 1e-3)
    return math.log(p / (1 - p))


def _simplest_change(
    site: Site, own: bool, gene: GivenGene, introns: Sequence[Interval], minimum_intron: int
) -> Edit | None:
    """The change of the first transcript that a site alone suggests; None if it suggests none."""
    if site.kind not in (SiteKind.D, SiteKind.A) or not introns:
        return None
    at_donor, cut = site.kind == SiteKind.D, site.cut
    k = min(range(len(introns)), key=lambda number: abs(introns[number][0 if at_donor else 1] - cut))
    donor, acceptor = introns[k]
    if own:
        if at_donor:
            return Edit((k, k + 1), ())
        return Edit((k, k + 2), ((donor, introns[k + 1][1]),)) if k + 1 < len(introns) else None
    exons = gene.first.exons
    if at_donor:
        head, state = gene.window.donor(cut)
        fits = exons[k][0] + MINIMUM_EXON <= cut <= acceptor - minimum_intron and abs(cut - donor) <= FARTHEST
        gained = (cut, acceptor)
    else:
        head, state = gene.window.acceptor(cut)
        fits = donor + minimum_intron <= cut <= exons[k + 1][1] - MINIMUM_EXON and abs(cut - acceptor) <= FARTHEST
        gained = (donor, cut)
    likely = head >= ALONE or state >= STATE_ALONE
    return Edit((k, k + 1), (gained,)) if fits and likely else None


def _lattice(table: SiteTable, gene: GivenGene) -> npt.NDArray[np.float32]:
    """Highest log posterior of a structure with each site, or, of an own site, of one that lacks it; (n,)."""
    best = np.full(len(table), LEAST_LOG_POSTERIOR, dtype=np.float32)
    cuts = np.array([site.cut for site in table.sites])
    kinds = [np.array([site.kind == kind for site in table.sites]) for kind in (SiteKind.S, SiteKind.D, SiteKind.A)]
    for isoform in gene.structures:
        introns = introns_between(isoform.cds)
        there = ([isoform.cds[0][0]], [donor for donor, _ in introns], [acceptor for _, acceptor in introns])
        has = np.zeros(len(table), dtype=bool)
        for kind, places in zip(kinds, there, strict=True):
            has |= kind & np.isin(cuts, places)
        inside = (cuts >= isoform.cds[0][0]) & (cuts <= isoform.cds[-1][1])
        lost = ~has & table.own & inside & np.logical_or.reduce(kinds)
        np.maximum(best, isoform.log_posterior, out=best, where=(has & ~table.own) | lost)
    return best
