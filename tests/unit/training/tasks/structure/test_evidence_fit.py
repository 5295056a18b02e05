"""Weights of junctions, fitted to genes that the network half sees."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from decoded_regions import START, region_with_genes
from small_training_set import contig_of, small_set

from phytoscribe.decoding.decoded_gene import calibrated
from phytoscribe.decoding.evidence_weights import EvidenceWeights
from phytoscribe.decoding.gene_regions import DecodedRegion
from phytoscribe.decoding.intron_evidence import ContigJunctions
from phytoscribe.decoding.protein_evidence import ContigProteins, ProteinWeights
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.aligned_proteins import AlignedProtein
from phytoscribe.genome.junction_table import write_table
from phytoscribe.genome.sequence import decode
from phytoscribe.models.loading import model_hash
from phytoscribe.training.tasks.structure import evidence_fit
from phytoscribe.training.tasks.structure.decoder_fit import fit_once
from phytoscribe.training.tasks.structure.evidence_fit import (
    Library,
    RegionWithJunctions,
    fit_evidence,
    fit_protein_evidence,
    folds_of,
    misplaced,
    run_evidence_fit,
    seen_as,
)

RELEASED = Path("resources/models/brassicales")


def regions_with_junctions() -> list[RegionWithJunctions]:
    """The introns of all genes, and as many false ones with few reads."""
    found = []
    for seed in (2, 3):
        region = region_with_genes(seed, genes=5)
        introns = [(t.cds[0][1], t.cds[1][0]) for gene in region.genes for t in gene.transcripts]
        false = [(start + 12, end + 30) for start, end in introns]
        read = [("+", intron, 400) for intron in introns] + [("+", intron, 1) for intron in false]
        found.append(RegionWithJunctions(region, ContigJunctions(read), START))
    return found


def test_fitted_weights_find_more_genes_than_dna_and_are_the_same_for_any_threads(monkeypatch):
    monkeypatch.setattr(evidence_fit, "LIBRARIES", (Library(), Library(0.1, misplaced=0.3)))
    start, _ = fit_once([region_with_genes(4)], START)
    given = [replace(x, settings=start) for x in regions_with_junctions()]
    weights, report = fit_evidence(given, seed=1)
    assert report["genes"] == 10
    assert report["reads_1_misplaced_0"]["locus_f1"] > report["dna"]["locus_f1"]
    assert max(weights.missing_weight, weights.spliced_weight) <= 0
    assert fit_evidence(given, seed=1, threads=2) == (weights, report)


def test_species_are_held_out_in_turn_and_a_single_one_by_halves():
    region = region_with_genes(2, genes=3)
    named = [replace(region, species=name) for name in ("rice", "poplar", "rice")]
    assert folds_of(named) == [[1], [0, 2]]
    assert sorted(map(sorted, folds_of([region, region, region]))) == [[0, 2], [1]]
    assert folds_of([region]) == []


def test_weights_are_calibrated_on_genes_that_they_have_not_seen(monkeypatch):
    """Where all genes are wrong in what is held out, probabilities fall; species count the same, however many genes."""
    monkeypatch.setattr(evidence_fit, "RELATIONS", (1.0,))
    start, _ = fit_once([region_with_genes(4)], START)
    regions = [replace(region_with_genes(seed, genes=5), species="rice") for seed in (2, 3)]
    given = [RegionWithJunctions(region, ContigProteins(whole_proteins(region)), start) for region in regions]
    right = replace(given[0], region=region_with_genes(4, genes=5))
    right = replace(right, junctions=ContigProteins(whole_proteins(right.region)))
    wrong = replace(right, region=replace(right.region, genes=(), species="poplar"))
    of_right, _ = fit_protein_evidence(given, held_out=[right])
    of_both, _ = fit_protein_evidence(given, held_out=[right, wrong])
    of_many, _ = fit_protein_evidence(given, held_out=[right, right, right, wrong])
    assert of_right.vector().tolist() == of_both.vector().tolist()

    def probability(weights: ProteinWeights) -> float:
        return calibrated(math.log(0.9), weights.calibrate(START))

    assert probability(of_both) < 0.7 < probability(of_right)
    assert probability(of_many) == pytest.approx(probability(of_both), abs=0.1)


def whole_proteins(region: DecodedRegion) -> list[AlignedProtein]:
    """A protein of each gene, aligned from end to end."""
    return [AlignedProtein("c", "+", g.transcripts[0].cds, (0, 1), 0.9, True, True, True) for g in region.genes]


def test_thinned_reads_are_a_share_of_all_and_know_their_library():
    given = regions_with_junctions()
    few = seen_as(given, Library(0.1), np.random.default_rng(1))
    reads = np.concatenate([x.junctions.reads for x in few])
    assert 0.07 < reads.sum() / sum(x.junctions.reads.sum() for x in given) < 0.13
    assert len(reads) < sum(len(x.junctions) for x in given)
    assert {x.junctions.average for x in few} == {reads.mean()}


def test_misplaced_junctions_look_like_introns():
    bases = np.random.default_rng(0).integers(0, 4, 4000).astype(np.uint8)
    text, given = decode(bases), [("+-"[k % 2], (100 + k, 180 + k), k + 1) for k in range(40)]
    found = misplaced(given, bases, 0.5, np.random.default_rng(1))
    moved = set(found) - set(given)
    assert 10 < len(moved) < 30
    for strand, (start, end), _ in moved:
        assert end - start == 80
        assert text[start : start + 2] + text[end - 2 : end] == {"+": "GTAG", "-": "CTAC"}[strand]


def test_weights_are_written_for_the_model_from_the_genomes_that_have_reads(arabidopsis_fasta, tmp_path, monkeypatch):
    monkeypatch.setattr(evidence_fit, "LIBRARIES", (Library(),))
    contig = contig_of(arabidopsis_fasta, "Chr4")
    small_set(tmp_path / "set", [contig])
    introns = {("Chr4", g.strand, i): 50 for g in contig.genes for t in g.transcripts for i in t.introns}
    write_table(tmp_path / "table.tsv", [], introns, ["Chr4"])
    write_table(tmp_path / "none.tsv", [], {}, ["Chr4"])
    place = tmp_path / "set", RELEASED
    run_evidence_fit(
        *place, {"athaliana": tmp_path / "table.tsv"}, seed=1, threads=1, output=tmp_path / "evidence.json"
    )
    weights = EvidenceWeights.load(tmp_path / "evidence.json", model_hash(RELEASED))
    assert weights.calibrated_on == ("athaliana",)
    assert weights.junction_score > 0
    with pytest.raises(PhytoScribeError, match="no junction of athaliana lies where genes validate"):
        run_evidence_fit(*place, {"athaliana": tmp_path / "none.tsv"}, 1, 1, tmp_path / "other.json")
