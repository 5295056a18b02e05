"""Lines of annotation files as they come: line ends, marks, comments and FASTA anywhere, and what is refused."""

import gzip
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phytoscribe import files
from phytoscribe.annotation import gff_text
from phytoscribe.annotation.gff_lines import read_rows
from phytoscribe.annotation.gff_text import numbered_lines
from phytoscribe.errors import GffError, PhytoScribeError

LINE = "c1\tsrc\tgene\t{}\t{}\t.\t+\t.\tID=g"


def rows_of(tmp_path, data: bytes | str, **options):
    path = tmp_path / "a.gff3"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return list(read_rows(path, **options))


@pytest.mark.parametrize("size", [3, 7, 2**20])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last_end", [True, False])
@pytest.mark.parametrize("packed", [True, False])
def test_line_ends_marks_and_comments_change_nothing(tmp_path, monkeypatch, size, end, last_end, packed):
    lines = ["\ufeff##gff-version 3", "", "   ", "\t", "#!odd directive", LINE.format(1, 9), " # indented", "###"]
    lines += [LINE.format(11, 19), "##sequence-region c1 1 99", "##gff-version 3", LINE.format(21, 29)]
    data = (end.join(lines) + end * last_end).encode()
    whole = files.read_blocks
    monkeypatch.setattr(files, "read_blocks", lambda path: whole(path, size))
    found = rows_of(tmp_path, gzip.compress(data) if packed else data)
    assert [(row.line, row.start, row.end, row.attributes) for row in found] == [
        (6, 0, 9, "ID=g"),
        (9, 10, 19, "ID=g"),
        (12, 20, 29, "ID=g"),
    ]


def test_features_behind_a_fasta_section_are_read(tmp_path):
    data = f"{LINE.format(1, 9)}\n##FASTA\n>c1 a\tb\nACGT\n\nAC GT\n##gff-version 3\n{LINE.format(11, 19)}\n>c2\nAC\n"
    assert [row.line for row in rows_of(tmp_path, data)] == [1, 8]
    with pytest.raises(GffError, match="line 9: 3 tab-separated columns"):
        rows_of(tmp_path, data.replace(">c2", "c1\tsrc\tgene"))


def test_columns_are_decoded(tmp_path):
    (row,) = rows_of(tmp_path, "c%201\ts%3Bx\tm%52NA\t1\t9\t.\t+\t.\tID=%41", contigs={"c 1": 9})
    assert (row.contig, row.source, row.type, row.attributes) == ("c 1", "s;x", "mRNA", "ID=%41")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (LINE.format("1" * 5000, 9), r"line 1: start '1{60}'\.\.\. \(5000 characters\) and end '9' must be whole"),
        (LINE.format(1, "9" * 19), r"line 1: start '1' and end '9{19}' must be whole numbers"),
        (LINE.format("", 9), r"line 1: start '' and end '9'"),
        (LINE.format("²", 9), r"line 1: start '²'"),
        (LINE.format("-5", 9), r"line 1: start '-5'"),
        (LINE.format("1.0", 9), r"line 1: start '1\.0'"),
        (LINE.format(0, 9), r"line 1: start 0, end 9: GFF3 counts from 1"),
        (LINE.format(1, 9).replace("\t.\t+", "\t" + "1" * 5000 + "\t+"), r"line 1: score '1{60}'\.\.\. \(5000"),
        (LINE.format(1, 9).replace("\t.\t+", "\tnan\t+"), r"line 1: score 'nan'"),
        (f"\n{LINE.format(1, 9)}\t", r"line 2: 10 tab-separated columns"),
        (f"\n{LINE.format(1, 9)}\n\tc1".replace("ID", "\t"), r"line 2: 10 tab-separated columns"),
        (f"#\n#\n{LINE.format(1, 9)}\0", r"line 3: a NUL byte"),
        (f"{LINE.format(1, 9)}\n#é\n".encode("latin-1"), r"line 2: the byte 0xE9 is not UTF-8 .*iconv -f latin1"),
        (LINE.format(1, 9).encode("utf-16"), r"line 1: UTF-16 text; save the file as UTF-8"),
        (gzip.compress(LINE.format(1, 9).encode() * 999)[:-9], r"truncated or corrupt gzip file"),
        (b"\x1f\x8b\x08", r"truncated or corrupt gzip file"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_message(tmp_path, data, message):
    with pytest.raises(PhytoScribeError, match=rf"a\.gff3.*{message}"):
        rows_of(tmp_path, data)


def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(gff_text, "LONGEST_LINE", 2**20)
    data = LINE.format(1, 9) + "\n" + LINE.format(11, 19) + "x" * (2**20 - 2000)
    assert len(rows_of(tmp_path, data)[1].attributes) > 2**20 - 3000
    with pytest.raises(GffError, match=r"line 2: longer than 1 MiB"):
        rows_of(tmp_path, data + "x" * 2**21)


def test_sequences_that_the_map_leaves_out_are_counted(tmp_path):
    data = "".join(f"{name}\tx\tgene\t1\t9\t.\t+\t.\t.\n" for name in ["c1", "c%20x", "c1", "c x", "c2"])
    left_out = Counter()
    rows = rows_of(tmp_path, data, contigs={"k": 9}, seqid_map={"c1": None, "c x": None, "c2": "k"}, left_out=left_out)
    assert [row.contig for row in rows] == ["k"]
    assert left_out == {"c1": 2, "c x": 2}


def test_only_a_circle_may_be_passed(tmp_path):
    data = f"{LINE.format(5, 12)}\nc1\tx\tregion\t1\t10\t.\t+\t.\tID=c1;Is_circular=true\n"
    assert [row.end for row in rows_of(tmp_path, data, contigs={"c1": 10}, swap_reversed=True)] == [12, 10]
    for changed, options in [(data, {}), (data.replace("circular=true", "circular=false"), {"swap_reversed": True})]:
        with pytest.raises(GffError, match="line 1: the feature ends at 12, past the end of 'c1'"):
            rows_of(tmp_path, changed, contigs={"c1": 10}, **options)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.sampled_from("ab\n\r\t é\x85\u2028\x0b\x0c"), max_size=40), size=st.integers(3, 50))
def test_lines_and_their_numbers_are_those_of_python(tmp_path, monkeypatch, text, size):
    (tmp_path / "a.txt").write_bytes(text.encode())
    whole = files.read_blocks
    with monkeypatch.context() as patch:
        patch.setattr(files, "read_blocks", lambda path: whole(path, size))
        found = list(numbered_lines(tmp_path / "a.txt"))
    with (tmp_path / "a.txt").open(encoding="utf-8") as lines:
        assert found == [(number, line.rstrip("\n")) for number, line in enumerate(lines, start=1)]
