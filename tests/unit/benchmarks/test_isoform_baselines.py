"""Baselines of benchmarks/isoforms.py: their edits by hand on both strands, and what they say of real genes."""

import numpy as np
import pytest
from isoform_baselines import EDITS, edited, nagnag_acceptors, short_introns, with_edits
from isoform_page import Figures, page_of

from phytoscribe.annotation.isoform_events import events_text, isoform_events
from phytoscribe.annotation.model import GeneModel, Transcript, first_transcripts
from phytoscribe.annotation.sequences import reading_frame, spliced_codes
from phytoscribe.evaluation.accuracy.gene_tables import Scope
from phytoscribe.evaluation.isoforms.additions import longest_first
from phytoscribe.evaluation.isoforms.table import evaluate_isoforms
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.sequence import encode, reverse_complement

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


def test_the_page_shows_right_additions_of_all(arabidopsis_genes):
    genes = [longest_first(gene) for gene in arabidopsis_genes if gene.contig == "Chr3_1065466_1464870"]
    table = evaluate_isoforms(
        {"one": first_transcripts(genes), "given: all": genes}, Scope.of(genes, [], [genes[0].contig])
    )
    page = page_of(table, "validation", [genes[0].contig], len(genes))
    right = int(table[(table["predictor"] == "given: all") & (table["metric"] == "tp")]["value"].iloc[0])
    assert f"| given: all | {right} of {right} | 1.000 (1.000 to 1.000) | 1.000 (1.000 to 1.000) | {right} |" in page
    assert "| one | 0.000 (0.000 to 0.000) |" in page  # columns without content are left out
    assert Figures(table).share("nobody", "addition", "exact", "all", "precision") == ""
    assert np.isnan(table[(table["predictor"] == "one") & (table["metric"] == "precision")]["value"].iloc[0])
