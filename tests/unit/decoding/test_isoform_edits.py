"""Single changes of real exon chains: the annotated isoforms that one event makes are among them."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rankers import random_ranker

from phytoscribe.annotation.isoform_events import (
    A3SS,
    A5SS,
    BOTH_ENDS,
    ES,
    EXON_INCLUDED,
    INTRON_SPLICED,
    IR,
    isoform_events,
)
from phytoscribe.annotation.model import introns_between
from phytoscribe.decoding.isoform_edits import (
    Direction,
    FirstTranscript,
    Isoform,
    LocusWindow,
    NetworkOutput,
    edited,
    edits_of,
    isoform_candidates,
    longest_cds,
)
from phytoscribe.decoding.isoform_features import DNA_FEATURES, FEATURES, Prefixes, features_of
from phytoscribe.decoding.isoform_ranker import RANKED, RANKED_WITH_READS, IsoformRanker, RankerWithReads, save_rankers
from phytoscribe.decoding.isoform_reads import READ_FEATURES, least_support
from phytoscribe.errors import ModelError
from phytoscribe.genome import Genome
from phytoscribe.genome.junctions import JunctionReads, Support
from phytoscribe.labels.states import ACCEPTOR, DONOR, SITE_COUNT, STATE_COUNT

SINGLE = (A3SS, A5SS, BOTH_ENDS, IR, INTRON_SPLICED, ES, EXON_INCLUDED)


def told_window(bases, gene) -> tuple[LocusWindow, Direction]:
    """A gene's window in which the network knows every splice site of its isoforms, and no other."""
    states = np.full((2, bases.size, STATE_COUNT), -14.0, np.float16)
    sites = np.zeros((2, bases.size, SITE_COUNT), np.float16)
    row = 0 if gene.strand == "+" else 1
    for left, right in set(chain.from_iterable(introns_between(t.exons) for t in gene.transcripts)):
        donor, acceptor = (left, right - 1) if gene.strand == "+" else (right - 1, left)
        sites[row, donor, DONOR] = sites[row, acceptor, ACCEPTOR] = 1.0
    return NetworkOutput(bases, tuple(states), tuple(sites), 0).window(gene.strand, gene.start, gene.end)


@pytest.fixture(scope="module")
def bases_of(arabidopsis_fasta):
    with Genome(arabidopsis_fasta) as genome:
        return {name: genome.bases(name) for name in ("Chr4", "Chr3")}


def test_annotated_isoforms_by_one_event_are_found(bases_of, arabidopsis_genes):
    """On both strands; the longest frame of the changed exons is the annotated CDS in nearly all."""
    found = {kind: [0, 0, 0] for kind in SINGLE}
    strands = set()
    for gene in arabidopsis_genes:
        if gene.contig not in bases_of or len(gene.coding_transcripts) < 2:
            continue
        first, bases = gene.representative, bases_of[gene.contig]
        window, direction = told_window(bases, gene)
        chains = {edited(e, edit) for e in [direction.inward(first.exons)] for edit in edits_of(e, window, 40)}
        for other in gene.coding_transcripts:
            events = isoform_events(first, other)
            if len(events) != 1 or events[0].kind not in SINGLE or other is first:
                continue
            # Transcript ends are the first one's: an edit changes introns alone.
            ends = introns_between(other.exons)
            same = [exons for exons in chains if introns_between(exons) == direction.inward(ends)]
            count = found[events[0].kind]
            count[0] += 1
            count[1] += bool(same)
            count[2] += bool(same) and longest_cds(same[0], window.codes) == direction.inward(other.cds)
            strands.add(gene.strand)
    assert strands == {"+", "-"}
    total, listed, coding = np.sum(list(found.values()), axis=0)
    assert total > 40
    assert listed >= 0.85 * total, found
    assert coding >= 0.85 * listed, found
    assert all(found[kind][1] for kind in (A3SS, A5SS, IR)), found


@given(st.data())
def test_directions_are_turned_back(data):
    strand = data.draw(st.sampled_from("+-"))
    cuts = sorted(data.draw(st.lists(st.integers(10, 90), min_size=2, max_size=8, unique=True)))
    intervals = tuple(zip(cuts[::2], cuts[1::2], strict=False))
    direction = Direction(strand, 5, 95)
    inward = direction.inward(intervals)
    assert direction.outward(inward) == intervals
    assert list(inward) == sorted(inward)


def test_candidates_code_for_something_new_and_each_once(bases_of, arabidopsis_genes):
    gene = next(g for g in arabidopsis_genes if g.contig == "Chr4" and len(g.transcripts) > 2 and g.strand == "-")
    first = gene.representative
    window, direction = told_window(bases_of["Chr4"], gene)
    own = FirstTranscript(direction.inward(first.exons), direction.inward(first.cds), 0.9, 0.99)
    structure = Isoform(own.exons[:1], own.cds[:1], -2.0)
    found = isoform_candidates(own, [structure, Isoform(own.exons, own.cds, -0.1)], window, 40, 90)
    assert len({isoform.cds for isoform in found}) == len(found) > 2
    assert own.cds not in {isoform.cds for isoform in found}
    assert structure in found
    features = features_of(found, own, window, Prefixes.of(window))
    assert features.shape == (len(found), DNA_FEATURES)
    assert np.isfinite(features).all()
    # One by one as all at once.
    ranker = random_ranker()
    assert [float(ranker(row[None])[0]) for row in features] == ranker(features).tolist()


def test_reads_tell_spliced_isoforms_apart_and_change_nothing_of_dna(bases_of, arabidopsis_genes):
    """40 reads splice each intron of the first transcript, 10 the first one that another isoform has beside them."""
    gene = next(g for g in arabidopsis_genes if g.contig == "Chr4" and len(g.transcripts) > 2 and g.strand == "-")
    first = gene.representative
    window, direction = told_window(bases_of["Chr4"], gene)
    own = FirstTranscript(direction.inward(first.exons), direction.inward(first.cds), 0.9, 0.99)
    found = isoform_candidates(own, [], window, 40, 90)
    introns = introns_between(first.exons)
    new = next(i for c in found for i in direction.outward(introns_between(c.exons)) if i not in introns)
    counts = dict.fromkeys((("Chr4", "-", intron) for intron in introns), 40) | {("Chr4", "-", new): 10}
    reads = JunctionReads(counts).on("Chr4")

    def reads_of(intron):
        return reads.support("-", direction.outward([intron])[0])

    alone = features_of(found, own, window, Prefixes.of(window))
    known = features_of(found, own, window, Prefixes.of(window), reads_of)
    assert known.shape == (len(found), FEATURES)
    assert np.array_equal(known[:, :DNA_FEATURES], alone)
    supports = [least_support(isoform.exons, own.exons, reads_of) for isoform in found]
    shares_a_site = any(a == new[0] or b == new[1] for a, b in introns)
    usage = 10 / 50 if shares_a_site else 1.0
    for isoform, row, support in zip(found, known, supports, strict=True):
        gained = [i for i in direction.outward(introns_between(isoform.exons)) if i not in introns]
        if gained == [new]:
            assert support == Support(10, 50 if shares_a_site else 10)
            assert row[DNA_FEATURES + 2] == pytest.approx(usage)
        elif gained:
            assert support.reads == 0
            assert row[DNA_FEATURES + 2] == 0
        else:
            assert support is None
    assert any(support == Support(10, 50 if shares_a_site else 10) for support in supports)


def test_rankers_are_what_was_saved(tmp_path):
    rankers = {RANKED: random_ranker(), RANKED_WITH_READS: random_ranker(5, 1 + READ_FEATURES)}
    save_rankers(rankers, tmp_path)
    generator = np.random.default_rng(1)
    for kind, ranker in rankers.items():
        features = generator.normal(0, 3, (20, ranker.mean.size)).astype(np.float32)
        assert IsoformRanker.load(tmp_path, kind)(features) == pytest.approx(ranker(features), abs=1e-6)
    known = generator.normal(0, 3, (20, FEATURES)).astype(np.float32)
    found = RankerWithReads.load(tmp_path)(known)
    assert found == pytest.approx(RankerWithReads(*rankers.values())(known), abs=1e-6)
    # What reads and DNA say both count.
    for columns in (slice(0, DNA_FEATURES), slice(DNA_FEATURES, None)):
        other = known.copy()
        other[:, columns] += 1.0
        assert not np.allclose(RankerWithReads.load(tmp_path)(other), found, atol=1e-3)
    save_rankers({RANKED: random_ranker(features=FEATURES)}, tmp_path)
    with pytest.raises(ModelError, match=f"knows {FEATURES} features, not {DNA_FEATURES}: it is of another version"):
        IsoformRanker.load(tmp_path)
    (tmp_path / "isoforms.safetensors").write_bytes(b"damaged")
    with pytest.raises(ModelError, match=r"isoforms\.safetensors: cannot be read"):
        IsoformRanker.load(tmp_path)
    with pytest.raises(ModelError, match=r"missing, so isoforms cannot be ranked"):
        IsoformRanker.load(tmp_path / "elsewhere")
