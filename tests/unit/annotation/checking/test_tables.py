"""Every gene of a source appears in the gene table, accepted or with the reason that says most."""

import io
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from phytoscribe.annotation import GeneModel, Transcript
from phytoscribe.annotation.checking.check import CheckLimits, check_annotation
from phytoscribe.annotation.checking.summary import GeneRow, gene_rows, telling_reason, write_genes
from phytoscribe.annotation.checking.tables import Reason, TranscriptRow, rows_of_cleaning
from phytoscribe.annotation.cleaning.normalise import normalise
from phytoscribe.annotation.cleaning.repairs import LOSSES, Repair, RepairKind, detail_in_gene, shown_place

CASES = sorted((Path(__file__).parents[3] / "data/agat_cases").glob("*.in.*"))
MESSY = [path for path in CASES if "broken_columns" not in path.name]  # that one is refused


def row(gene, transcript, reason="", contig="c"):
    status = "rejected" if reason else "accepted"
    return TranscriptRow(gene, transcript, contig, 0, 90, "+", status, reason, "")


def transcript(name, exons, cds):
    return Transcript(name, exons, cds)


def test_columns_of_an_accepted_gene_are_those_of_its_longest_accepted_transcript():
    short = transcript("t1", ((0, 50), (70, 130)), ((10, 40),))
    long = transcript("t2", ((0, 50), (70, 100), (120, 150)), ((10, 50), (70, 90)))
    longest_but_rejected = transcript("t3", ((0, 150),), ((0, 150),))
    gene = GeneModel("g", "c", "-", (short, long, longest_but_rejected), source="s")
    (found,) = gene_rows([gene], [row("g", "t1"), row("g", "t2"), row("g", "t3", "no_stop")])
    assert found == GeneRow(
        gene="g",
        contig="c",
        start0=0,
        end=150,
        strand="-",
        biotype="protein_coding",
        source="s",
        transcripts=3,
        transcripts_accepted=2,
        status="accepted",
        reason="",
        longest="t2",
        exons=3,
        transcript_length=110,
        cds_length=60,
        protein_length=19,
        longest_intron=20,
    )


def test_a_rejected_gene_has_a_reason_and_no_sizes():
    gene = GeneModel("g", "c", "+", (transcript("t1", ((0, 9),), ((0, 9),)), transcript("t2", ((0, 9),), ())))
    (found,) = gene_rows([gene], [row("g", "t1", "no_stop"), row("g", "t2", "no_cds")])
    assert (found.status, found.reason, found.transcripts, found.transcripts_accepted) == ("rejected", "no_stop", 2, 0)
    assert found[-6:] == ("",) * 6


@pytest.mark.parametrize(
    ("reasons", "telling"),
    [
        (["no_cds", "splice_site"], "splice_site"),
        (["duplicate", "no_cds"], "duplicate"),
        (["not_protein_coding", "no_cds"], "no_cds"),
        (["no_stop", "splice_site", "splice_site"], "splice_site"),
        (["splice_site", "no_stop"], "no_stop"),
        (["no_transcript", "mixed_strands"], "mixed_strands"),
        (["no_transcript"], "no_transcript"),
    ],
)
def test_the_telling_reason(reasons, telling):
    assert telling_reason(reasons) == telling
    assert telling_reason(reasons[::-1]) == telling


def test_every_reason_has_a_rank():
    for reason in Reason:
        assert telling_reason([str(reason)]) == reason


REPAIRS = [
    Repair(RepairKind.MIXED_STRANDS, "t1", 4, "gene g1", "c:11-90:+"),
    Repair(RepairKind.GENE_WITHOUT_TRANSCRIPT, "g1", 3, "gene", "c:11-90:+"),
    Repair(RepairKind.GENE_WITHOUT_TRANSCRIPT, "g2", 9, "pseudogene", "c:101-200:-"),
    Repair(RepairKind.GENE_LOST, "g3", 12, "", "seq:with:colons:1-30:."),
    Repair(RepairKind.NO_STRAND, "t4", 14, "gene g4; 3 lines", ""),
    Repair(RepairKind.FEATURE_LEFT_OUT, "mir", 15, "miRNA"),
    Repair(RepairKind.FEATURE_LEFT_OUT, "nested", 16, "mRNA"),
    Repair(RepairKind.FEATURE_LEFT_OUT, "rep", 17, "repeat_region"),
    Repair(RepairKind.ORPHAN, "", 18, "exon"),
    Repair(RepairKind.NO_PARTS, "t8", 21, "gene g4", "c:1-9:+"),
    Repair(RepairKind.PAST_CIRCLE, "t9", 22, "gene g4; c has 8 bases", "c:1-9:+"),
    Repair(RepairKind.PHASES_RECOMPUTED, "t9", 0, "1 of 2: 0 to 1"),
]


def test_rows_of_what_cleaning_left_out():
    found = list(rows_of_cleaning(REPAIRS))
    assert found == [
        TranscriptRow("g1", "t1", "c", 10, 90, "+", "rejected", "mixed_strands", "gene g1; line 4"),
        TranscriptRow("g1", "", "c", 10, 90, "+", "rejected", "no_transcript", "gene; line 3"),
        TranscriptRow("g2", "", "c", 100, 200, "-", "rejected", "not_protein_coding", "pseudogene; line 9"),
        TranscriptRow("g3", "", "seq:with:colons", 0, 30, ".", "rejected", "lost_by_cleaner", "line 12"),
        TranscriptRow("g4", "t4", "", 0, 0, ".", "rejected", "no_strand", "gene g4; 3 lines; line 14"),
        TranscriptRow("", "mir", "", 0, 0, ".", "rejected", "not_protein_coding", "miRNA; line 15"),
        TranscriptRow("", "nested", "", 0, 0, ".", "rejected", "lost_by_cleaner", "mRNA; line 16"),
        TranscriptRow("g4", "t8", "c", 0, 9, "+", "rejected", "no_exon", "gene g4; line 21"),
        TranscriptRow("g4", "t9", "c", 0, 9, "+", "rejected", "out_of_bounds", "gene g4; c has 8 bases; line 22"),
    ]


@pytest.mark.parametrize("kind", ["gene", "Gene", "protein_coding_gene", ""])
def test_a_lost_gene_that_may_code_is_a_fault_however_its_type_is_spelt(kind):
    (lost,) = rows_of_cleaning([Repair(RepairKind.GENE_WITHOUT_TRANSCRIPT, "g", 3, kind, "c:1-9:+")])
    assert lost.reason == "no_transcript"


@pytest.mark.parametrize("odd", ["g;1", "50%", "a:1-2:+", "x\ny", ' "g" '])
def test_a_lost_transcript_keeps_its_gene_and_place_whatever_their_names(odd):
    repair = Repair(RepairKind.NO_PARTS, odd, 3, detail_in_gene(odd, "more"), shown_place(odd, 9, 20, "-"))
    (lost,) = rows_of_cleaning([repair])
    assert lost[:6] == (odd, odd, odd, 9, 20, "-")


def test_lost_genes_and_transcripts_are_in_the_gene_table():
    kept = GeneModel("g4", "c", "+", (transcript("t5", ((0, 9),), ((0, 9),)),))
    table = gene_rows([kept], [row("g4", "t5")], list(rows_of_cleaning(REPAIRS)))
    assert [(gene.gene, gene.status, gene.reason, gene.transcripts) for gene in table] == [
        ("g4", "accepted", "", 4),  # t4, t8 and t9 were lost
        ("g1", "rejected", "mixed_strands", 1),
        ("g2", "rejected", "not_protein_coding", 0),
        ("g3", "rejected", "lost_by_cleaner", 0),
    ]
    assert table[2][1:6] == ("c", 100, 200, "-", "pseudogene")


def test_the_table_as_text():
    handle = io.StringIO()
    write_genes(handle, [GeneRow("g\t1", "c", 0, 9, "+", "b", "s", 1, 0, "rejected", "no_stop", *[""] * 6)])
    header, line = handle.getvalue().splitlines()
    assert header.split("\t") == list(GeneRow._fields)
    assert line == '"g\t1"\tc\t0\t9\t+\tb\ts\t1\t0\trejected\tno_stop' + "\t" * 6


def test_every_loss_of_the_cleaning_step_is_a_row_or_no_gene_and_no_transcript():
    silent = {RepairKind.ORPHAN, RepairKind.FEATURE_LEFT_OUT}  # parts and features without a gene
    for kind in LOSSES - silent:
        assert len(list(rows_of_cleaning([Repair(kind, "x", 1, "gene g")]))) == 1, kind
    for kind in set(RepairKind) - LOSSES:
        assert not list(rows_of_cleaning([Repair(kind, "x", 1, "gene g")])), kind


@pytest.mark.parametrize("path", MESSY, ids=lambda path: path.name.partition(".")[0])
def test_genes_in_are_genes_accepted_and_rejected(path):
    contigs = {"chr1": 10_000, "chr2": 10_000}
    source = SimpleNamespace(contigs=contigs, bases=lambda contig: np.zeros(contigs[contig], dtype=np.uint8))
    genes, report = normalise(path, contigs)
    accepted, rows = check_annotation(genes, source, CheckLimits())
    table = gene_rows(genes, rows, list(rows_of_cleaning(report.rows)))
    made = report.counts[RepairKind.GENE_MADE]
    further = sum(int(re.match(r"\d+", r.detail)[0]) - 1 for r in report.rows if r.kind is RepairKind.GENE_SPLIT)
    assert len(table) == report.genes_in + made + further
    assert sum(gene.status == "accepted" for gene in table) == len(accepted)
    assert all(gene.reason for gene in table if gene.status == "rejected")
    lines = (line.split("\t") for line in path.read_text().splitlines() if line.count("\t") == 8)
    named = {re.search(r"ID=([^;\n]+)", line[8])[1] for line in lines if line[2].endswith("gene") and "ID=" in line[8]}
    assert named <= {gene.gene for gene in table}
