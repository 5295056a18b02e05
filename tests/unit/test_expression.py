"""Bases under transcript reads, from a BAM written here."""

import pysam

from phytoscribe.evaluation.expression import covered_by_reads


def record(name, start, cigar, flag=0, quality=60):
    found = pysam.AlignedSegment()
    found.query_name, found.flag, found.reference_id, found.reference_start = name, flag, 0, start
    found.mapping_quality, found.cigarstring = quality, cigar
    found.query_sequence = "A" * found.infer_query_length()
    return found


def test_blocks_of_unique_primary_alignments_by_strand(tmp_path):
    bam = tmp_path / "reads.bam"
    header = {"HD": {"VN": "1.6"}, "SQ": [{"SN": "c", "LN": 1000}, {"SN": "d", "LN": 1000}]}
    with pysam.AlignmentFile(str(bam), "wb", header=header) as handle:
        handle.write(record("a", 100, "10M20N10M"))
        handle.write(record("b", 105, "10M"))
        handle.write(record("twice", 300, "10M", quality=0))
        handle.write(record("secondary", 400, "10M", flag=256))
        handle.write(record("reverse", 500, "10M", flag=16))
    assert covered_by_reads(bam, {"c"}) == {("c", "+"): [(100, 115), (130, 140)], ("c", "-"): [(500, 510)]}
    assert covered_by_reads(bam, {"d"}) == {}
