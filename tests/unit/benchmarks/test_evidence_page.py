"""Tables of a page that a program writes between its sentences; hints for AUGUSTUS."""

import pytest
from augustus_hints import hints_by_proteins
from evidence_page import put_tables, table_of

from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.aligned_proteins import AlignedProtein

PAGE = """Before.

<!-- table: test -->
| old |
<!-- end of table -->

Between.

<!-- table: test, long reads -->
<!-- end of table -->
"""


def test_only_the_named_table_of_a_page_changes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    put_tables(page, {"test": table_of([["DNA alone", r"0.5 \1"]], columns=["locus F1"])})
    new = "\n|  | locus F1 |\n|---|---|\n| DNA alone | 0.5 \\1 |\n\n"
    assert page.read_text() == PAGE.replace("| old |\n", new)
    put_tables(page, {"test": ["| old |"], "test, long reads": ["| new |"]})
    begin, end = PAGE.split("<!-- table: test, long reads -->\n")
    assert page.read_text() == (
        begin.replace("| old |", "\n| old |\n") + "<!-- table: test, long reads -->\n\n| new |\n\n" + end
    )
    with pytest.raises(PhytoScribeError, match="needs one table between <!-- table: validation -->"):
        put_tables(page, {"validation": []})


def test_equal_hints_of_proteins_are_one_hint_with_their_number():
    def protein(strand: str, ends: bool) -> AlignedProtein:
        return AlignedProtein("c", strand, ((100, 190), (250, 340)), (0, 0), 0.9, True, ends, True)

    lines = [line.rstrip().split("\t") for line in hints_by_proteins([protein("+", True), protein("+", False)])]
    assert [(kind, start, end, rest) for _, _, kind, start, end, _, _, _, rest in lines] == [
        ("CDSpart", "116", "175", "mult=2;pri=4;src=P"),
        ("CDSpart", "266", "325", "mult=2;pri=4;src=P"),
        ("intron", "191", "250", "mult=2;pri=4;src=P"),
        ("start", "101", "103", "mult=2;pri=4;src=P"),
        ("stop", "338", "340", "mult=1;pri=4;src=P"),
    ]
    (start,) = (line for line in hints_by_proteins([protein("-", False)]) if "\tstart\t" in line)
    assert start.split("\t")[3:7] == ["338", "340", "0", "-"]
