"""Baselines of benchmarks/isoforms.py: their edits by hand on both strands, and what they say of real genes."""

import numpy as np
import pandas as pd
import pytest
from isoform_baselines import EDITS, edited, nagnag_acceptors, short_introns, with_edits
from isoform_page import WITH_READS, Figures, page_of
from isoform_site_odds import log_odds, strongest

from phytoscribe.annotation.isoform_events import events_text, isoform_events
from phytoscribe.annotation.model import GeneModel, Transcript, first_transcripts
from phytoscribe.annotation.sequences import reading_frame, spliced_codes
from phytoscribe.decoding.isoform_edits import LocusWindow
from phytoscribe.evaluation.accuracy.gene_tables import Scope
from phytoscribe.evaluation.isoforms.additions import longest_first
from phytoscribe.evaluation.isoforms.table import evaluate_isoforms
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.sequence import encode, reverse_complement
from phytoscribe.labels.states import ACCEPTOR, DONOR, SITE_COUNT, STATE_COUNT

# An exon, an intron with AG at its end and AG three bases before and after it, an exon.
SEQUENCE = "CCATGGCA" + "GTAAGTCTCTTCAGCAG" + "CAGGCATAACC"
GENE = GeneModel("g", "c", "+", (Transcript("t", ((0, 8), (25, 36)), ((2, 8), (25, 34))),))


@pytest.mark.parametrize("strand", "+-")
def test_nagnag_and_short_introns(strand):
    gene = GENE if strand == "+" else GENE.reverse_complement(len(SEQUENCE))
    bases = encode(SEQUENCE) if strand == "+" else reverse_complement(encode(SEQUENCE))
    (first,) = gene.transcripts
    found = [edited(first, *edit) for edit in nagnag_acceptors(first, bases)]
    assert [events_text(isoform_events(first, other)) for other in found] == ["A3SS:3", "A3SS:3"]
    assert sorted(other.cds_length for other in found) == [12, 18]
    assert list(short_introns(first, bases)) == []  # 17 bases


def test_every_edit_of_real_genes_leaves_an_intact_frame(arabidopsis_genes, arabidopsis_fasta):
    genes = [longest_first(gene) for gene in arabidopsis_genes if gene.contig == "Chr3_1065466_1464870"]
    with Genome(arabidopsis_fasta) as genome:
        for name, edits in EDITS.items():
            changed = with_edits(genes, genome, edits)
            assert sum(len(gene.transcripts) for gene in changed) > len(changed) == len(genes)
            for gene in changed:
                bases = genome.bases(gene.contig)
                for other in gene.transcripts[1:]:
                    assert reading_frame(spliced_codes(other.cds, gene.strand, bases)).intact
                    (event,) = isoform_events(gene.transcripts[0], other)
                    assert event.kind == ("A3SS" if "NAGNAG" in name else "IR")
                    assert event.size % 3 == 0


def test_odds_of_an_event_are_those_of_the_sites_that_change():
    sites = np.full((60, SITE_COUNT), 0.5, np.float32)
    sites[10, DONOR], sites[29, ACCEPTOR], sites[32, ACCEPTOR] = 0.8, 0.9, 0.25
    window = LocusWindow(np.zeros(60, np.uint8), np.zeros((60, STATE_COUNT), np.float32), sites)
    first = ((0, 10), (30, 60))
    assert np.exp(log_odds(first, ((0, 10), (33, 60)), window)) == pytest.approx((0.25 / 0.75) / (0.9 / 0.1))
    assert np.exp(log_odds(first, ((0, 60),), window)) == pytest.approx(1 / ((0.8 / 0.2) * (0.9 / 0.1)))
    assert log_odds(first, first, window) == 0


def test_the_strongest_of_all_genes_are_kept():
    scores = {"a": (0.5, 0.2, 0.9), "b": (), "c": (0.7, 0.5)}
    genes = [
        GeneModel(name, "x", "+", tuple(Transcript(str(score), ((0, 9),), score=score) for score in (None, *others)))
        for name, others in scores.items()
    ]
    kept = [[t.score for t in gene.transcripts] for gene in strongest(genes, 2)]
    assert kept == [[None, 0.9], [None], [None, 0.7]]
    assert [len(gene.transcripts) for gene in strongest(genes, 0)] == [1, 1, 1]


def test_the_page_shows_right_additions_of_all(arabidopsis_genes):
    genes = [longest_first(gene) for gene in arabidopsis_genes if gene.contig == "Chr3_1065466_1464870"]
    table = evaluate_isoforms(
        {"one": first_transcripts(genes), "given: all": genes}, Scope.of(genes, [], [genes[0].contig])
    )
    page = page_of(table, "validation", [genes[0].contig], len(genes))
    right = int(table[(table["predictor"] == "given: all") & (table["metric"] == "tp")]["value"].iloc[0])
    assert f"| given: all | {right} of {right} | 1.000 (1.000 to 1.000) | 1.000 (1.000 to 1.000) | {right} |" in page
    assert "| one | 0.000 (0.000 to 0.000) |" in page  # columns without content are left out
    assert "With RNA-seq reads" not in page
    known = table.assign(predictor=table["predictor"] + WITH_READS)
    section = page_of(pd.concat([table, known]), "validation", ["c"], 1).partition("## With RNA-seq reads")[2]
    assert f"| given: all{WITH_READS} | {right} of {right} |" in section
    assert "| one |" not in section
    assert Figures(table).share("nobody", "addition", "exact", "all", "precision") == ""
    assert np.isnan(table[(table["predictor"] == "one") & (table["metric"] == "precision")]["value"].iloc[0])
