"""The builtin cleaner beside AGAT 1.7.0, as docs/cleaning.md says: fifteen files with one fault each, nine dialects.

The stored outputs of AGAT stand for it here; tests/unit/annotation/cleaning/test_agat.py compares them with the real
one where it is.
"""

import io
import re
import subprocess
from pathlib import Path

import pytest
from agat_matching import differences

from phytoscribe.annotation.cleaning import agat
from phytoscribe.annotation.cleaning.clean import ALWAYS_ALLOWED, LARGEST_SHARE_LOST, Reading, compare_with_source
from phytoscribe.annotation.cleaning.normalise import normalise
from phytoscribe.annotation.cleaning.repairs import LOSSES, RepairKind
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.errors import GffError

ROOT = Path(__file__).parents[4]
DOCS = ROOT / "docs" / "cleaning.md"
CASES = ROOT / "tests" / "data" / "agat_cases"
CONTIGS = {"chr1": 10_000, "chr2": 10_000}
DIALECT_CONTIGS = {"chr1": 20_000, "Chr1": 20_000, "1": 20_000, "NC_1.1": 20_000}
INPUTS = sorted(CASES.glob("*.in.*"))
DIALECTS = sorted((CASES / "dialects").glob("*.in.*"))
REFUSED = "11_broken_columns"
WORKING = [name for path in INPUTS if (name := path.name.partition(".in.")[0]) != REFUSED]


def cleaned(name):
    (path,) = CASES.glob(f"{name}.in.*")
    return normalise(path, CONTIGS)


def agat_output(path):
    return path.with_name(f"{path.name.partition('.in.')[0]}.agat.gff3")


def same_as_it_is(path, contigs):
    """Whether AGAT's stored output, read strictly, holds the builtin cleaner's gene models."""
    try:
        builtin = normalise(path, contigs)[0]
        return differences(builtin, read_gff3(agat_output(path), contigs)) == []
    except GffError:  # one of the two has no gene models
        return False


def same_by_backend(path, contigs):
    """Whether the agat backend makes of AGAT's stored output what the builtin cleaner makes of the source."""
    try:
        source = Reading(*normalise(path, contigs))
    except GffError:
        return True  # the agat backend reads the source first, and refuses it in the same words
    result = Reading(*normalise(agat_output(path), contigs))
    return differences(source.genes, compare_with_source(path, source, result, agat.TESTED_VERSION).genes) == []


def table(heading):
    """Rows of the table below a heading of the docs, by the code in their first cell."""
    section = DOCS.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    names = [cell.strip() for cell in lines[0].strip("|").split("|")]
    found = {}
    for line in lines[1:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert len(cells) == len(names), line
        found[cells[0].strip("`")] = dict(zip(names, cells, strict=True))
    return found


AS_IT_IS, BACKEND, REASON = "AGAT's file the same", "backend `agat` the same", "reason for the difference"


@pytest.mark.parametrize(
    ("heading", "path", "contigs"),
    [
        *(pytest.param("The fifteen cases", path, CONTIGS, id=path.name) for path in INPUTS),
        *(pytest.param("Dialects", path, DIALECT_CONTIGS, id=path.name) for path in DIALECTS),
    ],
)
def test_parity_with_agat_is_as_the_docs_say(heading, path, contigs):
    row = table(heading)[path.name.partition(".in.")[0]]
    as_it_is, backend = same_as_it_is(path, contigs), same_by_backend(path, contigs)
    assert (row[AS_IT_IS], row[BACKEND]) == tuple("yes" if same else "no" for same in (as_it_is, backend))
    assert bool(row[REASON]) == (not (as_it_is and backend))  # every difference has its reason


def test_the_docs_list_every_case_and_dialect():
    assert len(INPUTS) == 15
    assert list(table("The fifteen cases")) == [path.name.partition(".in.")[0] for path in INPUTS]
    assert sorted(table("Dialects")) == [path.name.partition(".in.")[0] for path in DIALECTS]


def test_the_docs_list_every_code_and_whether_it_loses_something():
    codes = table("Codes in `repairs.tsv`")
    assert {code: row["loses"] for code, row in codes.items()} == {
        str(kind): "yes" if kind in LOSSES else "no" for kind in RepairKind
    }
    assert all(row["meaning"] for row in codes.values())


def test_the_docs_know_the_limits_of_the_code():
    text = " ".join(DOCS.read_text().split())
    assert f"up to {LARGEST_SHARE_LOST * 100:g} % (always up to {ALWAYS_ALLOWED})" in text
    assert f"more than {ALWAYS_ALLOWED} genes lost all of them" in text
    assert f"AGAT {agat.TESTED_VERSION} on Debian 12" in text
    assert agat.TIME_LIMIT_SECONDS == 6 * 3600
    assert "stop after six hours" in text
    assert f"agat={agat.TESTED_VERSION}" in (ROOT / "workflow" / "envs" / "agat.yaml").read_text()


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
        ("01_unsorted", {RepairKind.UTRS_MADE: 3}),
        ("02_missing_gene", {RepairKind.GENE_MADE: 2, RepairKind.UTRS_MADE: 2}),
        ("03_cds_only", {RepairKind.GENE_MADE: 1, RepairKind.TRANSCRIPT_MADE: 2, RepairKind.EXONS_MADE: 2}),
        ("04_missing_utr_short_gene", {RepairKind.GENE_RESIZED: 1, RepairKind.UTRS_MADE: 1}),
        ("05_duplicate_ids", {RepairKind.RENAMED: 1, RepairKind.DUPLICATE_LINE: 1, RepairKind.UTRS_MADE: 1}),
        ("06_wrong_phases", {RepairKind.PHASES_RECOMPUTED: 1}),
        ("07_isoforms_shared_exon", {RepairKind.UTRS_MADE: 3}),
        ("08_overlapping_genes", {RepairKind.UTRS_MADE: 3}),
        ("09_augustus", {RepairKind.STOP_CODON_JOINED: 1}),
        ("10_exon_only", {RepairKind.GENE_MADE: 1, RepairKind.TRANSCRIPT_MADE: 2}),
        ("12_end_lt_start", {RepairKind.ENDS_SWAPPED: 3}),
        ("13_empty", {}),
        ("14_header_only", {}),
        ("15_ncrna_misc", {RepairKind.FEATURE_LEFT_OUT: 3, RepairKind.GENE_WITHOUT_TRANSCRIPT: 1}),
    ],
)
def test_every_change_is_listed(name, repairs):
    assert dict(cleaned(name)[1].counts) == repairs


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
    assert gene.transcripts[0].cds_phases() == (0, 1, 2)
    (other,) = read_gff3(CASES / "06_wrong_phases.agat.gff3")
    assert differences([gene], [other]) == ["g1.t1: first CDS segment in phase 0 or 2"]  # AGAT leaves them


def test_identical_isoforms_are_kept_for_the_check_to_name():
    (gene,), _ = cleaned("07_isoforms_shared_exon")
    assert [transcript.id for transcript in gene.transcripts] == ["g1.t1", "g1.t2", "g1.t3"]
    (other,) = read_gff3(CASES / "07_isoforms_shared_exon.agat.gff3")
    assert differences([gene], [other]) == ["g1.t3: merged"]


def test_a_file_that_is_no_gff_is_an_error():
    with pytest.raises(GffError, match=r"11_broken_columns\.in\.gff3, line 2: 7 tab-separated columns"):
        cleaned(REFUSED)
    assert (CASES / f"{REFUSED}.agat.gff3").read_text() == ""  # AGAT: exit code 0, empty file


def test_start_after_end_is_swapped():
    (gene,), _ = cleaned("12_end_lt_start")
    assert gene.transcripts[0].exons == ((999, 1500),)
    assert "\t1500\t1000\t" in (CASES / "12_end_lt_start.agat.gff3").read_text()


def test_what_belongs_to_no_gene_is_listed():
    _, report = cleaned("15_ncrna_misc")
    assert [(row.id, row.line) for row in report.rows] == [("m1", 11), ("m1.1", 12), ("w1", 13), ("te1", 10)]
    text = (CASES / "15_ncrna_misc.agat.gff3").read_text()
    assert not re.search("w1|te1", text)  # AGAT drops two of them; its output does not say so


def test_ncbi_dialect_keeps_what_agat_joins():
    (path,) = [path for path in DIALECTS if path.name.startswith("ncbi")]
    genes, _ = normalise(path, DIALECT_CONTIGS)
    assert {gene.id: gene.biotype for gene in genes} == {
        "gene-AT1G01": "protein_coding",
        "gene-AT1G02": "pseudogene",
        "gene-AT1G03": "tRNA",
        "gene-MIR1": "miRNA",
        "gene-ArthCp001": "protein_coding",
        "gene-rps12": "protein_coding",
        "gene-rps12_2": "protein_coding",
        "gene-AT1G05": "protein_coding",
    }
    assert [gene.transcripts[0].start_phase for gene in genes if gene.id == "gene-AT1G05"] == [2]


def test_writing_is_the_same_in_every_run():
    texts = []
    for _ in range(2):
        handle = io.StringIO()
        write_gff3(handle, cleaned("08_overlapping_genes")[0], CONTIGS)
        texts.append(handle.getvalue())
    assert texts[0] == texts[1]
