"""Genome FASTA: the checked copy, the index, random access, and what bad files are told."""

import gzip
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phytoscribe import files
from phytoscribe.errors import FastaError, PhytoScribeError
from phytoscribe.genome import Genome, check_fasta, decode, read_index
from phytoscribe.genome.fasta import write_index

EXAMPLE = Path(__file__).parents[3] / "resources/example/athaliana/genome.fa.gz"


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_clean_copy_keeps_names_case_and_bases(tmp_path):
    source = write(tmp_path / "in.fa", ">one first contig\nACGTnn\nacg\n\n>two\r\n" + "A" * 130 + "\r\n")
    assert check_fasta(source, tmp_path / "out.fa") == {"one": 9, "two": 130}
    assert (tmp_path / "out.fa").read_text() == f">one\nACGTnnacg\n>two\n{'A' * 60}\n{'A' * 60}\n{'A' * 10}\n"


def test_gzip_gives_the_same_copy_as_plain_text(tmp_path):
    text = ">a\nACGT\n>b\nGGCC\n"
    (tmp_path / "in.fa.gz").write_bytes(gzip.compress(text.encode()))
    check_fasta(write(tmp_path / "in.fa", text), tmp_path / "plain.fa")
    check_fasta(tmp_path / "in.fa.gz", tmp_path / "unpacked.fa")
    assert (tmp_path / "plain.fa").read_bytes() == (tmp_path / "unpacked.fa").read_bytes()


@settings(max_examples=30, deadline=None)
@given(
    sequences=st.lists(st.text("ACGTNacgtnRY", min_size=1, max_size=400), min_size=1, max_size=4),
    width=st.integers(1, 130),
    data=st.data(),
)
def test_any_part_of_any_contig_reads_back(tmp_path_factory, sequences, width, data):
    folder = tmp_path_factory.mktemp("fasta")
    records = [
        f">c{i}\n" + "".join(f"{s[k : k + width]}\n" for k in range(0, len(s), width)) for i, s in enumerate(sequences)
    ]
    lengths = check_fasta(write(folder / "in.fa", "".join(records)), folder / "out.fa")
    assert write_index(folder / "out.fa", folder / "out.fa.fai") == lengths
    index = data.draw(st.integers(0, len(sequences) - 1))
    expected = sequences[index].upper().replace("R", "N").replace("Y", "N")
    start = data.draw(st.integers(0, len(expected)))
    end = data.draw(st.integers(start, len(expected)))
    with Genome(folder / "out.fa") as genome:
        assert list(genome.contigs.items()) == [(f"c{i}", len(s)) for i, s in enumerate(sequences)]
        assert decode(genome.bases(f"c{index}", start, end)) == expected[start:end]
        assert genome.bases(f"c{index}").dtype == np.uint8


def test_long_contigs_cross_the_chunk_borders(tmp_path):
    generator = np.random.default_rng(0)
    sequence = "".join(generator.choice(list("ACGT"), size=3_000_017))
    lines = "\n".join(sequence[at : at + 77] for at in range(0, len(sequence), 77))
    check_fasta(write(tmp_path / "in.fa", f">long\n{lines}\n"), tmp_path / "out.fa")
    written = (tmp_path / "out.fa").read_text().splitlines()
    assert {len(line) for line in written[1:-1]} == {60}
    assert "".join(written[1:]) == sequence


@pytest.fixture
def blocks_of(monkeypatch):
    """Make the readers take files in blocks of so many bytes, so that block borders fall everywhere."""
    whole = files.read_blocks

    def choose(size):
        monkeypatch.setattr(files, "read_blocks", lambda path: whole(path, size))

    return choose


@pytest.mark.parametrize("size", [3, 4, 5, 2**20])
@pytest.mark.parametrize(
    "text",
    [
        ">one first\nACGT\nac\n>two\nGG\n",
        ">one first\r\nACGT\r\nac\r\n>two\r\nGG\r\n",
        ">one first\rACGT\rac\r>two\rGG\r",
        "\ufeff>one first\nACGTac\n>two\nGG",
        "\n  \n>one\tfirst > second\n\nAC GT a\tc \n  >two\n  G\n\n G",
        ">one\nACGTac\n>two x\n\n\nGG\n\n\n",
    ],
)
def test_any_line_ends_blanks_and_block_borders_give_the_same_copy(tmp_path, blocks_of, text, size):
    (tmp_path / "in.fa").write_bytes(text.encode())
    blocks_of(size)
    assert check_fasta(tmp_path / "in.fa", tmp_path / "out.fa") == {"one": 6, "two": 2}
    assert (tmp_path / "out.fa").read_text() == ">one\nACGTac\n>two\nGG\n"


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=60)
    | st.lists(st.sampled_from([b">", b"a", b"ACGTNN", b"\n", b"\r", b" ", b"*", b"-", b"\0", b"\xff"])).map(b"".join),
    size=st.integers(1, 30),
)
def test_any_bytes_give_a_copy_or_one_message(tmp_path_factory, blocks_of, data, size):
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "in.fa").write_bytes(data)
    blocks_of(size)
    try:
        lengths = check_fasta(folder / "in.fa", folder / "out.fa")
    except PhytoScribeError as error:
        lengths, message = {}, str(error)
    if not lengths:
        assert message.startswith(f"{folder / 'in.fa'}")
        assert not (folder / "out.fa").exists()
    else:
        assert write_index(folder / "out.fa", folder / "out.fa.fai") == lengths
        blocks_of(7)
        assert check_fasta(folder / "out.fa", folder / "again.fa") == lengths
        assert (folder / "again.fa").read_bytes() == (folder / "out.fa").read_bytes()


def test_a_chromosome_on_one_line_takes_little_memory(tmp_path):
    with (tmp_path / "in.fa").open("wb") as handle:
        handle.write(b">long\n")
        for _ in range(64):
            handle.write(b"ACGT" * 2**18)
        handle.write(b"\n>short\nAC\n")
    tracemalloc.start()
    try:
        lengths = check_fasta(tmp_path / "in.fa", tmp_path / "out.fa")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert lengths == {"long": 2**26, "short": 2}
    assert peak < 24 * 2**20


def test_names_in_any_script_are_kept(tmp_path):
    check_fasta(write(tmp_path / "in.fa", ">Übergang|1:2 x\nACGT\n>漢\nGG\n"), tmp_path / "out.fa")
    write_index(tmp_path / "out.fa", tmp_path / "out.fa.fai")
    with Genome(tmp_path / "out.fa") as genome:
        assert genome.contigs == {"Übergang|1:2": 4, "漢": 2}
        assert decode(genome.bases("漢")) == "GG"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b">a\nAC\n>b\xff\nAC\n", r"line 3: the name 'b\ufffd' is not UTF-8"),
        (b">a\0b\nAC\n", r"line 1: the name 'a\\x00b' holds control characters"),
        (b">a\nAC\0GT\n", r"letter '\\x00' at position 3"),
        (b">a\nAC\xc3\xa9GT\n", r"letter 0xC3 at position 3"),
        (b">a\nACGT*\n", r"letter '\*' at position 5"),
        (b">a\nACGT>b\nAC\n", r"letter '>' at position 5"),
        (b"\xff\xfe>\0a\0", r"line 1: UTF-16 text"),
        (b">" + b"x" * 2**21, r"line 1: a header of more than"),
        (b"\n \n ACGT\n>a\nAC\n", r"line 3: text before the first '>'"),
        (b">a\n\n\n", r"line 1: the sequence 'a' is empty"),
        (b">a", r"line 1: the sequence 'a' is empty"),
        (b"\x1f\x8b", r"truncated or corrupt gzip"),
        (b"\x1f\x8bnothing of the kind", r"truncated or corrupt gzip"),
        (b"PK\x03\x04", r"in\.fa: this is a zip archive"),
        (
            b">a\nAC\n>" + b"b" * 50_000 + b"\nAC\n",
            r"line 3: the name 'b{60}'\.\.\. \(50000 .* longer than 255 letters",
        ),
        (b"@r1\nAC\n+\nII\n", r"line 1: text before .*; it looks like FASTQ"),
        (b"\n##gff-version 3\n", r"line 2: text before .*; it looks like GFF"),
        (b"acgtnn\n", r"line 1: text before .*; it looks like bases without a header"),
    ],
)
def test_bad_bytes_get_their_message(tmp_path, data, message):
    (tmp_path / "in.fa").write_bytes(data)
    with pytest.raises(PhytoScribeError, match=message):
        check_fasta(tmp_path / "in.fa", tmp_path / "out.fa")
    assert not (tmp_path / "out.fa").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no sequences found"),
        (">a\nACGT\n>b\nAC\n>a x\nACGT\n", r"'a' is used twice, in lines 1 and 5"),
        (">a\nACGT\n>b\n>c\nACGT\n", r"line 3: the sequence 'b' is empty"),
        (">a\nACGT\n>b\n\n", r"the sequence 'b' is empty"),
        (">a\nACGT\n>p\nACGTACGTMEEPQSDPSV\n", r"'p' has the letter 'E' at position 10, .* protein FASTA"),
        (">a\nAC-GT\n", r"'-' at position 3"),
        ("ACGT\n>a\nACGT\n", r"line 1: text before the first '>'"),
        (">\nACGT\n", r"line 1: a '>' without a name"),
    ],
)
def test_bad_files_get_their_message_and_leave_nothing(tmp_path, text, message):
    with pytest.raises(FastaError, match=message):
        check_fasta(write(tmp_path / "in.fa", text), tmp_path / "out" / "out.fa")
    assert list((tmp_path / "out").iterdir()) == []


def test_position_of_a_bad_letter_is_right_beyond_the_first_chunk(tmp_path):
    sequence = "A" * 2_500_003 + "!" + "A" * 10
    with pytest.raises(FastaError, match="position 2500004"):
        check_fasta(write(tmp_path / "in.fa", f">a\n{sequence}\n"), tmp_path / "out.fa")


def test_truncated_gzip_is_an_error_and_leaves_nothing(tmp_path):
    whole = EXAMPLE.read_bytes()
    (tmp_path / "cut.fa.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PhytoScribeError, match=r"cut\.fa\.gz: truncated or corrupt gzip"):
        check_fasta(tmp_path / "cut.fa.gz", tmp_path / "out" / "out.fa")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_earlier_copy_survives_a_failed_one(tmp_path):
    check_fasta(write(tmp_path / "in.fa", ">a\nACGT\n"), tmp_path / "out.fa")
    with pytest.raises(FastaError):
        check_fasta(write(tmp_path / "bad.fa", ">a\nAC!T\n"), tmp_path / "out.fa")
    assert (tmp_path / "out.fa").read_text() == ">a\nACGT\n"


def test_genome_refuses_what_is_not_there(tmp_path):
    check_fasta(write(tmp_path / "in.fa", ">a\nACGT\n"), tmp_path / "out.fa")
    with pytest.raises(FastaError, match="index of the genome is missing"):
        Genome(tmp_path / "out.fa")
    write_index(tmp_path / "out.fa", tmp_path / "out.fa.fai")
    with Genome(tmp_path / "out.fa") as genome:
        with pytest.raises(FastaError, match="no contig 'b'; there are a"):
            genome.bases("b")
        for start, end in ((-1, 2), (0, 5), (3, 2)):
            with pytest.raises(FastaError, match="outside the contig"):
                genome.bases("a", start, end)


@pytest.mark.parametrize(
    ("fasta", "index"),
    [
        (b">a\nACG", "a\t4\t3\t4\t5"),
        (b"", "a\t4\t3\t4\t5"),
        (b">a\nAC\nGT\n", "a\t4\t3\t4\t5"),
        (b">a\nAC\x14T\n", "a\t4\t3\t4\t5"),
        (b">a\nAC\xb3T\n", "a\t4\t3\t4\t5"),
        (gzip.compress(b">a\nACGT\n", mtime=0), "a\t4\t3\t4\t5"),
        (b">a\nACGT\n", "a\t4\t999999999999999999\t4\t5"),
        (b">a\nACGT\n", "a\t2147483648\t3\t60\t61"),
    ],
)
def test_a_fasta_that_is_not_that_of_its_index_is_refused(tmp_path, fasta, index):
    (tmp_path / "x.fa").write_bytes(fasta)
    (tmp_path / "x.fa.fai").write_text(f"{index}\n")

    def read_it():
        with Genome(tmp_path / "x.fa") as genome:
            genome.bases("a")

    with pytest.raises(FastaError, match=r"x\.fa: the sequence 'a' is not as its index x\.fa\.fai says"):
        read_it()


@pytest.mark.parametrize(
    "line",
    [
        "a\t4\t3\t6p\t61",
        "a\t4\t3\t\t",
        "a\t4\t-1\t4\t5",
        "a\t4\t3\t4\t99999999999999",
        "a\t4\t3\t0\t1",
        "\t4\t3\t4\t5",
        "b\t4\t3\t4\t5",
    ],
)
def test_numbers_of_an_index_are_checked(tmp_path, line):
    with pytest.raises(FastaError, match=r"x\.fai, line 2: not a FASTA index"):
        read_index(write(tmp_path / "x.fai", f"b\t4\t3\t4\t5\n{line}\n"))


@pytest.mark.parametrize("line", ["a 4 3 4 5", "a\t²\t3\t4\t5", "a\t" + "1" * 5000 + "\t3\t4\t5"])
def test_broken_index_is_named(tmp_path, line):
    with pytest.raises(FastaError, match=r"x\.fai, line 1: not a FASTA index"):
        read_index(write(tmp_path / "x.fai", f"{line}\n"))


def test_the_example_genome(tmp_path):
    lengths = check_fasta(EXAMPLE, tmp_path / "out.fa")
    assert lengths["Chr5_25975502_26975502"] == 1_000_001
    assert sum(lengths.values()) == 7_331_818
    write_index(tmp_path / "out.fa", tmp_path / "out.fa.fai")
    with Genome(tmp_path / "out.fa") as genome:
        assert decode(genome.bases("Chr1", 3759, 3762)) == "ATG"  # start codon of AT1G01010, Chr1:3760
