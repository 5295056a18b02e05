"""Regions with known genes in the form of the lattice: candidate sites and chains of sites."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel, introns_between
from phytoscribe.annotation.sequences import reading_frame, splice, spliced_codes
from phytoscribe.decoding import grammar
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.decoding.site_scanner import SiteScanner
from phytoscribe.genome.intervals import Interval, merge_intervals
from phytoscribe.genome.sequence import N_CODE


@dataclass(frozen=True)
class DecodedRegion:
    """A region treated as a separate contig, with the network's output and its reference genes.

    Attributes:
        bases: uint8 (length,).
        plus, minus: log probabilities of each strand's states, (length, STATE_COUNT), contig orientation.
        genes: reference genes in the region's coordinates.
        mask: intervals that are not counted on either side.
        species, lineage: of its genome.
    """

    bases: npt.NDArray[np.uint8]
    plus: npt.NDArray
    minus: npt.NDArray
    genes: Sequence[GeneModel]
    mask: Sequence[Interval] = ()
    species: str = ""
    lineage: str = ""


@dataclass(frozen=True)
class GeneRegion:
    """A part of a region without masked bases: its candidate sites and the structures of its genes.

    Attributes:
        sites: candidate sites, those of the reference among them.
        loci: for each reference gene its isoforms, each a chain of nodes ``(row, t)`` from left to right.
        start: its start in the region; site positions count from here.
        bases: its length.
    """

    sites: grammar.Sites
    loci: list[list[npt.NDArray[np.int64]]]
    start: int
    bases: int


#: Strand and CDS segments.
Chain = tuple[str, tuple[Interval, ...]]


@dataclass(frozen=True, slots=True)
class Locus:
    """A reference gene for the grammar: the span of its coding isoforms, and those the grammar allows (or none)."""

    start: int
    end: int
    chains: tuple[Chain, ...]

    def shifted(self, offset: int) -> Locus:
        chains = tuple((strand, tuple((s + offset, e + offset) for s, e in cds)) for strand, cds in self.chains)
        return Locus(self.start + offset, self.end + offset, chains)


def expressible(chain: Chain, bases: npt.NDArray[np.uint8], settings: DecoderSettings) -> bool:
    """Whether the grammar allows a CDS chain of a strand: codons, splice sites, lengths."""
    strand, cds = chain
    codes = spliced_codes(cds, strand, bases)
    if len(codes) < settings.minimum_cds or (codes == N_CODE).any() or not reading_frame(codes).intact:
        return False
    if any(end - start < 3 for start, end in cds):
        return False
    for left, right in introns_between(cds):
        if right - left < settings.minimum_intron:
            return False
        ends = splice([(left, left + 2)], strand, bases), splice([(right - 2, right)], strand, bases)
        donor, acceptor = ends if strand == "+" else ends[::-1]
        at_ac = settings.at_ac and (donor, acceptor) == ("AT", "AC")
        if not at_ac and (donor not in ("GT", "GC") or acceptor != "AG"):
            return False
    return True


def loci_of(genes: Iterable[GeneModel], bases: npt.NDArray[np.uint8], settings: DecoderSettings) -> list[Locus]:
    """Loci of the coding genes, in order of position."""
    found = []
    for gene in genes:
        chains = dict.fromkeys((gene.strand, transcript.cds) for transcript in gene.coding_transcripts)
        if chains:
            start = min(cds[0][0] for _, cds in chains)
            end = max(cds[-1][1] for _, cds in chains)
            good = tuple(chain for chain in chains if expressible(chain, bases, settings))
            found.append(Locus(start, end, good))
    return sorted(found, key=lambda locus: (locus.start, locus.end))


def gene_regions_of(
    region: DecodedRegion, settings: DecoderSettings, cutoff: float | None, cuts: Iterable[int] = ()
) -> list[GeneRegion]:
    """Cut a region at its masked intervals and at the loci that the grammar cannot express.

    Args:
        cutoff, cuts: as of :func:`gene_regions_between`.
    """
    loci = loci_of(region.genes, region.bases, settings)
    sequence = region.bases, region.plus, region.minus
    return gene_regions_between(sequence, loci, region.mask, settings.at_ac, cutoff, settings.codon_margin, cuts)


def gene_regions_between(
    sequence: tuple[npt.NDArray, ...],
    loci: Sequence[Locus],
    mask: Iterable[Interval],
    at_ac: bool,
    cutoff: float | None,
    codon_margin: float = 0.0,
    cuts: Iterable[int] = (),
) -> list[GeneRegion]:
    """Parts of a sequence between masked intervals and loci that the grammar cannot express.

    Args:
        sequence: bases, plus, minus as in :class:`DecodedRegion`.
        loci: in order of position; loci that reach beyond the sequence's ends are left out with all the bases they
            cover.
        cutoff: lowest log probability for a site that does not belong to a locus.
        codon_margin: that of start and stop codons is this much lower.
        cuts: where sites are kept whatever their log probability.
    """
    size = len(sequence[0])
    hidden = [(int(start), int(end)) for start, end in mask]
    kept = []
    for locus in loci:
        if locus.chains and locus.start >= 0 and locus.end <= size:
            kept.append(locus)
        else:
            hidden.append((max(0, locus.start), min(size, locus.end)))
    # Genes over one another have no place on one path, nor have those that a masked interval touches.
    while True:
        closed = merge_intervals(hidden)
        clashing = {
            index
            for index, locus in enumerate(kept)
            if any(s < locus.end and locus.start < e for s, e in closed)
            or any(o.start < locus.end and locus.start < o.end for k, o in enumerate(kept) if k != index)
        }
        if not clashing:
            break
        hidden += [(kept[index].start, kept[index].end) for index in clashing]
        kept = [locus for index, locus in enumerate(kept) if index not in clashing]
    kept_cuts = np.fromiter(cuts, np.int64)
    found, position = [], 0
    for start, end in [*closed, (size, size)]:
        if start > position:
            inside = [locus.chains for locus in kept if position <= locus.start and locus.end <= start]
            part = tuple(values[position:start] for values in sequence)
            scanner = SiteScanner(cutoff, at_ac, codon_margin=codon_margin)
            found.append(_gene_region(part, position, inside, scanner, kept_cuts))
        position = max(position, end)
    return found


def _gene_region(
    sequence: tuple[npt.NDArray, ...],
    start: int,
    loci: Sequence[Sequence[Chain]],
    scanner: SiteScanner,
    cuts: npt.NDArray[np.int64],
) -> GeneRegion:
    bases = sequence[0]
    keep = np.zeros(bases.size, np.uint8)
    keep[cuts[(cuts >= start) & (cuts < start + bases.size)] - start] = 1
    for chains in loci:
        for _, cds in chains:
            for cut in np.ravel(cds):
                # The cut at the region's very end is kept by the scanner itself.
                if cut - start < keep.size:
                    keep[cut - start] = 1
    first = scanner.push(*sequence, keep)
    sites = grammar.join([first, scanner.finish()])
    index = {
        (int(p), int(k), int(s)): row
        for row, (p, k, s) in enumerate(zip(sites["position"], sites["kind"], sites["strand"], strict=True))
    }
    nodes = [[_nodes(chain, start, index) for chain in chains] for chains in loci]
    return GeneRegion(sites, nodes, start, bases.size)


def _nodes(chain: Chain, offset: int, index: dict[tuple[int, int, int], int]) -> npt.NDArray[np.int64]:
    """Nodes of a CDS chain, int64 (2 * segments, 2): row and t, from left to right."""
    strand = grammar.PLUS if chain[0] == "+" else grammar.MINUS
    nodes, done, last = [], 0, len(chain[1]) - 1
    for number, (start, end) in enumerate(chain[1]):
        opening = grammar.BEGIN if number == 0 else grammar.INTRON_END
        closing = grammar.END if number == last else grammar.INTRON_BEGIN
        nodes.append((index[start - offset, opening, strand], done % 3))
        done += end - start
        nodes.append((index[end - offset, closing, strand], done % 3))
    return np.array(nodes, dtype=np.int64)
