"""Weights of junctions, fitted to genes that the network half sees."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from decoded_regions import START, region_with_genes
from small_training_set import contig_of, small_set

from phytoscribe.decoding.evidence_weights import EvidenceWeights
from phytoscribe.decoding.intron_evidence import ContigJunctions
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.junction_table import write_table
from phytoscribe.genome.sequence import decode
from phytoscribe.models.loading import model_hash
from phytoscribe.training.tasks.structure import evidence_fit
from phytoscribe.training.tasks.structure.decoder_fit import fit_once
from phytoscribe.training.tasks.structure.evidence_fit import (
    Library,
    RegionWithJunctions,
    fit_evidence,
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
