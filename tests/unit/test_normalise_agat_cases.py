"""The builtin cleaner beside AGAT 1.7.0 on files with one fault each, and where the two differ on purpose."""

import io
import subprocess
from pathlib import Path

import pytest

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.annotation.normalise import normalise
from phytoscribe.annotation.repairs import RepairKind
from phytoscribe.errors import GffError

CASES = Path(__file__).parents[1] / "data" / "agat_cases"
CONTIGS = {"chr1": 10_000, "chr2": 10_000}
WORKING = ["01_unsorted", "02_missing_gene", "03_cds_only", "04_missing_utr_short_gene", "05_duplicate_ids"]
WORKING += ["06_wrong_phases", "07_isoforms_shared_exon", "08_overlapping_genes", "09_augustus", "10_exon_only"]
WORKING += ["12_end_lt_start", "13_empty", "14_header_only", "15_ncrna_misc"]


def cleaned(name):
    (path,) = CASES.glob(f"{name}.in.*")
    return normalise(path, CONTIGS)


def structures(genes):
    """Per gene its place and the set of its exon and CDS chains: what a file says, whatever its ids."""
    return sorted((g.contig, g.strand, sorted({(t.exons, t.cds) for t in g.transcripts})) for g in genes)


def kinds(report):
    return dict(report.counts)


@pytest.mark.parametrize(
    "name",
    [
        *("01_unsorted", "02_missing_gene", "03_cds_only", "04_missing_utr_short_gene", "07_isoforms_shared_exon"),
        *("08_overlapping_genes", "09_augustus", "10_exon_only", "13_empty", "14_header_only", "15_ncrna_misc"),
    ],
)
def test_same_gene_structures_as_agat(name):
    genes, _ = cleaned(name)
    assert structures(genes) == structures(read_gff3(CASES / f"{name}.agat.gff3", CONTIGS))


@pytest.mark.parametrize("name", WORKING)
def test_result_is_clean_and_stays_as_it_is(name, tmp_path):
    genes, report = cleaned(name)
    assert report.genes_out == len(genes)
    path = tmp_path / "clean.gff3"
    with path.open("w") as handle:
        write_gff3(handle, genes, CONTIGS)
    assert read_gff3(path, CONTIGS) == genes
    again, second = normalise(path, CONTIGS)
    assert again == genes
    assert second.rows == []
    done = subprocess.run(["gt", "gff3validator", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "repairs"),
    [
        ("01_unsorted", {}),
        ("02_missing_gene", {RepairKind.GENE_MADE: 2}),
        ("03_cds_only", {RepairKind.GENE_MADE: 1, RepairKind.TRANSCRIPT_MADE: 2, RepairKind.EXONS_MADE: 2}),
        ("04_missing_utr_short_gene", {RepairKind.GENE_RESIZED: 1}),
        ("05_duplicate_ids", {RepairKind.RENAMED: 1, RepairKind.DUPLICATE_LINE: 1}),
        ("06_wrong_phases", {RepairKind.PHASES_RECOMPUTED: 1}),
        ("07_isoforms_shared_exon", {}),
        ("08_overlapping_genes", {}),
        ("09_augustus", {RepairKind.STOP_CODON_JOINED: 1}),
        ("10_exon_only", {RepairKind.GENE_MADE: 1, RepairKind.TRANSCRIPT_MADE: 2}),
        ("12_end_lt_start", {RepairKind.ENDS_SWAPPED: 3}),
        ("15_ncrna_misc", {RepairKind.FEATURE_LEFT_OUT: 3, RepairKind.GENE_WITHOUT_TRANSCRIPT: 1}),
    ],
)
def test_every_change_is_listed(name, repairs):
    assert kinds(cleaned(name)[1]) == repairs


def test_ids_of_genes_and_transcripts_are_kept():
    genes, _ = cleaned("03_cds_only")
    assert [(gene.id, gene.transcripts[0].id) for gene in genes] == [("g1", "g1.mrna"), ("cds2.gene", "cds2.mrna")]
    genes, _ = cleaned("09_augustus")
    assert [(gene.id, gene.transcripts[0].id, gene.transcripts[0].type) for gene in genes] == [("g1", "g1.t1", "mRNA")]


def test_attributes_and_types_survive():
    genes, _ = cleaned("15_ncrna_misc")
    assert dict(genes[0].attributes) == {"Note": "50% similar; ok", "Dbxref": "GO:1,GO:2"}
    assert [(gene.biotype, gene.transcripts[0].type) for gene in genes] == [("tRNA", "tRNA"), ("ncRNA_gene", "lnc_RNA")]


# --- where we differ from AGAT on purpose ---


def test_two_genes_with_one_id_stay_two_genes():
    genes, _ = cleaned("05_duplicate_ids")
    assert [(gene.id, gene.strand, gene.start, gene.end) for gene in genes] == [
        ("g1", "+", 999, 1500),
        ("g1_2", "-", 4999, 5500),
    ]
    with pytest.raises(GffError, match="a gene must be on one strand"):  # AGAT makes one gene over both strands
        read_gff3(CASES / "05_duplicate_ids.agat.gff3")


def test_phases_are_recomputed():
    (gene,), _ = cleaned("06_wrong_phases")
    assert gene.transcripts[0].cds_phases("+") == (0, 1, 2)
    (gene,) = read_gff3(CASES / "06_wrong_phases.agat.gff3")
    assert gene.transcripts[0].start_phase == 2  # AGAT leaves them as they are


def test_identical_isoforms_are_kept_for_the_check_to_name():
    (gene,), _ = cleaned("07_isoforms_shared_exon")
    assert [transcript.id for transcript in gene.transcripts] == ["g1.t1", "g1.t2", "g1.t3"]


def test_a_file_that_is_no_gff_is_an_error():
    with pytest.raises(GffError, match=r"11_broken_columns\.in\.gff3, line 2: 7 tab-separated columns"):
        cleaned("11_broken_columns")
    assert (CASES / "11_broken_columns.agat.gff3").read_text() == ""  # AGAT: exit code 0, empty file


def test_start_after_end_is_mended():
    (gene,), _ = cleaned("12_end_lt_start")
    assert gene.transcripts[0].exons == ((999, 1500),)


def test_writing_is_the_same_in_every_run():
    texts = []
    for _ in range(2):
        handle = io.StringIO()
        write_gff3(handle, cleaned("08_overlapping_genes")[0], CONTIGS)
        texts.append(handle.getvalue())
    assert texts[0] == texts[1]
