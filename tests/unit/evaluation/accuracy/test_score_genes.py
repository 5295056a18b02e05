"""tools/score_genes.py: files that do not belong together are named."""

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[4] / "tools" / "score_genes.py"
GENE = """##gff-version 3
Chr1\tx\tgene\t1\t90\t.\t+\t.\tID=g
Chr1\tx\tmRNA\t1\t90\t.\t+\t.\tID=t;Parent=g
Chr1\tx\tCDS\t1\t90\t.\t+\t0\tParent=t
"""


@pytest.fixture
def reference(tmp_path) -> Path:
    path = tmp_path / "reference.gff3"
    path.write_text(GENE)
    return path


def scored(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, TOOL, *map(str, arguments)], capture_output=True, text=True, timeout=120)


def test_a_file_with_other_contig_names_is_refused(reference, tmp_path):
    other = tmp_path / "predicted.gff3"
    other.write_text(GENE.replace("Chr1", "1"))
    done = scored(reference, other)
    assert done.returncode == 1
    assert "predicted.gff3: no contig of" in done.stderr
    assert "it has '1', the reference 'Chr1'" in done.stderr
    mask = tmp_path / "mask.bed"
    mask.write_text("chr1\t1\t9\n")
    done = scored(reference, reference, "--mask", mask)
    assert done.returncode == 1
    assert "mask.bed: no contig of" in done.stderr


def test_a_table_of_another_kind_is_refused(reference, tmp_path):
    (tmp_path / "t.tsv").write_text("a\tb\n1\t2\n")
    done = scored(reference, reference, "--rejected", tmp_path / "t.tsv")
    assert done.returncode == 1
    assert "t.tsv, line 1: not a table of check_annotation (the columns are not gene, " in done.stderr
    assert "Traceback" not in done.stderr
