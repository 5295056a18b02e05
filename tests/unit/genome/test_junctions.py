"""Splice junctions of three formats, and what is wrong with a file that has none."""

import pytest

from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.junctions import read_junctions

GFF3 = "##gff-version 3\nc\tx\tintron\t201\t300\t7\t+\t.\tName=j\nc\tx\tgene\t1\t900\t.\t+\t.\tID=g\n"
STAR = "c\t201\t300\t1\t1\t0\t7\t3\t40\n"
BED12 = "track name=j\nc\t180\t320\tj\t7\t+\t180\t320\t0\t2\t20,20\t0,120\n"


@pytest.mark.parametrize("text", [GFF3, STAR, BED12], ids=["gff3", "star", "bed12"])
def test_three_formats_of_one_junction(tmp_path, text):
    file = tmp_path / "junctions"
    file.write_text(text)
    assert read_junctions(file) == {("c", "+", (200, 300)): 7}
    file.write_text(text + text)
    assert read_junctions(file, {"c": 1000}) == {("c", "+", (200, 300)): 14}
    file.write_text(text + text.replace("\t+\t", "\t.\t").replace("\t300\t1\t", "\t300\t0\t"))
    assert read_junctions(file) == {("c", "+", (200, 300)): 7}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GFF3.replace("\t7\t", "\t.\t"), r"line 2: column 6 is '\.' and not a number of reads"),
        (BED12.replace("\t7\t", "\tmany\t"), r"line 2: column 5 is 'many'"),
        (STAR.replace("\t7\t", "\t-7\t"), r"line 1: column 7 is '-7'"),
        (GFF3.replace("\t7\t+", "\t7\t."), "none of its 1 junctions has a strand"),
        (STAR.replace("c\t", "d\t"), "no junction lies on a sequence of the FASTA, which has .*c.*; the file has .*d"),
        (STAR.replace("201", "301"), "line 1: from 301 to 300 is no intron"),
        (BED12.replace("0,120", "0,20"), "line 2: the blocks of this BED12 line leave no intron"),
        (BED12.replace("20,20", "20"), "line 2: a junction in BED12 has two blocks"),
        ("c\t200\t300\t7\n", "line 1: 4 columns that are no junction; give GFF3"),
        ("c 201 300 1 1 0 7 3 40\n", "line 1: 1 columns that are no junction"),
    ],
)
def test_a_file_without_junctions_is_refused(tmp_path, text, told):
    file = tmp_path / "junctions"
    file.write_text(text)
    with pytest.raises(PhytoScribeError, match=told):
        read_junctions(file, {"c": 1000})
