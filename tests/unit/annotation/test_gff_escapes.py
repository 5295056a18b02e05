"""Escapes of column 9: whatever text goes in comes out, and what stands in the file is one field of one line."""

from __future__ import annotations

import re
from contextlib import suppress
from urllib.parse import quote

import pytest
from gene_models import ODD, ODD_IN_QUOTES, words
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reader_rules import time_limit

from phytoscribe.annotation.gff_text import (
    decode_id,
    decode_value,
    encode_column,
    encode_id,
    encode_value,
    parse_attributes,
    read_attributes,
)
from phytoscribe.errors import GffError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | words([*ODD, "%", "2", "C", "c"], 8)
KEYS = st.text("abcXYZ_.09é-", min_size=1, max_size=5).map("k".__add__)


@settings(max_examples=300, derandomize=True)
@given(TEXT)
@example("%2C")
@example("%2c,%252C")
@example("%C3%A9\u2028\x85")
def test_text_comes_out_as_it_went_in(text):
    assert decode_value(encode_value(text)) == text
    assert decode_id(encode_id(text)) == text
    assert decode_id(encode_column(text)) == text


@settings(max_examples=300, derandomize=True)
@given(TEXT)
def test_escaped_text_is_one_field_of_one_line(text):
    assert not re.search(r"[;=&\t]", encode_value(text))
    assert not re.search(r"[;=&,\t]", encode_id(text))
    assert not re.search(r"\A[#>]|\s", encode_column(text))
    for escaped in (encode_value(text), encode_id(text), encode_column(text)):
        assert len(escaped.splitlines()) <= 1


def test_sequence_names_stand_as_the_fasta_has_them():
    for name in ("sample#1#chr1", "HLA*01:01", "gi|1|ref", "chr1_(+)", "50%", "a>b", "scaffold=1,2"):
        assert encode_column(name) == name
    assert encode_column("#chr1") == "%23chr1"
    assert encode_column("chr%41") == "chr%2541"


@settings(max_examples=300, derandomize=True)
@given(TEXT)
def test_any_letter_may_be_escaped_and_a_comma_stays_marked(text):
    everything = "".join(f"%{byte:02x}" for byte in text.encode())
    assert decode_value(everything).replace("%2c", "%2C") == text.replace(",", "%2C")
    assert decode_id(everything) == decode_id(quote(text, safe="")) == text


@settings(max_examples=300, derandomize=True)
@given(st.dictionaries(KEYS, TEXT.map(str.strip).filter(bool), max_size=5), st.sampled_from([";", "; ", ";;", " ; "]))
def test_attributes_are_read_as_they_were_written(attributes, separator):
    column = separator.join(f"{encode_value(key)}={encode_value(value)}" for key, value in attributes.items())
    assert parse_attributes(column or ".", "here") == attributes
    assert parse_attributes(column + ";", "here") == attributes
    # The cleaner's reading marks a comma that a blank follows: it separates nothing.
    marked = {key: value.replace(",", "%2C") if ", " in value else value for key, value in attributes.items()}
    assert read_attributes(column or ".").decoded() == marked


@settings(max_examples=200, derandomize=True)
@given(words(ODD_IN_QUOTES), words(ODD_IN_QUOTES), st.sampled_from(["; ", ";", " ; ", ";  "]))
def test_quoted_values_hold_anything_but_quotes(gene, note, separator):
    column = f'gene_id "{gene}"{separator}transcript_id "{gene}.1"{separator}level 2{separator}note "{note}"'
    for text in (column, column + ";"):
        read = read_attributes(text)
        assert not read.escaped
        assert (read.name("gene_id"), read.name("transcript_id")) == (gene, f"{gene}.1")
        assert read.decoded()["level"] == "2"
        assert read.decoded().get("note", "").replace("%2C", ",") == note.replace("%2C", ",")


@settings(max_examples=500, derandomize=True, deadline=1000)
@given(words([*ODD, "ID=", "Parent=", 'gene_id "', "\x1f", "\u2028", "=a;"], 40))
def test_no_column_is_too_odd_to_read(column):
    read = read_attributes(column)
    assert all(isinstance(value, str) for value in read.decoded().values())
    assert isinstance(read.name("ID"), str)
    assert all(read.names("Parent"))
    with suppress(GffError):
        parse_attributes(column, "x.gff3, line 7")


@pytest.mark.parametrize("part", ['"', '" ', "=", ";", "; ", 'a "', 'a "b" ', "=;", '="', ",", "%", "%2", "( "])
def test_time_is_linear_in_the_length(part):
    """A quarter of a million repeats of anything: a reading with a square in it would take hours."""
    column = f"ID=x;Note={part * 250_000}"
    with time_limit(5):
        assert read_attributes(column).name("ID") == "x"
        read_attributes(f'gene_id "{part * 250_000}').decoded()
