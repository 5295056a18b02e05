"""Splice junctions of three formats, what is wrong with a file that has none, and how much an intron is used."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.junctions import JunctionReads, Support, read_junctions

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
    file.write_text(text + text.replace("\t+\t", "\t.\t").replace("\t300\t1\t1\t", "\t300\t0\t0\t"))
    assert read_junctions(file) == {("c", "+", (200, 300)): 7}
    file.write_text(text + text.replace("c\t", "plastid\t"))
    names = {"c": "one", "plastid": None}
    assert read_junctions(file, {"one": 1000}, names) == {("one", "+", (200, 300)): 7}


def test_hints_have_their_reads_in_an_attribute(tmp_path):
    file = tmp_path / "hints.gff"
    line = "c\tb2h\tintron\t201\t300\t{}\t+\t.\t{}\n"
    file.write_text(line.format("87", "mult=87;pri=4;src=E") + line.format("0", "pri=4;src=E"))
    assert read_junctions(file, {"c": 1000}) == {("c", "+", (200, 300)): 88}
    file.write_text(line.format("0", "mult=many;src=E"))
    with pytest.raises(PhytoScribeError, match=r"line 1: column 9 is 'many' and not a number of reads"):
        read_junctions(file)


def test_the_genome_may_tell_strands_that_a_file_leaves_open(tmp_path):
    file = tmp_path / "junctions"
    file.write_text(GFF3.replace("\t7\t+", "\t7\t.") + GFF3.replace("201", "211").replace("\t7\t+", "\t7\t."))
    strands = {(200, 300): "-", (210, 300): "."}
    assert read_junctions(file, strand_by=lambda _, intron: strands[intron]) == {("c", "-", (200, 300)): 7}


def test_star_without_a_strand_has_that_of_the_motif(tmp_path):
    file = tmp_path / "SJ.out.tab"
    file.write_text(
        "".join(f"c\t{100 * motif + 1}\t{100 * motif + 50}\t0\t{motif}\t0\t3\t0\t9\n" for motif in range(7))
    )
    strands = {intron[0] // 100: strand for _, strand, intron in read_junctions(file, {"c": 1000})}
    assert strands == {1: "+", 2: "-", 3: "+", 4: "-", 5: "+", 6: "-"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GFF3.replace("\t7\t", "\t.\t"), r"line 2: column 6 is '\.' and not a number of reads"),
        (BED12.replace("\t7\t", "\tmany\t"), r"line 2: column 5 is 'many'"),
        (STAR.replace("\t7\t", "\t-7\t"), r"line 1: column 7 is '-7'"),
        (GFF3.replace("\t7\t+", "\t7\t."), "none of its 1 junctions has a strand"),
        (STAR + STAR.replace("c\t", "d\t"), "line 2: the contig 'd' is not in the FASTA, which has c; give junctions"),
        (STAR.replace("300", "1001"), r"line 1: the junction ends at 1001, past the end of 'c' \(1000 bases\)"),
        (GFF3.replace("intron", "exon"), "it has no junctions; give GFF3"),
        ("", "it has no junctions; give GFF3"),
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


@given(
    st.dictionaries(
        st.tuples(st.sampled_from("+-"), st.integers(0, 5), st.integers(6, 10)), st.integers(0, 50), max_size=20
    )
)
def test_usage_is_the_share_of_the_busier_site(counts):
    """Against sums over all junctions; shifted or not."""
    reads = JunctionReads(Counter({("c", strand, (a, b)): n for (strand, a, b), n in counts.items()}))
    for strand in "+-":
        for a in range(6):
            for b in range(6, 11):
                at_donor = sum(n for (s, x, _), n in counts.items() if (s, x) == (strand, a))
                at_acceptor = sum(n for (s, _, y), n in counts.items() if (s, y) == (strand, b))
                found = reads.on("c", 4).support(strand, (a - 4, b - 4))
                assert found == Support(counts.get((strand, a, b), 0), max(at_donor, at_acceptor))
                assert found == reads.support("c", strand, (a, b))
                assert reads.support("d", strand, (a, b)) == Support(0, 0)
                if found.at_sites:
                    assert found.usage == found.reads / found.at_sites <= 1
                else:
                    assert found.usage is None
