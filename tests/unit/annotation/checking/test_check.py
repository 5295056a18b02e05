"""Transcript checks: each reason on an engineered gene on both strands, and the counts on the example."""

import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from phytoscribe.annotation import GeneModel, Transcript
from phytoscribe.annotation.checking.check import CheckLimits, check_annotation, find_fault
from phytoscribe.annotation.checking.summary import GeneRow, gene_rows, read_summary, summarise, write_summary
from phytoscribe.annotation.checking.tables import (
    HARMLESS_REASONS,
    IN_WORDS,
    STRUCTURAL_REASONS,
    Reason,
    TranscriptRow,
    ignored_loci,
    read_transcripts,
    write_transcripts,
)
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.errors import ConfigError, GffError
from phytoscribe.files import atomic_open
from phytoscribe.genome import Genome, check_fasta, encode, reverse_complement
from phytoscribe.genome.fasta import write_index

EXAMPLE = Path(__file__).parents[4] / "resources/example/athaliana"
LIMITS = CheckLimits(minimum_intron=20, maximum_intron=100, minimum_cds_segment=3)

#: 5' UTR 4 bp, ATGGCATG | intron 30 bp | TGCTTAA, 3' UTR 3 bp; two bases of flank on each side
EXON_1, INTRON, EXON_2 = "CCCC" + "ATGGCATG", "GT" + "A" * 26 + "AG", "TGCTTAA" + "GGG"
CONTIG = "TT" + EXON_1 + INTRON + EXON_2 + "TT"
GOOD = Transcript("t1", ((2, 14), (44, 54)), ((6, 14), (44, 51)))


def gene_with(transcript, **changes) -> GeneModel:
    given = {"id": "g1", "contig": "c", "strand": "+", "transcripts": (transcript,), "biotype": "protein_coding"}
    return GeneModel(**given | changes)


def reason_on(strand, gene, contig, limits=LIMITS):
    bases = encode(contig)
    if strand == "-":
        bases, gene = reverse_complement(bases), gene.reverse_complement(len(contig))
    fault = find_fault(gene, gene.transcripts[0], bases, limits)
    return fault and fault.reason


def changed(at: int, text: str) -> str:
    return CONTIG[:at] + text + CONTIG[at + len(text) :]


@pytest.mark.parametrize("strand", "+-")
@pytest.mark.parametrize(
    ("contig", "changes", "reason"),
    [
        (CONTIG, {}, None),
        (changed(14, "GC"), {}, None),
        (CONTIG, {"cds": ()}, Reason.NO_CDS),
        (CONTIG, {"exons": ((2, 14), (44, 60)), "cds": ((6, 14), (44, 60))}, Reason.OUT_OF_BOUNDS),
        (CONTIG, {"exons": ((2, 14), (10, 20), (44, 54))}, Reason.OVERLAPPING_EXONS),
        (CONTIG, {"exons": ((2, 13), (44, 54))}, Reason.CDS_OUTSIDE_EXONS),
        (CONTIG, {"exons": ((2, 54),)}, Reason.CDS_OUTSIDE_EXONS),
        (CONTIG, {"cds": ((12, 14), (44, 51))}, Reason.CDS_SEGMENT_TOO_SHORT),
        (CONTIG, {"exons": ((2, 14), (33, 54)), "cds": ((6, 14), (33, 51))}, Reason.INTRON_TOO_SHORT),
        (CONTIG, {"exons": ((2, 14), (14, 54)), "cds": ((6, 14), (14, 51))}, Reason.INTRON_TOO_SHORT),
        (changed(7, "N"), {}, Reason.ON_GAP),
        (changed(15, "N"), {}, Reason.ON_GAP),
        (changed(14, "AT")[:42] + "AC" + CONTIG[44:], {}, Reason.AT_AC_SPLICE_SITE),
        (changed(14, "CT"), {}, Reason.SPLICE_SITE),
        (changed(42, "AC"), {}, Reason.SPLICE_SITE),
        (changed(6, "CTG"), {}, Reason.NO_START),
        (CONTIG, {"start_phase": 1}, Reason.NO_START),
        (CONTIG, {"cds": ((6, 14), (44, 50))}, Reason.LENGTH_NOT_MULTIPLE_OF_THREE),
        (CONTIG, {"cds": ((6, 14), (44, 48))}, Reason.NO_STOP),
        (changed(9, "TAG"), {}, Reason.IN_FRAME_STOP),
        (changed(12, "TA")[:44] + "A" + CONTIG[45:], {}, Reason.IN_FRAME_STOP),  # TA|A across the intron
    ],
)
def test_reasons(strand, contig, changes, reason):
    assert reason_on(strand, gene_with(replace(GOOD, **changes)), contig) == reason


@pytest.mark.parametrize("strand", "+-")
def test_introns_of_utrs_are_checked_too(strand):
    contig = CONTIG + "GT" + "A" * 20 + "CC" + "TTTT"
    transcript = replace(GOOD, exons=((2, 14), (44, 56), (80, 84)))
    assert reason_on(strand, gene_with(transcript), contig) == Reason.SPLICE_SITE
    assert reason_on(strand, gene_with(transcript), contig[:78] + "AG" + contig[80:]) is None


def test_limits_decide():
    gene = gene_with(GOOD)
    assert reason_on("+", gene, CONTIG, replace(LIMITS, minimum_intron=31)) == Reason.INTRON_TOO_SHORT
    assert reason_on("+", gene, CONTIG, replace(LIMITS, minimum_intron=30, maximum_intron=30)) is None
    assert reason_on("+", gene, CONTIG, replace(LIMITS, maximum_intron=29)) == Reason.INTRON_TOO_LONG
    assert reason_on("+", gene, CONTIG, replace(LIMITS, minimum_cds_segment=8)) == Reason.CDS_SEGMENT_TOO_SHORT


def test_genes_of_another_biotype_are_not_protein_coding():
    gene = gene_with(GOOD, biotype="transposable_element_gene")
    assert reason_on("+", gene, CONTIG) == Reason.NOT_PROTEIN_CODING


@pytest.mark.parametrize("strand", "+-")
def test_a_stop_codon_left_outside_the_cds_is_pointed_out(strand):
    gene = gene_with(replace(GOOD, cds=((6, 14), (44, 48))))
    bases = encode(CONTIG)
    if strand == "-":
        bases, gene = reverse_complement(bases), gene.reverse_complement(len(CONTIG))
    fault = find_fault(gene, gene.transcripts[0], bases, LIMITS)
    assert fault == (Reason.NO_STOP, "last codon GCT; a stop codon lies directly behind the CDS")


class OneContig:
    def __init__(self):
        self.contigs = {"c": len(CONTIG)}

    def bases(self, contig):
        return encode(CONTIG)


def test_table_and_accepted_genes():
    twin = replace(GOOD, id="t2")
    broken = replace(GOOD, id="t3", cds=((6, 14), (44, 48)))
    genes = [
        GeneModel("g1", "c", "+", (GOOD, twin, broken)),
        GeneModel("g2", "c", "+", (replace(broken, id="t4"),)),
    ]
    accepted, rows = check_annotation(genes, OneContig(), LIMITS)
    assert accepted == [replace(genes[0], transcripts=(GOOD,))]
    assert [(row.transcript, row.status, row.reason) for row in rows] == [
        ("t1", "accepted", ""),
        ("t2", "rejected", "duplicate"),
        ("t3", "rejected", "no_stop"),
        ("t4", "rejected", "no_stop"),
    ]
    assert rows[1][2:6] == ("c", 2, 54, "+")
    handle = io.StringIO()
    write_transcripts(handle, rows[1:2])
    assert handle.getvalue() == (
        "gene\ttranscript\tcontig\tstart0\tend\tstrand\tstatus\treason\tdetail\n"
        "g1\tt2\tc\t2\t54\t+\trejected\tduplicate\tsame exons and CDS as t1\n"
    )
    summary = summarise(rows, gene_rows(genes, rows), accepted, LIMITS)
    assert summary["rejected_by_reason"] == {"no_stop": 2, "duplicate": 1}
    assert summary["genes_rejected_by_reason"] == {"no_stop": 1}
    assert (summary["genes"], summary["genes_accepted"], summary["transcripts_accepted"]) == (2, 1, 1)
    # the duplicate is a coding transcript without a fault
    assert (summary["coding_transcripts"], summary["coding_transcripts_rejected"]) == (4, 2)
    assert summary["share_rejected"] == 0.5
    classes = [
        (low, high, count)
        for low, high, count in zip(
            summary["lengths"]["edges"], summary["lengths"]["edges"][1:], summary["lengths"]["introns"], strict=False
        )
        if count
    ]
    ((low, high, count),) = classes
    assert low <= 30 < high
    assert count == 1


def test_no_genes_at_all():
    assert check_annotation([], OneContig(), LIMITS) == ([], [])
    assert summarise([], [], [], LIMITS)["share_rejected"] is None


@pytest.mark.parametrize("contig", ["ChrC", "Mt", "NC_000932.1"])
def test_organelles_by_name_and_by_configuration(contig):
    source = SimpleNamespace(contigs={contig: len(CONTIG), "c": len(CONTIG)}, bases=lambda name: encode(CONTIG))
    trna = GeneModel("g2", contig, "+", (replace(GOOD, id="t2", cds=()),), biotype="tRNA")
    genes = [gene_with(GOOD, contig=contig), trna, gene_with(replace(GOOD, id="t3"), id="g3")]
    accepted, rows = check_annotation(genes, source, LIMITS)
    assert [gene.id for gene in accepted] == ["g3"]
    assert [row.reason for row in rows] == ["organelle", "not_protein_coding", ""]
    assert rows[0].detail in ("chloroplast", "mitochondrion")
    accepted, rows = check_annotation(genes, source, LIMITS, organelles=["c"])
    assert accepted == []
    assert rows[2][-2:] == ("organelle", "named in the configuration")
    with pytest.raises(ConfigError, match="organelles: 'x' is not in the genome FASTA"):
        check_annotation(genes, source, LIMITS, organelles=["x"])


def test_every_reason_has_words_and_a_side():
    assert set(IN_WORDS) == set(Reason)
    assert len(set(IN_WORDS.values())) == len(Reason)
    assert Reason.ORGANELLE not in STRUCTURAL_REASONS | HARMLESS_REASONS
    assert not STRUCTURAL_REASONS & HARMLESS_REASONS


def test_reasons_columns_and_keys_are_explained_in_the_docs():
    text = (Path(__file__).parents[4] / "docs/annotation-checks.md").read_text()
    listed = [line.split("`")[1] for line in text.splitlines() if line.startswith("| `") and line.count("|") == 6]
    assert listed == [str(reason) for reason in Reason]  # in the order of the checks
    for line in text.splitlines():
        if line.startswith("| `") and line.count("|") == 6:
            reason, fault = line.split("`")[1], line.split("|")[2].strip()
            assert fault == ("F" if reason in STRUCTURAL_REASONS else "")
    words = {*GeneRow._fields, *TranscriptRow._fields, *summarise([], [], [], LIMITS)}
    assert [word for word in sorted(words) if f"`{word}`" not in text] == []


@pytest.mark.parametrize("name", ['"g\r\n1\r', "long" * 50_000])
def test_table_and_summary_are_read_back(tmp_path, name):
    odd = gene_with(replace(GOOD, id='t\t"1', cds=()), id=name)
    accepted, rows = check_annotation([odd], OneContig(), LIMITS)
    with atomic_open(tmp_path / "t.tsv") as handle:
        write_transcripts(handle, rows)
    assert read_transcripts(tmp_path / "t.tsv") == rows
    summary = summarise(rows, gene_rows([odd], rows), accepted, LIMITS)
    with (tmp_path / "s.json").open("w") as handle:
        write_summary(handle, summary)
    assert read_summary(tmp_path / "s.json") == {
        **summary,
        "lengths": {**summary["lengths"], "edges": list(summary["lengths"]["edges"])},
    }


def test_what_counts_for_nothing_in_training():
    def row(gene, status, reason, start=0):
        return TranscriptRow(gene, f"{gene}.1", "c", start, start + 9, "+", status, reason, "")

    rows = [
        row("a", "rejected", "no_stop", 10),
        row("b", "rejected", "no_stop"),  # another transcript of b is accepted
        row("c", "rejected", "not_protein_coding"),
        row("d", "rejected", "organelle", 20),
        row("e", "rejected", "duplicate"),
        row("f", "accepted", ""),
    ]
    assert ignored_loci(rows, {"b"}) == [("c", 10, 19), ("c", 20, 29)]


@pytest.mark.parametrize("text", ["", "gene\tx\n", "{}"])
def test_other_files_are_refused(tmp_path, text):
    file = tmp_path / "other"
    file.write_text(text)
    with pytest.raises(GffError, match=r"other, line \d: not a table of check_annotation"):
        read_transcripts(file)
    with pytest.raises(GffError, match="other: not a summary"):
        read_summary(file)
    with pytest.raises(GffError, match="not a summary"):
        read_summary(tmp_path / "absent")


def test_the_example(tmp_path):
    check_fasta(EXAMPLE / "genome.fa.gz", tmp_path / "g.fa")
    write_index(tmp_path / "g.fa", tmp_path / "g.fa.fai")
    with Genome(tmp_path / "g.fa") as genome:
        genes = read_gff3(EXAMPLE / "annotation.gff3.gz", genome.contigs)
        accepted, rows = check_annotation(genes, genome, CheckLimits())
        flipped = [gene.reverse_complement(genome.contigs[gene.contig]) for gene in genes]

        class Reversed:
            contigs = genome.contigs

            def bases(self, contig):
                return reverse_complement(genome.bases(contig))

        _, mirrored = check_annotation(flipped, Reversed(), CheckLimits())
    assert [(row.transcript, row.reason) for row in rows] == [(row.transcript, row.reason) for row in mirrored]
    summary = summarise(rows, gene_rows(genes, rows), accepted, CheckLimits())
    assert len(accepted) == summary["genes_accepted"] == 2109
    assert summary["transcripts_accepted"] == 3938
    # the example's own table counts 3,990 transcripts with an intact ORF; the other reasons are about splicing and gaps
    of_the_frame = ("no_start", "length_not_multiple_of_three", "no_stop", "in_frame_stop")
    assert sum(summary["rejected_by_reason"][reason] for reason in of_the_frame) <= 4008 - 3990
