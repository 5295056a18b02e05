"""Junctions of aligned reads: which reads count, on which strand, and files of another assembly."""

from __future__ import annotations

from pathlib import Path

import pysam
import pytest

from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.fasta import Genome, check_fasta, write_index
from phytoscribe.genome.spliced_reads import read_spliced_reads, strand_by_motif

#: Introns at 20-60 (GT-AG), 100-140 (CT-AC) and 180-220 (no intron's ends).
TEXT = "A" * 20 + "GT" + "C" * 36 + "AG" + "A" * 40 + "CT" + "C" * 36 + "AC" + "A" * 40 + "C" * 40 + "A" * 30
PLUS, MINUS, NEITHER = ("20M40N20M", 0), ("20M40N20M", 80), ("20M40N20M", 160)


@pytest.fixture(scope="module")
def fasta(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("genome")
    (folder / "source.fa").write_text(f">c\n{TEXT}\n")
    check_fasta(folder / "source.fa", folder / "g.fa")
    write_index(folder / "g.fa", folder / "g.fa.fai")
    return folder / "g.fa"


def write_bam(path: Path, records: list[dict], sequences: dict[str, int] | None = None, order: str = "") -> Path:
    """A sorted BAM file with its index; records have ``cigar``, ``start``, and what differs from a plain, unique
    alignment.  With an ``order`` it is as it was written, and its header says so.
    """
    lengths = sequences or {"c": len(TEXT)}
    first = {"VN": "1.6", **({"SO": order} if order else {})}
    header = {"HD": first, "SQ": [{"SN": name, "LN": size} for name, size in lengths.items()]}
    with pysam.AlignmentFile(str(path), "wb", header=header) as handle:
        for number, record in enumerate(records):
            read = pysam.AlignedSegment()
            read.query_name, read.reference_id = f"r{number}", 0
            read.cigarstring, read.reference_start = record["cigar"], record["start"]
            read.query_sequence = "A" * read.infer_query_length()
            read.mapping_quality, read.flag = record.get("quality", 60), record.get("flag", 0)
            read.tags = record.get("tags", [])
            handle.write(read)
    if not order:
        pysam.sort("-o", str(path), str(path))
        pysam.index(str(path))
    return path


def read(bam: Path, fasta: Path) -> dict:
    with Genome(fasta) as genome:
        return dict(read_spliced_reads(bam, fasta, genome.contigs, strand_by_motif(genome)))


def test_strands_are_those_of_tags_and_else_of_the_motif(fasta, tmp_path):
    def record(place, **more):
        return {"cigar": place[0], "start": place[1], **more}

    tagged = [
        record(PLUS, tags=[("XS", "-")]),  # the aligner knows better than the motif
        record(MINUS, tags=[("ts", "+")], flag=16),
        record(MINUS, tags=[("ts", "-")]),
        record(PLUS, tags=[("ts", "-")], flag=16),
    ]
    plain = [record(NEITHER), record(MINUS), record(PLUS), record(PLUS, flag=16)]
    found = read(write_bam(tmp_path / "reads.bam", [*plain, *tagged]), fasta)
    assert found == {
        ("c", "-", (20, 60)): 1,
        ("c", "-", (100, 140)): 3,
        ("c", "+", (20, 60)): 3,
        ("c", ".", (180, 220)): 1,
    }


@pytest.mark.parametrize(
    "change",
    [
        {"flag": 0x100},
        {"flag": 0x800},
        {"flag": 0x400},
        {"flag": 0x200},
        {"flag": 0x4},
        {"quality": 3},
        {"cigar": "13M33S", "start": 0},
        {"cigar": "7M40N39M", "start": 13},
        {"cigar": "39M40N7M", "start": 0},
    ],
    ids=["secondary", "supplementary", "duplicate", "failed", "unmapped", "two places", "unspliced", "left", "right"],
)
def test_what_does_not_count(fasta, tmp_path, change):
    bam = write_bam(tmp_path / "reads.bam", [{"cigar": PLUS[0], "start": PLUS[1], **change}])
    assert read(bam, fasta) == {}


def test_the_anchor_is_what_aligns_between_two_introns(fasta, tmp_path):
    """Insertions do not count, deletions move what follows."""
    bam = write_bam(tmp_path / "reads.bam", [{"cigar": "10M9I10M40N20M2D18M40N20M", "start": 0}])
    assert read(bam, fasta) == {("c", "+", (20, 60)): 1, ("c", "-", (100, 140)): 1}
    bam = write_bam(tmp_path / "reads.bam", [{"cigar": "20M40N7M9I33N20M", "start": 0}])
    assert read(bam, fasta) == {}


@pytest.mark.parametrize(
    ("sequences", "message"),
    [
        ({"c": len(TEXT) + 1}, f"another assembly: 'c' has {len(TEXT) + 1} bases there and {len(TEXT)} in the FASTA"),
        ({"Chr1": 500}, "other sequences than this genome's: it has Chr1, the FASTA c"),
    ],
)
def test_reads_of_another_assembly_are_refused(fasta, tmp_path, sequences, message):
    with pytest.raises(PhytoScribeError, match=message):
        read(write_bam(tmp_path / "reads.bam", [], sequences), fasta)


def test_a_file_that_is_not_sorted_or_has_no_index_is_refused_with_the_command_that_helps(fasta, tmp_path):
    records = [{"cigar": place[0], "start": place[1]} for place in (MINUS, PLUS)]
    for order in ("unsorted", "queryname"):
        bam = write_bam(tmp_path / "reads.bam", records, order=order)
        new = tmp_path / "reads.sorted.bam"
        with pytest.raises(PhytoScribeError, match=f"not sorted by coordinate .its header says '{order}'") as told:
            read(bam, fasta)
        assert f"`samtools sort -o {new} {bam} && samtools index {new}`" in str(told.value)
    pysam.sort("-o", str(new), str(bam))
    with pytest.raises(PhytoScribeError, match=f"it has no index beside it; run `samtools index {new}`"):
        read(new, fasta)
    pysam.index(str(new))
    found = read(new, fasta)
    assert found == {("c", "+", (20, 60)): 1, ("c", "-", (100, 140)): 1}
    (tmp_path / "reads.sam").write_text(pysam.view("-h", str(new)))
    with pytest.raises(PhytoScribeError, match=r"reads\.sam: it is plain SAM; run `samtools sort -o"):
        read(tmp_path / "reads.sam", fasta)
    cram = tmp_path / "reads.cram"
    pysam.view("-C", "-T", str(fasta), "-o", str(cram), str(new), catch_stdout=False)
    with pytest.raises(PhytoScribeError, match=f"no index beside it; run `samtools index {cram}`"):
        read(cram, fasta)
    pysam.index(str(cram))
    assert read(cram, fasta) == found


def test_a_damaged_file_is_one_message(fasta, tmp_path):
    records = [{"cigar": PLUS[0], "start": PLUS[1]}] * 2000
    whole = write_bam(tmp_path / "reads.bam", records).read_bytes()
    (tmp_path / "cut.bam").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "cut.bam.bai").write_bytes((tmp_path / "reads.bam.bai").read_bytes())
    (tmp_path / "text.bam").write_text("c\t1\t2\n")
    for name in ("cut.bam", "text.bam"):
        with pytest.raises(PhytoScribeError, match=f"{name}: cannot be read as BAM or CRAM"):
            read(tmp_path / name, fasta)
