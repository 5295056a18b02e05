"""Mobile elements in the files that RepeatMasker, EDTA, LTRharvest and others write, and files that are none."""

from __future__ import annotations

import pytest

from phytoscribe.errors import PhytoScribeError
from phytoscribe.noncoding.elements import read_elements, read_repeats, term_of_class

CONTIGS = {"Chr1": 5000, "Chr2": 800}


def read(folder, text, name="repeats.txt", **arguments):
    path = folder / name
    path.write_text(text)
    return read_elements(path, CONTIGS, **arguments)


def short(elements):
    return [(e.contig, e.start, e.end, e.strand, e.type, e.name, e.kind) for e in elements]


EDTA = """##gff-version 3
Chr1\tEDTA\trepeat_region\t91\t1010\t.\t+\t.\tID=repeat_region_1;Name=TE_1;Classification=LTR/Gypsy;Method=structural
Chr1\tEDTA\ttarget_site_duplication\t91\t95\t.\t+\t.\tID=TSD_1;Parent=repeat_region_1;Classification=LTR/Gypsy
Chr1\tEDTA\tGypsy_LTR_retrotransposon\t96\t1005\t.\t+\t.\tID=LTRRT_1;Parent=repeat_region_1;Name=TE_1;Classification=LTR/Gypsy
Chr1\tEDTA\tlong_terminal_repeat\t96\t200\t.\t+\t.\tID=lLTR_1;Parent=LTRRT_1;Classification=LTR/Gypsy
Chr1\tEDTA\thelitron\t2000\t2500\t3461\t-\t.\tID=TE_homo_2;Name=TE_00000002;Classification=DNA/Helitron;Method=homology
Chr1\tEDTA\tCACTA_TIR_transposon\t3000\t3100\t.\t?\t.\tID=TE_homo_3;Name=TE_3;Classification=DNA/DTC
Chr2\tEDTA\trepeat_region\t1\t50\t.\t+\t.\tID=TE_homo_4;Name=TE_4;Classification=Unknown
"""
REPEATMASKER = """##gff-version 2
##date 2026-01-01
Chr1\tRepeatMasker\tsimilarity\t101\t900\t12.1\t+\t.\tTarget "Motif:ATHILA2" 1 800
Chr1\tRepeatMasker\tsimilarity\t950\t990\t 3.2\t+\t.\tTarget "Motif:(TA)n" 1 41
"""
WITH_CLASS = """##gff-version 3
Chr1\tRepeatMasker\tdispersed_repeat\t101\t900\t1211\t-\t.\tID=1;Target=ATHILA2 1 800;class=LTR/Gypsy
Chr1\tRepeatMasker\tdispersed_repeat\t950\t990\t13\t+\t.\tID=2;Target=(TA)n 1 41;class=Simple_repeat
Chr1\tRepeatMasker\tdispersed_repeat\t1950\t1990\t13\t+\t.\tID=3;Name=SSU-rRNA_Ath#rRNA/x
Chr2\tRepeatMasker\tdispersed_repeat\t1\t90\t13\t+\t.\tName=MITE12#DNA/MITE
"""


def test_edta(tmp_path):
    found, left_out = read(tmp_path, EDTA)
    assert short(found) == [
        ("Chr1", 95, 1005, "+", "LTR_retrotransposon", "TE_1", "LTR/Gypsy"),
        ("Chr1", 1999, 2500, "-", "helitron", "TE_00000002", "DNA/Helitron"),
        ("Chr1", 2999, 3100, ".", "terminal_inverted_repeat_element", "TE_3", "DNA/DTC"),
        ("Chr2", 0, 50, "+", "mobile_genetic_element", "TE_4", "Unknown"),
    ]
    assert found[1].source == "EDTA"
    assert found[1].score == "3461"
    assert left_out == {"LTR/Gypsy": 2, "feature around other elements": 1}


def test_repeatmasker(tmp_path):
    found, left_out = read(tmp_path, REPEATMASKER.replace("\t 3.2", "\t3.2"))
    assert short(found) == [("Chr1", 100, 900, "+", "mobile_genetic_element", "ATHILA2", "")]
    assert left_out == {"similarity": 1}
    found, left_out = read(tmp_path, WITH_CLASS)
    assert [(e.name, e.type, e.kind) for e in found] == [
        ("ATHILA2", "LTR_retrotransposon", "LTR/Gypsy"),
        ("MITE12#DNA/MITE", "MITE", "DNA/MITE"),
    ]
    assert left_out == {"Simple_repeat": 1, "rRNA/x": 1}


def test_bed_with_and_without_classes(tmp_path):
    text = (
        "track name=TE\n#comment\nChr1\t10\t90\tAT1TE1|ATCOPIA24|LTR/Copia\t0\t+\n"
        "Chr1\t100\t190\tATREP3\t90\tC\tRC\tHelitron\t12.1\t5\n"
        "Chr1\t200\t290\tLINE/L1\nChr2\t0\t800\nChr2\t5\t9\t(TA)n\t1\t+\tSimple_repeat\t(TA)n\nChr2\t20\t40\tVANDAL3\n"
    )
    found, left_out = read(tmp_path, text)
    assert short(found) == [
        ("Chr1", 10, 90, "+", "LTR_retrotransposon", "AT1TE1|ATCOPIA24|LTR/Copia", "LTR/Copia"),
        ("Chr1", 100, 190, "-", "helitron", "ATREP3", "RC/Helitron"),
        ("Chr1", 200, 290, ".", "LINE_element", "LINE/L1", "LINE/L1"),
        ("Chr2", 0, 800, ".", "mobile_genetic_element", "", ""),
        ("Chr2", 20, 40, ".", "mobile_genetic_element", "VANDAL3", ""),
    ]
    assert left_out == {"Simple_repeat": 1}


def test_bed_with_nine_columns_and_numbers_as_names(tmp_path):
    found, _ = read(tmp_path, "Chr1\t10\t90\t101\t900\t-\t10\t90\t255,0,0\n")
    assert short(found) == [("Chr1", 10, 90, "-", "mobile_genetic_element", "101", "")]


def test_terms_of_classes():
    terms = {
        "LTR/Gypsy?": "LTR_retrotransposon", "SINE/tRNA": "SINE_element", "DNA/Helitron": "helitron",
        "DNA/MULE-MuDR": "terminal_inverted_repeat_element", "DNA": "DNA_transposon", "MITE/DTM": "MITE",
        "DNA/Maverick": "DNA_transposon", "Unknown": "mobile_genetic_element", "Satellite/centr": None,
        "Low_complexity": None, "rRNA": None, "Retroposon/L1-dep": "retrotransposon",
        "Strange": "mobile_genetic_element",
    }  # fmt: skip
    assert {kind: term_of_class(kind) for kind in terms} == terms


def test_an_empty_file_has_no_elements(tmp_path):
    assert read(tmp_path, "")[0] == read(tmp_path, "##gff-version 3\n")[0] == read(tmp_path, "# none\n")[0] == []


def test_names_are_those_of_the_fasta_by_the_map(tmp_path):
    names = {"1": "Chr1", "Mt": None}
    for text in ("1\t10\t90\nMt\t1\t9\nChr2\t1\t9\n", "".join(
        f"{name}\tx\thelitron\t11\t90\t.\t+\t.\tID={name}\n" for name in ("1", "Mt", "Chr2")
    )):  # fmt: skip
        found, left_out = read(tmp_path, text, seqid_map=names)
        assert [element.contig for element in found] == ["Chr1", "Chr2"]
        assert left_out.total() == 1
        repeats = read_repeats(tmp_path / "repeats.txt", CONTIGS, names)
        assert list(repeats) == ["Chr1", "Chr2"]
        assert repeats["Chr1"] == [(10, 90)]


LINE = "{0}\tx\t{1}\t{2}\t{3}\t.\t+\t.\tID=a\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "chr1\t1\t9\n",
            "line 1: the contig 'chr1' is not in the FASTA, which has Chr1, Chr2; use the",
        ),
        ("Chr2\t1\t9\nChr2\t700\t801\n", "line 2: the element ends at 801, past the end of 'Chr2' (800 bases)"),
        ("Chr2\t1\t9\nChr2\t9\t9\n", "line 2: start 9 and end 9 are no interval"),
        ("Chr2\t1\t9\nChr2\t9\tx\n", "line 2: a BED line needs contig, start and end, separated by tabs"),
        ("Chr2\t1\t9\nChr2 1 9\n", "line 2: a BED line needs contig, start and end"),
        ("Chr2\t-1\t9\n", "line 1: a BED line needs contig, start and end"),
        ("Chr2\t1\t9\nChr2\t1.5\t9\n", "line 2: a BED line needs"),
        ("Chr1 10 90\n", "line 1: 1 tab-separated columns, and not those of GFF3"),
        ("   SW   perc perc perc  query\n", "line 1: 1 tab-separated columns"),
        (LINE.format("chr1", "helitron", 1, 9), "line 1: the sequence 'chr1' is not in the genome FASTA"),
        (
            LINE.format("Chr2", "helitron", 700, 801),
            "line 1: the feature ends at 801, past the end of 'Chr2'",
        ),
        (LINE.format("Chr2", "helitron", 9, 8), "line 1: start 9, end 8"),
        (LINE.format("Chr2", "gene", 1, 8), "line 1: a gene in a file of repeats; give the mobile elements"),
        (LINE.format("Chr2", "mRNA", 1, 8), "line 1: a mRNA in a file of repeats"),
    ],
)
def test_a_wrong_file_is_told_by_line(tmp_path, text, message):
    with pytest.raises(PhytoScribeError) as error:
        read(tmp_path, text)
    assert f"{tmp_path}/repeats.txt, {message}" in str(error.value)
