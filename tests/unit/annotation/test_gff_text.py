"""Column 9 in every dialect; gffutils, which reads one dialect at a time, agrees wherever the column is well-formed."""

from pathlib import Path

import pytest
from gffutils.feature import feature_from_line
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.annotation.gff_text import decode_id, encode_id, encode_value, read_attributes
from phytoscribe.files import open_text

ROOT = Path(__file__).parents[3]
CASES = sorted((ROOT / "tests/data/agat_cases").rglob("*.in.*"))
EXAMPLE = ROOT / "resources/example/athaliana/annotation.gff3.gz"
NAMES = ("ID", "Parent", "gene_id", "transcript_id")


def by_gffutils(column: str) -> dict[str, list[str]]:
    """Values of each attribute that has one, as gffutils reads them."""
    line = f".\t.\t.\t1\t1\t.\t.\t.\t{column}"
    found = feature_from_line(line, strict=True, keep_order=True).attributes
    return {key: list(found[key]) for key in found if any(found[key])}


def by_us(column: str) -> dict[str, list[str]]:
    """The same as we read them: ids and parents as names, other values divided at commas that are no text."""
    attributes = read_attributes(column)
    values = {key: attributes.decoded()[key].split(",") for key in attributes.decoded()}
    values = {key: [part.replace("%2C", ",") for part in parts] for key, parts in values.items()}
    for key in NAMES:
        if key in values:
            values[key] = list(attributes.names(key)) if key == "Parent" else [attributes.name(key)]
    return values


def columns_of(path: Path) -> set[str]:
    with open_text(path) as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines if line[0] != "#"]
    return {row[8] for row in rows if len(row) == 9}


@pytest.mark.parametrize("path", [*CASES, EXAMPLE], ids=lambda path: path.name)
def test_real_columns_are_read_as_gffutils_reads_them(path):
    columns = columns_of(path)
    assert {column: by_us(column) for column in columns} == {column: by_gffutils(column) for column in columns}


WORD = st.text("aZ09._-:|()é 漢", min_size=1, max_size=8).map(str.strip).filter(bool)
KEY = st.sampled_from(["ID", "Parent", "Name", "Note", "Dbxref", "pacid", "longest", "ancestorIdentifier"])
ESCAPED = st.lists(WORD | st.sampled_from(["%3B", "%2C", "%25", "%3D", "%09"]), min_size=1, max_size=4).map("".join)
GFF3_COLUMN = st.dictionaries(KEY, st.lists(ESCAPED, min_size=1, max_size=3, unique=True), min_size=1).filter(
    lambda found: len(found.get("ID", "x")) == 1
)


@given(GFF3_COLUMN, st.sampled_from(["", ";"]))
def test_any_well_formed_gff3_column_is_read_as_gffutils_reads_it(found, ending):
    column = ";".join(f"{key}={','.join(values)}" for key, values in found.items()) + ending
    assert by_us(column) == by_gffutils(column)


@given(
    st.dictionaries(
        st.sampled_from(["gene_id", "transcript_id", "gene_name", "note"]),
        st.text("aZ09._-:|()é 漢=%", min_size=1, max_size=8).map(str.strip).filter(bool),
        min_size=1,
    )
)
def test_any_well_formed_gtf_column_is_read_as_gffutils_reads_it(found):
    column = "gene_source x; " + " ".join(f'{key} "{value}";' for key, value in found.items())
    assert by_us(column) == {"gene_source": ["x"]} | {key: [value] for key, value in found.items()}
    if not any("  " in value or '"' in value for value in found.values()):
        assert by_gffutils(column.replace("gene_source x", 'gene_source "x"')) == by_us(column)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        # gffutils: Parent is ["a,b"], as it divides no value of a line in which a key stands twice
        ("ID=e;Parent=a,b;Dbxref=x;Dbxref=y", {"ID": ["e"], "Parent": ["a", "b"], "Dbxref": ["x", "y"]}),
        # gffutils: ID is "g;Name=n;Note=cut", as "; " stands in the line
        ("ID=g;Name=n;Note=cut; here", {"ID": ["g"], "Name": ["n"], "Note": ["cut"]}),
        ("ID=g; Name=n;Note=x", {"ID": ["g"], "Name": ["n"], "Note": ["x"]}),
        # gffutils: a GFF3 column, as there is a "=" before the first ";"
        ('gene_id "a=b"; transcript_id "c";', {"gene_id": ["a=b"], "transcript_id": ["c"]}),
        # gffutils: Parent is ["a, b"]
        ("Parent=a, b", {"Parent": ["a", "b"]}),
        ('gene_id "a;b"; transcript_id "c"', {"gene_id": ["a;b"], "transcript_id": ["c"]}),
        ('transcript_id "g1.t1"; gene_id "g1";', {"transcript_id": ["g1.t1"], "gene_id": ["g1"]}),
        ("gene_id g1; transcript_id t1", {"gene_id": ["g1"], "transcript_id": ["t1"]}),
        ('gene_id "5" end"; transcript_id "c"', {"gene_id": ['5" end'], "transcript_id": ["c"]}),
        ('ID="g";Parent="a"', {"ID": ["g"], "Parent": ["a"]}),
        ('ID="g";Note="a; b"', {"ID": ["g"], "Note": ["a; b"]}),
        ('ID=g;Note="a; b";Parent=x', {"ID": ["g"], "Note": ['"a; b"'], "Parent": ["x"]}),
        ('ID=g;Note=5" long;Parent=x', {"ID": ["g"], "Note": ['5" long'], "Parent": ["x"]}),
        ('ID=g;description=";gbkey="', {"ID": ["g"], "description": ['"'], "gbkey": ['"']}),
        (" ID = g ; Parent = a , a,b ", {"ID": ["g"], "Parent": ["a", "b"]}),
        ("ID=g%3B1%2C2;Parent=a%3D1,b%2C2", {"ID": ["g;1,2"], "Parent": ["a=1", "b,2"]}),
        ("ID=g;ID=h;Note=;flag;=x;;", {"ID": ["g"]}),
        ("ID=g;Note=a=b=c", {"ID": ["g"], "Note": ["a=b=c"]}),
        ("ID=g;Note=one, two,three", {"ID": ["g"], "Note": ["one, two,three"]}),
        ("Parent=,,a,", {"Parent": ["a"]}),
        (".", {}),
        ("", {}),
        (";;;", {}),
    ],
)
def test_odd_columns(column, values):
    assert by_us(column) == values


def test_a_bare_name_is_a_key_without_value():
    assert read_attributes("g1.t1").values == {"g1.t1": ""}


@given(st.text(), st.text())
def test_written_names_and_values_are_read_back(identifier, value):
    attributes = read_attributes(f"ID={encode_id(identifier)};note={encode_value(value)}")
    assert attributes.name("ID") == identifier
    assert decode_id(attributes.values.get("note", "")) == value.replace("%2c", ",").replace("%2C", ",")


@given(st.text(';="%, \tab', max_size=30))
def test_any_column_is_read(column):
    attributes = read_attributes(column)
    assert all(key.strip() == key != "" for key in attributes.values)
    assert all(attributes.names("Parent"))
    assert set(attributes.decoded().values()).isdisjoint({""})
