"""The AGAT backend: exit codes, empty outputs and losses. A stand-in program plays AGAT's known behaviours."""

import os
import shutil
from pathlib import Path

import pytest

from phytoscribe.annotation.agat import PROGRAM, clean_with_agat, lost_genes
from phytoscribe.annotation.cleaning import clean
from phytoscribe.annotation.gff_lines import GffRow
from phytoscribe.annotation.repairs import RepairKind
from phytoscribe.errors import ConfigError, GffError, ToolError

CASES = Path(__file__).parents[1] / "data" / "agat_cases"
CONTIGS = {"chr1": 10_000, "chr2": 10_000}


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Install a program under AGAT's name: it prints AGAT's banner and writes the given file, or nothing."""

    def install(result: Path | None, code: int = 0):
        folder = tmp_path / "bin"
        folder.mkdir()
        copy = f'cp "{result}" "$out"' if result else ":"
        program = folder / PROGRAM
        program.write_text(
            "#!/bin/sh\n"
            "echo '|   Another GFF Analysis Toolkit (AGAT) - Version: v1.7.0   |'\n"
            'while [ $# -gt 0 ]; do case "$1" in --output) out="$2";; --gff) gff="$2";; esac; shift; done\n'
            '[ -e "$gff" ] || exit 2\n'
            'mkdir "agat_log_$(basename "$gff" .gff3)" || exit 3\n'  # fails if two runs shared a folder
            f"{copy}\nexit {code}\n"
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    return install


def test_without_agat_the_message_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"not found: run Snakemake with --software-deployment-method conda.*builtin"):
        clean(CASES / "01_unsorted.in.gff3", CONTIGS, "agat")


def test_result_names_agat_and_its_version(stand_in):
    stand_in(CASES / "01_unsorted.agat.gff3")
    cleaned = clean(CASES / "01_unsorted.in.gff3", CONTIGS, "agat")
    assert cleaned.cleaner.startswith("AGAT 1.7.0 and PhytoScribe")
    assert [gene.id for gene in cleaned.genes] == ["g1", "g2", "g3"]
    assert (cleaned.report.genes_in, cleaned.report.genes_out) == (3, 3)
    assert clean(CASES / "01_unsorted.in.gff3", CONTIGS, "agat").genes == cleaned.genes  # a second run of its own


def test_genes_that_agat_drops_are_listed(stand_in):
    stand_in(CASES / "15_ncrna_misc.agat.gff3")
    _, report, _ = clean_with_agat(CASES / "15_ncrna_misc.in.gff3", CONTIGS)
    assert [(row.id, row.line) for row in report.rows if row.kind == RepairKind.GENE_LOST] == [("te1", 10)]


def test_genes_that_agat_joins_are_listed_and_split_again(stand_in):
    stand_in(CASES / "05_duplicate_ids.agat.gff3")
    genes, report, _ = clean_with_agat(CASES / "05_duplicate_ids.in.gff3", CONTIGS)
    assert [(gene.id, gene.strand) for gene in genes] == [("g1", "+"), ("g1_2", "-")]
    assert report.counts[RepairKind.GENE_LOST] == 1
    assert report.counts[RepairKind.GENE_SPLIT] == 1


def test_genes_that_agat_renames_are_not_lost(stand_in):
    stand_in(CASES / "03_cds_only.agat.gff3")
    genes, report, _ = clean_with_agat(CASES / "03_cds_only.in.gff3", CONTIGS)
    assert report.counts[RepairKind.GENE_LOST] == 0
    assert len(genes) == 2


@pytest.mark.parametrize(
    ("result", "code", "message"),
    [
        (None, 0, r"AGAT gave no result \(exit code 0\): .*Version: v1\.7\.0"),
        (CASES / "13_empty.in.gff3", 0, "AGAT gave no result"),
        (CASES / "01_unsorted.agat.gff3", 2, r"no result \(exit code 2\)"),
        (CASES / "14_header_only.agat.gff3", 0, "AGAT 1.7.0 returned no gene at all for 3 gene lines"),
    ],
)
def test_exit_code_zero_proves_nothing(stand_in, result, code, message):
    stand_in(result, code)
    with pytest.raises(ToolError, match=message):
        clean_with_agat(CASES / "01_unsorted.in.gff3", CONTIGS)


def test_a_broken_source_is_refused_before_agat_runs(stand_in):
    stand_in(CASES / "01_unsorted.agat.gff3", 2)
    with pytest.raises(GffError, match="7 tab-separated columns"):
        clean_with_agat(CASES / "11_broken_columns.in.gff3", CONTIGS)


def test_unknown_backend():
    with pytest.raises(ConfigError, match="'gt' is unknown; allowed are agat and builtin"):
        clean(CASES / "01_unsorted.in.gff3", CONTIGS, "gt")


def test_lost_genes_compares_ids_then_places():
    def gene(name, start, strand="+"):
        return name, GffRow(1, "c", "s", "gene", start, start + 100, ".", strand, ".", "")

    before = [gene("a", 0), gene("b", 1000), gene("c", 2000), gene("a", 5000)]
    after = [gene("a", 0), gene("agat-gene-1", 1050), gene("agat-gene-2", 2000, "-")]
    assert [row.start for _, row in lost_genes(before, after)] == [2000, 5000]


@pytest.mark.skipif(shutil.which(PROGRAM) is None, reason="AGAT comes with conda only")
def test_real_agat_agrees_with_the_stored_result():
    genes, _, _ = clean_with_agat(CASES / "01_unsorted.in.gff3", CONTIGS)
    assert [gene.id for gene in genes] == ["g1", "g2", "g3"]
