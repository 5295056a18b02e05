"""One file of all genes: coding lines as they were, ids that never move, marks on genes that may be none."""

from __future__ import annotations

import io
import subprocess

import pytest

from phytoscribe.annotation.checking.acceptance import comments_of
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.errors import GffError
from phytoscribe.noncoding.elements import Element
from phytoscribe.noncoding.joined import write_all
from phytoscribe.noncoding.merge import write_noncoding
from phytoscribe.noncoding.pieces import Rna, write_found

CONTIGS = {"b": 9000, "lonely|1": 4000, "a": 3000}


def coding(name, contig, *segments, strand="+"):
    return GeneModel(name, contig, strand, (Transcript(f"{name}.t1", segments, segments),), score=0.5)


GENES = [
    coding("g_g000001", "b", (100, 400), (500, 700)),
    coding("g_g000002", "b", (2000, 2600), strand="-"),
    coding("g_g000003", "b", (5000, 5300), (8000, 8300)),
    coding("g_g000004", "a", (30, 90)),
]
RNAS = [
    Rna("a", 10, 80, "-", "tRNA", 74.1, ((40, 52),), {"product": "tRNA-Tyr", "anticodon": "GTA"}),
    Rna("b", 650, 2100, "+", "rRNA", 1800.0, (), {"product": "18S ribosomal RNA", "Dbxref": "RFAM:RF01960"}),
    Rna("lonely|1", 5, 90, "+", "snoRNA", 40.0, (), {"product": "a; b=c"}),
]


def element(contig, start, end, kind="LTR/Gypsy", strand="."):
    return Element(contig, start, end, strand, "LTR_retrotransposon", "EDTA", ".", "TE 1", kind)


ELEMENTS = [
    element("b", 7990, 8300), element("b", 4990, 5250, "LTR/Copia"), element("b", 5100, 5290, "LTR/Copia"),
    element("a", 0, 77), element("b", 5400, 7900, "RC/Helitron"),
]  # fmt: skip


@pytest.fixture
def files(tmp_path):
    """Paths of the prediction and of the other features."""
    with (tmp_path / "g.gff3").open("w") as handle:
        write_gff3(handle, GENES, CONTIGS, ["PhytoScribe: 0"], for_counting=True)
    with (tmp_path / "found.gff3").open("w") as handle:
        write_found(handle, RNAS, CONTIGS, "ARAGORN", ["ARAGORN v1: aragorn -t"])
    found = tmp_path / "found.gff3"
    with (tmp_path / "n.gff3").open("w") as handle:
        counts = write_noncoding(handle, read_gff3(found), ELEMENTS, CONTIGS, "g", comments_of(found))
    assert counts.to_dict("list") == {
        "type": ["LTR_retrotransposon", "rRNA", "snoRNA", "tRNA"],
        "source": ["EDTA", "ARAGORN", "ARAGORN", "ARAGORN"],
        "count": [5, 1, 1, 1],
        "bases": [310 + 300 + 77 + 2500, 1450, 85, 70],
    }
    return tmp_path / "g.gff3", tmp_path / "n.gff3"


def features(path):
    return [line.split("\t") for line in path.read_text().splitlines() if not line.startswith("#")]


def test_ids_and_lines_of_the_other_features(files):
    lines = features(files[1])
    tops = [line for line in lines if "Parent=" not in line[8]]
    assert [(line[0], int(line[3]), line[8].split(";")[0]) for line in tops] == [
        ("b", 651, "ID=g_r000001"), ("b", 4991, "ID=g_m000001"), ("b", 5101, "ID=g_m000002"),
        ("b", 5401, "ID=g_m000003"), ("b", 7991, "ID=g_m000004"), ("lonely|1", 6, "ID=g_r000002"),
        ("a", 1, "ID=g_m000005"), ("a", 11, "ID=g_r000003"),
    ]  # fmt: skip
    text = files[1].read_text()
    assert (
        "a\tARAGORN\ttRNA\t11\t80\t74.100\t-\t.\tID=g_r000003.t1;Parent=g_r000003;product=tRNA-Tyr;anticodon=GTA"
        in text
    )
    assert "a\tARAGORN\texon\t11\t40\t.\t-\t.\tID=g_r000003.t1.exon2;Parent=g_r000003.t1" in text
    assert "# ARAGORN v1: aragorn -t\n" in text
    assert "b\tEDTA\tLTR_retrotransposon\t4991\t5250\t.\t.\t.\tID=g_m000001;Name=TE 1;class=LTR/Copia" in text


@pytest.mark.parametrize("drop", [False, True])
def test_coding_lines_stay_and_doubtful_genes_are_marked(files, tmp_path, drop):
    target = tmp_path / "all.gff3"
    counts = write_all(*files, target, CONTIGS, drop)
    assert counts == {"overlap rRNA": 2, "lie in mobile elements": 1, "left out": int(drop)}
    lines, before = features(target), features(files[0])
    marks = {line[8].split(";")[0]: line[8].partition("overlaps=")[2] for line in lines if "overlaps=" in line[8]}
    expected = {"ID=g_g000001": "rRNA", "ID=g_g000002": "rRNA", "ID=g_g000003": "LTR/Gypsy"}
    assert marks == ({key: expected[key] for key in list(expected)[:2]} if drop else expected)
    bare = [[*line[:8], line[8].partition(";overlaps=")[0]] for line in lines]
    kept = [line for line in before if not (drop and "g_g000003" in line[8])]
    assert [line for line in bare if "g_g0" in line[8]] == kept
    assert sorted(bare) == sorted(kept + features(files[1]))
    tops = [(list(CONTIGS).index(line[0]), int(line[3])) for line in lines if "Parent=" not in line[8]]
    assert tops == sorted(tops)
    text = target.read_text()
    assert text.count("##gff-version") == 1
    assert text.count("##sequence-region") == 3
    assert f"2 overlap rRNA, 1 lie in mobile elements, {int(drop)} left out\n" in text


def test_most_of_the_cds_must_lie_in_elements(files, tmp_path):
    """Of 600 coding bases 290 are in two elements that overlap, and 300 in a third."""
    write_all(*files, tmp_path / "all.gff3", CONTIGS, False)
    text = files[1].read_text().replace("4991\t5250", "5101\t5250")
    files[1].write_text(text)
    counts = write_all(*files, tmp_path / "all.gff3", CONTIGS, False)
    assert counts["lie in mobile elements"] == 1, "490 of 600"
    files[1].write_text(text.replace("7991\t8300", "8012\t8300"))
    assert write_all(*files, tmp_path / "all.gff3", CONTIGS, False)["lie in mobile elements"] == 0, "479 of 600"


def test_nothing_found_gives_valid_files(tmp_path):
    paths = [tmp_path / name for name in ("g.gff3", "n.gff3", "all.gff3")]
    with paths[0].open("w") as handle:
        write_gff3(handle, (), CONTIGS)
    with paths[1].open("w") as handle:
        counts = write_noncoding(handle, (), (), CONTIGS, "g", ["nothing"])
    write_all(paths[0], paths[1], paths[2], CONTIGS, True)
    assert counts.empty
    assert [*counts.columns] == ["type", "source", "count", "bases"]
    assert all(path.read_text().startswith("##gff-version 3\n##sequence-region b 1 9000\n") for path in paths)
    assert features(paths[2]) == []


def test_features_elsewhere_are_left_out():
    handle = io.StringIO()
    genes = [rna.gene(str(number), "x") for number, rna in enumerate(RNAS)]
    write_noncoding(handle, genes, ELEMENTS, {"a": 3000}, "g", ())
    tops = [line for line in handle.getvalue().splitlines() if "Parent" not in line and line[0] != "#"]
    assert [line.split("\t")[8].split(";")[0] for line in tops] == ["ID=g_m000001", "ID=g_r000001"]


def test_genometools_accepts_both(files, tmp_path):
    target = tmp_path / "all.gff3"
    write_all(*files, target, CONTIGS, False)
    for path in (files[1], target):
        done = subprocess.run(
            ["gt", "gff3validator", "-typecheck", "so", str(path)], capture_output=True, text=True, check=False
        )
        assert done.stdout == "input is valid GFF3\n", done.stderr


def test_files_of_another_program_are_refused(files, tmp_path):
    for line, message in (("a\tx\n", "not a line of GFF3"), ("c\tx\tgene\t1\t9\t.\t+\t.\tID=x\n", "contig 'c' is not")):
        other = tmp_path / "other.gff3"
        other.write_text(line)
        with pytest.raises(GffError, match=message):
            write_all(files[0], other, tmp_path / "never.gff3", CONTIGS, False)
        assert not (tmp_path / "never.gff3").exists()
