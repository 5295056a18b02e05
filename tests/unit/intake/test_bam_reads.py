"""Reads out of BAM files: as sequenced, each once, and no half file taken for a whole one; pairs of RNA-seq files."""

import bz2
import gzip
import logging
from array import array

import pysam
import pytest

from phytoscribe.errors import PhytoScribeError
from phytoscribe.intake.reads import check_rnaseq, checked_reads, join_reads
from phytoscribe.intake.sources import Downloads, Wanted

UNALIGNED, REVERSE, SECONDARY, SUPPLEMENTARY = 4, 16, 256, 2048


def write_bam(path, records, contigs=()):
    """Records (name, flag, sequence, qualities or None, CIGAR or None)."""
    header = {"HD": {"VN": "1.6", "SO": "unknown"}, "SQ": [{"SN": name, "LN": 1000} for name in contigs]}
    with pysam.AlignmentFile(str(path), "wb", header=header) as out:
        for name, flag, sequence, qualities, cigar in records:
            record = pysam.AlignedSegment(out.header)
            record.query_name, record.flag, record.query_sequence = name, flag, sequence
            if cigar:
                record.reference_id, record.reference_start, record.cigarstring = 0, 10, cigar
            if qualities:
                record.query_qualities = array("B", qualities)
            out.write(record)
    return path


def test_unaligned_reads_with_and_without_qualities(tmp_path):
    # The name says nothing: the content is BAM.
    path = write_bam(
        tmp_path / "flnc.fastq.gz",
        [("m/1/ccs", UNALIGNED, "ACGTT", [40, 40, 2, 93, 0], None), ("m/2/ccs", UNALIGNED, "GG", None, None)],
    )
    assert list(checked_reads(path)) == [b"@m/1/ccs\nACGTT\n+\nII#~!\n", b">m/2/ccs\nGG\n"]


def test_aligned_reads_come_once_and_as_sequenced(tmp_path, caplog):
    path = write_bam(
        tmp_path / "a.bam",
        [
            ("x", REVERSE, "AACGT", [1, 2, 3, 4, 5], "2S3M"),
            ("x", SUPPLEMENTARY, "AA", [1, 2], "2M3H"),
            ("x", SECONDARY, "AACGT", [1, 2, 3, 4, 5], "5M"),
            ("y", UNALIGNED, "CC", [1, 1], None),
        ],
        ["c"],
    )
    with caplog.at_level(logging.WARNING):
        assert list(checked_reads(path)) == [b'@x\nACGTT\n+\n&%$#"\n', b'@y\nCC\n+\n""\n']
    assert "1 of 2 reads come aligned; they are aligned anew" in caplog.text


def test_bam_is_joined_with_other_files(tmp_path):
    write_bam(tmp_path / "one.bam", [("x", UNALIGNED, "ACGT", [30] * 4, None)])
    (tmp_path / "two.fa").write_bytes(b">y\nAC\n")
    wanted = [
        Wanted("g", "isoseq", {"path": str(tmp_path / name)}, tmp_path / "reads.gz", number=number)
        for number, name in enumerate(("one.bam", "two.fa"), start=1)
    ]
    records = join_reads(wanted, Downloads(), tmp_path / "reads.gz")
    assert gzip.decompress((tmp_path / "reads.gz").read_bytes()) == b"@x\nACGT\n+\n????\n>y\nAC\n"
    assert [record.file_name for record in records] == ["one.bam", "two.fa"]


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([], "a BAM file without reads; give the file of full-length"),
        ([("x", 0, "ACG", None, "3M2H")], "read 'x' is hard-clipped; give the BAM of the reads from before"),
        ([("x", UNALIGNED, None, None, None)], "read 'x' has no sequence"),
    ],
)
def test_bam_files_that_hold_no_whole_reads(tmp_path, records, message):
    path = write_bam(tmp_path / "a.bam", records, ["c"])
    with pytest.raises(PhytoScribeError, match=rf"a\.bam: {message}"):
        list(checked_reads(path))


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.99, -28])
def test_a_cut_bam_is_never_taken_for_a_whole_one(tmp_path, kept):
    reads = [(f"m/{number}/ccs", UNALIGNED, "ACGTTGCA" * (number % 50 + 1), None, None) for number in range(3000)]
    whole = write_bam(tmp_path / "whole.bam", reads).read_bytes()
    (tmp_path / "cut.bam").write_bytes(whole[: kept if kept < 0 else int(kept * len(whole))])
    with pytest.raises(PhytoScribeError, match=r"cut\.bam: truncated or damaged BAM file"):
        list(checked_reads(tmp_path / "cut.bam"))


def fastq(*names, base="A"):
    return "".join(f"@{name}\n{base * 30}\n+\n{'I' * 30}\n" for name in names).encode()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["a/1", "b/1"], ["a/2", "b/2"]),
        (["a 1:N:0:X", "b 1:N:0:X"], ["a 2:N:0:X", "b 2:N:0:X"]),
        (["SRR1.1 1 length=30", "SRR1.2 2 length=30"], ["SRR1.1 1 length=30", "SRR1.2 2 length=30"]),
        (["SRR1.1.1 1", "SRR1.2.1 2"], ["SRR1.1.2 1", "SRR1.2.2 2"]),
    ],
)
def test_mates_are_known_by_the_names_that_programs_give_them(tmp_path, first, second):
    (tmp_path / "1.fq.gz").write_bytes(gzip.compress(fastq(*first)))
    (tmp_path / "2.fq").write_bytes(fastq(*second, base="C"))
    assert check_rnaseq(tmp_path / "1.fq.gz", tmp_path / "2.fq") == 2
    assert check_rnaseq(tmp_path / "2.fq") == 2


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (fastq("a/2", "c/2"), r"1\.fq and .*2\.fq: their reads 2 are 'b/1' and 'c/2', no pair"),
        (fastq("a/2"), r"1\.fq: has more reads than .*2\.fq, which has 1; give both files of one sample"),
        (fastq("a/2", "b/2", "c/2"), r"2\.fq: has more reads than .*1\.fq, which has 2"),
        (fastq("a/1", "b/1", base="C"), "their reads 1 are 'a/1' and 'a/1', no pair"),
        (fastq("a/2", "b/2"), r"2\.fq: holds the same reads as .*1\.fq; give the file of the mates"),
        (gzip.compress(fastq("a/2", "b/2", base="C"))[:-9], r"2\.fq: truncated or corrupt gzip file"),
        (fastq("a/2", "b/2")[:-10], r"2\.fq, line 6: 30 bases, but 21 qualities"),
        (bz2.compress(fastq("a/2")), r"2\.fq: packed with bzip2 or xz; RNA-seq reads must be plain or gzip"),
        (gzip.compress(b"BAM\1"), r"2\.fq: a BAM file; convert it: samtools fastq -1"),
        (b"", r"2\.fq: holds no reads"),
        (gzip.compress(b""), r"2\.fq: holds no reads"),
    ],
)
def test_files_that_are_no_pair(tmp_path, second, message):
    (tmp_path / "1.fq").write_bytes(fastq("a/1", "b/1"))
    (tmp_path / "2.fq").write_bytes(second)
    with pytest.raises(PhytoScribeError, match=message):
        check_rnaseq(tmp_path / "1.fq", tmp_path / "2.fq")


def test_one_file_is_no_pair_by_whatever_name(tmp_path):
    (tmp_path / "1.fq").write_bytes(fastq("a", "b"))
    (tmp_path / "2.fq").symlink_to(tmp_path / "1.fq")
    with pytest.raises(PhytoScribeError, match=r"1\.fq: is given as first and as second file of pairs"):
        check_rnaseq(tmp_path / "1.fq", tmp_path / "2.fq")
    with pytest.raises(PhytoScribeError, match=r"3\.fq: cannot be read \(No such file or directory\)"):
        check_rnaseq(tmp_path / "1.fq", tmp_path / "3.fq")
