"""Iso-Seq: introns out of alignments, chains, and real reads on the Chr5 test contig."""

import gzip
from itertools import islice, pairwise
from pathlib import Path

import pysam
import pytest

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.errors import PhytoScribeError, ToolError
from phytoscribe.evaluation.augustus import read_augustus
from phytoscribe.evaluation.isoseq import score_isoseq
from phytoscribe.evaluation.read_alignment import (
    ReadAlignment,
    ReadEvidence,
    align_reads,
    blocks_and_introns,
    read_alignments,
)
from phytoscribe.genome.fasta import check_fasta, write_index

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "resources/example/athaliana"
CONTIG = "Chr5_25975502_26975502"
READS = 2000
CHAIN = ((10, 20), (30, 40), (50, 60), (80, 90))


def read(blocks, strand="+", name="r"):
    introns = tuple((left[1], right[0]) for left, right in pairwise(blocks))
    return ReadAlignment(name, "c", strand, blocks, introns)


def gene(name, cds, exons=None, strand="+"):
    return GeneModel(name, "c", strand, (Transcript(f"{name}.1", exons or cds, cds),))


def test_cigar_with_every_operation():
    # 5S 10M 2D 3M 100N 4I 6= 1X 50N 8M 3H
    cigar = [(4, 5), (0, 10), (2, 2), (0, 3), (3, 100), (1, 4), (7, 6), (8, 1), (3, 50), (0, 8), (5, 3)]
    assert blocks_and_introns(1000, cigar) == (((1000, 1015), (1115, 1122), (1172, 1180)), ((1015, 1115), (1122, 1172)))


def test_chain_equal_contained_or_neither():
    evidence = ReadEvidence([read(CHAIN)])
    whole = ((20, 30), (40, 50), (60, 80))
    assert evidence.has_chain("c", "+", whole)
    assert evidence.contains_chain("c", "+", whole[1:])
    assert not evidence.has_chain("c", "+", whole[1:])
    assert not evidence.contains_chain("c", "+", (whole[0], whole[2])), "a skipped intron is another chain"
    assert not evidence.contains_chain("c", "-", whole)
    assert not evidence.contains_chain("c", "+", ((20, 31),))


def test_coverage_needs_aligned_bases_and_spanning_needs_one_read():
    evidence = ReadEvidence([read(CHAIN), read(((100, 150),)), read(((150, 200),))])
    assert evidence.covers("c", "+", ((39, 45),))
    assert not evidence.covers("c", "+", ((42, 48),)), "inside an intron of the read"
    assert evidence.spans("c", "+", (42, 48))
    assert not evidence.spans("c", "+", (140, 160)), "two reads that only touch"
    assert not evidence.spans("c", "+", (10, 20)), "no base before the intron"


def test_scores_of_a_literal_case():
    right = gene("right", CHAIN[1:3])
    wrong = gene("wrong", ((10, 22), (30, 40)))
    silent = gene("silent", ((500, 510), (520, 530)))
    evidence = ReadEvidence([read(CHAIN), read(CHAIN[:2], name="r2")])
    table = score_isoseq({"p": [right, wrong, silent]}, evidence, ["c"], [right, silent])
    value = table.set_index(["level", "ruler", "subset", "metric"])[["value", "n"]]
    assert tuple(value.loc["transcript", "cds_chain", "all", "supported"]) == (pytest.approx(1 / 3), 3)
    assert tuple(value.loc["transcript", "cds_chain", "expressed", "supported"]) == (0.5, 2)
    assert tuple(value.loc["intron", "cds_chain", "all", "precision"]) == (0.5, 2)
    assert tuple(value.loc["intron", "cds_chain", "all", "recall"]) == (0, 1), "one intron has two reads"
    assert tuple(value.loc["locus", "exact", "expressed", "recall"]) == (1, 1)


@pytest.fixture(scope="module")
def alignment(tmp_path_factory):
    """The example's first reads aligned to its whole genome."""
    folder = tmp_path_factory.mktemp("isoseq")
    check_fasta(EXAMPLE / "genome.fa.gz", folder / "g.fa")
    write_index(folder / "g.fa", folder / "g.fa.fai")
    with gzip.open(EXAMPLE / "isoseq_chr5tail.fastq.gz", "rt") as source, gzip.open(folder / "r.fastq.gz", "wt") as out:
        out.writelines(islice(source, 4 * READS))
    align_reads(folder / "r.fastq.gz", folder / "g.fa", folder / "r.bam", folder / "r.bam.bai", threads=2)
    return folder / "r.bam"


def test_real_reads_fall_on_annotated_introns(alignment):
    with pysam.AlignmentFile(str(alignment)) as handle:
        assert handle.has_index()
    evidence = ReadEvidence(read_alignments(alignment, {CONTIG}))
    assert 0.95 * READS < evidence.reads <= READS
    annotated = {
        (g.contig, g.strand, intron)
        for g in read_gff3(EXAMPLE / "annotation.gff3.gz")
        for t in g.transcripts
        for intron in t.introns
    }
    total = sum(evidence.introns.values())
    assert sum(count for key, count in evidence.introns.items() if key in annotated) > 0.95 * total


def test_real_predictions_have_support(alignment):
    evidence = ReadEvidence(read_alignments(alignment, {CONTIG}))
    reference = read_gff3(EXAMPLE / "annotation.gff3.gz")
    augustus = read_augustus(ROOT / "tests/data/evaluation/augustus_chr5.gff.gz")
    shifted = [g.shifted(1) for g in augustus]
    table = score_isoseq(
        {"augustus": augustus, "shifted": shifted, "reference": reference}, evidence, [CONTIG], reference
    )
    value = table.set_index(["predictor", "level", "ruler", "subset", "metric"])["value"]
    key = ("transcript", "cds_chain", "expressed", "supported")
    assert value[("augustus", *key)] > 0.6
    assert value[("shifted", *key)] == 0
    assert value["reference", "locus", "exact", "expressed", "recall"] == 1


def test_bad_bam_and_missing_program(tmp_path, monkeypatch):
    bad = tmp_path / "bad.bam"
    bad.write_text("no bam\n")
    with pytest.raises(PhytoScribeError, match=r"bad\.bam"):
        list(read_alignments(bad))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolError, match="minimap2 is not on PATH"):
        align_reads(bad, bad, tmp_path / "a.bam", tmp_path / "a.bam.bai", threads=1)
    assert not (tmp_path / "a.bam").exists()
