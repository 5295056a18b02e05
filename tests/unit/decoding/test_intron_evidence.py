"""Junctions as terms of the lattice: against brute force, piece by piece, and the gradient of their weights."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from brute_force_lattice import PIECES, SMALL, random_case, random_log_probabilities
from decoded_regions import START, region_with_genes
from decoding_steps import CUT_OFTEN, AnyOrder, parts_of
from hypothesis import given, settings
from hypothesis import strategies as st
from junction_evidence import (
    PROTEIN_WEIGHTS,
    WEIGHTS,
    protein_score_of,
    random_junctions,
    random_proteins,
    score_of,
)
from lattice_checks import LONG, alike, compare, mirrored

from phytoscribe.decoding import intron_evidence, lattice
from phytoscribe.decoding.contigs import GeneDecoding, StreamingGeneDecoder, ThreadedGeneDecoder
from phytoscribe.decoding.decoded_gene import calibrated
from phytoscribe.decoding.evidence_likelihood import EvidenceLikelihood, EvidenceRegion
from phytoscribe.decoding.evidence_weights import EvidenceWeights, calibrate_for
from phytoscribe.decoding.gene_regions import gene_regions_of
from phytoscribe.decoding.intron_evidence import ContigEvidence, ContigJunctions
from phytoscribe.decoding.isoforms import IsoformSettings
from phytoscribe.decoding.protein_evidence import ContigProteins, ProteinWeights
from phytoscribe.decoding.streaming import decode_coding_genes
from phytoscribe.errors import ModelError
from phytoscribe.genome.aligned_proteins import AlignedProtein
from phytoscribe.genome.sequence import reverse_complement
from phytoscribe.labels.states import State


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=8, max_size=20), st.integers(0, 2**32 - 1), st.booleans())
def test_best_path_and_posteriors_equal_brute_force(pieces, seed, partial):
    """Also of introns beyond the table of lengths (13 bp here), which are summed without their support first."""
    bases, plus, minus = random_case(pieces, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intron_evidence, "NEARBY", 4)
        evidence = ContigEvidence(random_junctions(bases, seed, SMALL.minimum_intron), WEIGHTS)
        compare(bases, plus, minus, replace(SMALL, partial=partial), evidence, lambda s: score_of(s, evidence))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=8, max_size=20), st.integers(0, 2**32 - 1), st.booleans())
def test_best_path_and_posteriors_with_proteins_equal_brute_force(pieces, seed, by_both):
    """Proteins alone, and beside junctions by reads, some of the same introns."""
    bases, plus, minus = random_case(pieces, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intron_evidence, "NEARBY", 4)
        proteins = random_proteins(bases, seed, SMALL.minimum_intron)
        junctions = random_junctions(bases, seed, SMALL.minimum_intron) if by_both else ContigJunctions(())
        evidence = ContigEvidence.of(junctions, WEIGHTS, proteins, PROTEIN_WEIGHTS)

        def more(structure):
            by_reads = score_of(structure, ContigEvidence(junctions, WEIGHTS)) if by_both else 0.0
            return by_reads + protein_score_of(structure, proteins, PROTEIN_WEIGHTS)

        compare(bases, plus, minus, replace(SMALL, partial=True), evidence, more)


def test_the_cases_hold_supported_introns_within_and_beyond_the_table(monkeypatch):
    """The comparison above is worth something only if genes with such introns win in it."""
    limit, seen = SMALL.intron_lengths.limit, set()
    monkeypatch.setattr(intron_evidence, "NEARBY", 4)
    for seed in range(300):
        case = random_case(list(np.random.default_rng(seed).choice(PIECES, 30)), seed)
        evidence = ContigEvidence(random_junctions(case[0], seed, SMALL.minimum_intron), WEIGHTS)
        for gene in decode_coding_genes(*case, SMALL, evidence=evidence):
            for (_, left), (right, _) in zip(gene.first.cds, gene.first.cds[1:], strict=False):
                if evidence.junctions.reads_of(gene.strand, (left, right)):
                    seen.add((gene.strand, right - left > limit))
    assert seen == {(strand, beyond) for strand in "+-" for beyond in (False, True)}


@pytest.fixture(scope="module")
def contig() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(7)
    bases = generator.integers(0, 4, 3000).astype(np.uint8)
    return bases, *(random_log_probabilities(generator, bases.size).astype(np.float16) for _ in range(2))


def evidence_on(bases: np.ndarray) -> ContigEvidence:
    return ContigEvidence(random_junctions(bases, 3, LONG.minimum_intron, 400), WEIGHTS)


@pytest.mark.parametrize("cut_often", [False, True])
def test_pieces_and_threads_change_nothing(contig, cut_often, monkeypatch):
    """Of genes, their isoforms, and what is said of their introns."""
    for name, value in (CUT_OFTEN if cut_often else {}).items():
        monkeypatch.setattr(lattice, name, value)
    evidence, isoforms = evidence_on(contig[0]), IsoformSettings(0.05, maximum=2)
    parts, pool = parts_of(contig, [1, 2, 700, 1301, 2999]), AnyOrder(1)
    threaded = ThreadedGeneDecoder("c", GeneDecoding(LONG, isoforms, evidence), pool.after)
    futures = [threaded.push(*part, last=part is parts[-1]) for part in parts]
    pool.run()
    decoder = StreamingGeneDecoder("c", GeneDecoding(LONG, isoforms, evidence))
    whole = decoder.push(*contig) + decoder.finish()
    assert [gene for future in futures for gene in future.result()] == whole
    said = [t.attributes for gene in whole for t in gene.transcripts if "supported_introns" in t.attributes]
    assert any(not values["supported_introns"].startswith("0/") for values in said)
    for gene in whole:
        for transcript in gene.transcripts:
            introns = transcript.introns if gene.strand == "+" else transcript.introns[::-1]
            reads = [evidence.junctions.reads_of(gene.strand, intron) for intron in introns]
            assert transcript.attributes.get("supporting_reads", "") == ",".join(map(str, reads))


def test_reverse_complement_mirrors_the_genes(contig):
    bases, plus, minus = contig
    evidence = evidence_on(bases)
    found = evidence.junctions
    turned = ContigJunctions(
        ("-+"[strand], (bases.size - right, bases.size - left), reads)
        for left, right, strand, reads in zip(found.left, found.right, found.strand, found.reads, strict=True)
    )
    genes = decode_coding_genes(bases, plus, minus, LONG, evidence=evidence)
    other = ContigEvidence(turned, WEIGHTS)
    mirror = decode_coding_genes(reverse_complement(bases), minus[::-1], plus[::-1], LONG, evidence=other)
    assert len(genes) == len(mirror) > 2
    assert all(alike(mirrored(b, bases.size), a) for a, b in zip(genes, mirror[::-1], strict=True))


def test_weights_of_zero_change_probabilities_only_by_what_reads_add_on_average(contig):
    """Log odds of 0 double an intron's weight; far below 0 nothing is left of the evidence."""
    nothing = ContigEvidence(evidence_on(contig[0]).junctions, EvidenceWeights(junction_score=-60.0))
    every_site = replace(LONG, site_cutoff=None)
    for with_it, without in zip(
        decode_coding_genes(*contig, every_site, evidence=nothing),
        decode_coding_genes(*contig, every_site),
        strict=True,
    ):
        assert alike(with_it, without)


@pytest.mark.parametrize("by", ["reads", "proteins"])
def test_gradient_is_that_of_the_likelihood(by):
    region = region_with_genes(1, genes=4)
    introns = [(cds[0][1], cds[1][0]) for gene in region.genes for cds in [gene.transcripts[0].cds]]
    given = [("+", introns[0], 40), ("+", introns[1], 3), ("+", (introns[1][0], introns[1][1] - 7), 900)]
    given += [("+", (introns[2][0] - 20, introns[2][1]), 15), ("-", introns[3], 2)]
    other = random_junctions(region.bases, 2, START.minimum_intron, 40)
    given += [
        ("+-"[s], (a, b), n) for a, b, s, n in zip(other.left, other.right, other.strand, other.reads, strict=True)
    ]
    junctions = ContigJunctions(given)
    proteins = random_proteins(region.bases, 2, START.minimum_intron, 60)
    cds = [gene.transcripts[0].cds for gene in region.genes[:2]]
    whole = [AlignedProtein("c", "+", cds[k], (0, 1), quality, True, True, True) for k, quality in ((0, 0.9), (1, 0.3))]
    (part,) = gene_regions_of(region, START, -20.0)
    found = (junctions, WEIGHTS) if by == "reads" else (ContigProteins([*proteins.proteins, *whole]), PROTEIN_WEIGHTS)
    likelihood = EvidenceLikelihood([EvidenceRegion(part, found[0], START)])
    vector = found[1].vector()
    value, gradient = likelihood(vector)
    assert value < 0
    for index in range(vector.size):
        step = np.zeros(vector.size)
        step[index] = 1e-4
        numeric = (likelihood(vector + step)[0] - likelihood(vector - step)[0]) / 2e-4
        assert gradient[index] == pytest.approx(numeric, rel=1e-3, abs=1e-4), index
        assert gradient[index] != 0


def test_every_region_is_weighed_with_the_decoder_of_its_species():
    region = region_with_genes(1, genes=2)
    junctions = random_junctions(region.bases, 2, START.minimum_intron, 20)
    (part,) = gene_regions_of(region, START, -20.0)
    decoders = START, replace(START, gene_score=2.0, donor_weight=0.5)
    regions = [EvidenceRegion(part, junctions, settings) for settings in decoders]
    value, gradient = EvidenceLikelihood(regions)(WEIGHTS.vector())
    alone = [EvidenceLikelihood([region])(WEIGHTS.vector()) for region in regions]
    assert alone[0][0] != alone[1][0]
    assert value == pytest.approx(alone[0][0] + alone[1][0], rel=1e-12)
    assert gradient == pytest.approx(alone[0][1] + alone[1][1], rel=1e-9)


def test_evidence_calibrates_on_top_of_the_decoder_of_the_species_and_kinds_follow_each_other():
    decoder = replace(START, calibration_slope=2.0, calibration_offset=0.5, calibrated_on=("a", "b"))
    reads = EvidenceWeights(calibration_slope=3.0, calibration_offset=0.25, calibrated_on=("b",))
    proteins = ProteinWeights(calibration_slope=0.5, calibration_offset=0.75, calibrated_on=("b", "c"))
    unlike = ProteinWeights(calibrated_on=("a",))
    assert calibrate_for([], decoder) == decoder
    alone = calibrate_for([reads], decoder)
    assert (alone.calibration_slope, alone.calibration_offset, alone.calibrated_on) == (6.0, 1.75, ("b",))
    both = calibrate_for([reads, proteins], decoder)
    assert (both.calibration_slope, both.calibration_offset, both.calibrated_on) == (3.0, 1.625, ("b",))
    assert calibrate_for([reads, unlike], decoder).calibrated_on == ()
    odds = math.log(0.3 / 0.7)
    after = 1 / (1 + math.exp(-(0.5 * (3.0 * (2.0 * odds + 0.5) + 0.25) + 0.75)))
    assert calibrated(math.log(0.3), both) == pytest.approx(after)


def test_sites_seen_by_reads_are_candidates_where_the_network_sees_nothing():
    region = region_with_genes(5, genes=1)
    (start, donor), (acceptor, end) = cds = region.genes[0].transcripts[0].cds
    plus = region.plus.copy()
    for number, base in enumerate([*range(start, donor), *range(acceptor, end)]):
        plus[base, State.CODING0 + number % 3] += 5.0
    plus[donor:acceptor, State.INTRON0 + (donor - start) % 3] += 5.0
    plus[[donor - 1, acceptor], State.FIRST0 : State.LAST2 + 1] = -20.0
    chosen = replace(START, site_cutoff=-7.0, coding_weight=1.0, intron_weight=1.0)
    evidence = ContigEvidence(ContigJunctions([("+", (donor, acceptor), 500)]), EvidenceWeights(junction_score=8.0))
    without = decode_coding_genes(region.bases, plus, region.minus, chosen)
    found = decode_coding_genes(region.bases, plus, region.minus, chosen, evidence=evidence)
    assert cds not in [gene.first.cds for gene in without]
    assert [gene.first.cds for gene in found] == [cds]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace('"reads_weight"', '"weight_of_reads"'), "reads_weight"),
        (lambda text: text.replace("-0.4", "0.4"), "sign"),
        (lambda text: text[:40], "cannot be read"),
        (lambda text: text.replace('"abc"', '"abd"'), "fitted for model abd, not for abc"),
    ],
)
def test_weights_are_read_as_they_were_written_or_not_at_all(tmp_path, change, message):
    path = tmp_path / "evidence.json"
    with pytest.raises(ModelError, match="missing"):
        EvidenceWeights.load(path, "abc")
    WEIGHTS.save(path, "abc", {"genes": 3})
    assert EvidenceWeights.load(path, "abc") == WEIGHTS
    path.write_text(change(path.read_text()))
    with pytest.raises(ModelError, match=message):
        EvidenceWeights.load(path, "abc")
