"""Reads out of BAM files: as sequenced, each once, and no half file taken for a whole one."""

import gzip
import logging
from array import array

import pysam
import pytest

from phytoscribe.errors import PhytoScribeError
from phytoscribe.intake.reads import checked_reads, join_reads
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
