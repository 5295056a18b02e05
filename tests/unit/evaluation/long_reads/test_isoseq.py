"""Iso-Seq: introns out of alignments, which reads count, collapsing, scores, and real reads on the Chr5 test contig."""

import gzip
from itertools import islice, pairwise
from pathlib import Path

import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.errors import PhytoScribeError, ToolError
from phytoscribe.evaluation.accuracy.augustus import read_augustus
from phytoscribe.evaluation.long_reads.alignments import (
    ReadAlignment,
    ReadFilter,
    ReadLimits,
    align_reads,
    blocks_and_introns,
    index_reads,
)
from phytoscribe.evaluation.long_reads.blast_support import blast_predictors, transcript_sequences
from phytoscribe.evaluation.long_reads.evidence import ReadEvidence
from phytoscribe.evaluation.long_reads.isoseq import score_isoseq
from phytoscribe.evaluation.long_reads.transcript_classes import agreement, transcript_table, with_blast
from phytoscribe.genome.fasta import Genome, check_fasta, write_index

ROOT = Path(__file__).parents[4]
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


def test_reads_are_collapsed_with_their_ends():
    late, early = ((15, 20), *CHAIN[1:]), (*CHAIN[:3], (80, 85))
    evidence = ReadEvidence([read(CHAIN), read(late), read(early), read(CHAIN, "-"), read(CHAIN[:2])])
    chain = evidence.chains["c", "+"][(20, 30), (40, 50), (60, 80)]
    assert (chain.reads, chain.spans) == (3, [(10, 90)])
    assert {key: len(chains) for key, chains in evidence.chains.items()} == {("c", "+"): 2, ("c", "-"): 1}
    assert evidence.introns["c", "+", (20, 30)] == 4


def test_ends_of_different_reads_do_not_make_one_read():
    evidence = ReadEvidence([read(((12, 20), (30, 60))), read(((15, 20), (30, 70)))])
    ((chain, first),) = evidence.holding("c", "+", ((20, 30),))
    assert chain.holds(((12, 20), (30, 60)), first)
    assert chain.holds(((15, 20), (30, 70)), first)
    assert not chain.holds(((12, 20), (30, 70)), first)


def test_an_intron_of_the_read_cuts_the_cds():
    evidence = ReadEvidence([read(CHAIN)])
    ((chain, first),) = evidence.holding("c", "+", ((40, 50),))
    assert chain.holds(((30, 40), (50, 60)), first)
    assert chain.holds(((33, 40), (50, 55)), first)
    assert not chain.holds(((28, 40), (50, 60)), first), "begins in the intron before"
    assert not chain.holds(((30, 40), (50, 61)), first), "ends in the intron after"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_counts_agree_with_reads_looked_at_one_by_one(data):
    intervals = st.tuples(st.integers(0, 60), st.integers(1, 9)).map(lambda pair: (pair[0], pair[0] + pair[1]))

    def apart(found):
        chosen = []
        for start, end in sorted(found):
            if not chosen or start > chosen[-1][1]:
                chosen.append((start, end))
        return tuple(chosen)

    segments = st.lists(intervals, min_size=1, max_size=5).map(apart)
    reads = [read(blocks) for blocks in data.draw(st.lists(segments, min_size=1, max_size=8))]
    wanted = data.draw(segments)
    evidence = ReadEvidence(reads)

    def overlaps(one):
        return any(start < e and s < end for start, end in one.blocks for s, e in wanted)

    assert evidence.count("c", "+", wanted) == sum(map(overlaps, reads))
    assert evidence.covers("c", "+", wanted) == any(map(overlaps, reads))
    start, end = wanted[0]
    over = sum(any(s <= start and end <= e for s, e in one.blocks) for one in reads)
    assert evidence.count_over("c", "+", wanted[0]) == over
    reached = any(one.blocks[0][0] < start and end < one.blocks[-1][1] for one in reads)
    assert evidence.spans("c", "+", wanted[0]) == reached
    assert sum(c.reads for chains in evidence.chains.values() for c in chains.values()) == sum(
        bool(one.introns) for one in reads
    )


def test_reads_of_one_gene_are_one_locus_without_an_annotation():
    reads = [read(CHAIN), read(CHAIN[1:]), read(CHAIN[:2]), read(((200, 210), (220, 230)))]
    assert [sum(chain.reads for _, chain in locus) for locus in ReadEvidence(reads).loci(1)] == [3, 1]
    assert len(ReadEvidence(reads).loci(2)) == 1
    apart = [read(CHAIN[:2]), read(CHAIN[2:])]
    assert len(ReadEvidence(apart).loci(1)) == 2, "nothing joins them"


def test_scores_of_a_literal_case():
    right = gene("right", CHAIN[1:3])
    wrong = gene("wrong", ((10, 22), (30, 40)))
    silent = gene("silent", ((500, 510), (520, 530)))
    evidence = ReadEvidence([read(CHAIN), read(CHAIN[:2], name="r2")])
    table = score_isoseq({"p": [right, wrong, silent]}, evidence, ["c"], [right, silent])
    value = table.set_index(["level", "ruler", "subset", "metric"])[["value", "n"]]
    assert tuple(value.loc["transcript", "cds_chain", "all", "supported"]) == (pytest.approx(1 / 3), 3)
    assert tuple(value.loc["transcript", "cds_chain", "expressed", "supported"]) == (0.5, 2)
    assert tuple(value.loc["transcript", "cds_chain", "expressed", "incomplete_match"]) == (0.5, 2)
    assert tuple(value.loc["transcript", "cds_chain", "expressed", "novel_not_in_catalogue"]) == (0.5, 2)
    assert tuple(value.loc["transcript", "cds_chain", "all", "intergenic"]) == (pytest.approx(1 / 3), 3)
    assert tuple(value.loc["intron", "cds_chain", "all", "precision"]) == (0.5, 2)
    assert tuple(value.loc["intron", "cds_chain", "all", "recall"]) == (0, 1), "one intron has two reads"
    assert tuple(value.loc["locus", "exact", "expressed", "recall"]) == (1, 1)
    assert tuple(value.loc["read_locus", "cds_chain", "all", "supported"]) == (1, 1)
    assert value.loc["read_chain", "exon_chain", "all", "equal"]["n"] == 0, "no chain has two reads"


def test_a_rare_isoform_costs_the_transcripts_but_not_the_gene():
    cds, rare = CHAIN, (CHAIN[0], CHAIN[3])
    both = GeneModel("g", "c", "+", (Transcript("g.1", rare, rare), Transcript("g.2", cds, cds)))
    table = score_isoseq({"both": [both], "one": [gene("h", cds)]}, ReadEvidence([read(CHAIN)] * 2), ["c"])
    value = table.set_index(["predictor", "level", "ruler", "subset", "metric"])["value"]
    for predictor, transcripts, introns in (("both", 0.5, 3 / 4), ("one", 1, 1)):
        assert value[predictor, "transcript", "cds_chain", "expressed", "supported"] == transcripts
        assert value[predictor, "intron", "cds_chain", "all", "precision"] == introns
        assert value[predictor, "intron", "cds_chain", "best_isoform", "precision"] == 1
        assert value[predictor, "gene", "cds_chain", "expressed", "supported"] == 1
        assert value[predictor, "read_chain", "exon_chain", "all", "equal"] == 1


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    folder = tmp_path_factory.mktemp("isoseq")
    check_fasta(EXAMPLE / "genome.fa.gz", folder / "g.fa")
    write_index(folder / "g.fa", folder / "g.fa.fai")
    return folder / "g.fa"


@pytest.fixture(scope="module")
def alignment(genome):
    """The example's first reads aligned to its whole genome."""
    folder = genome.parent
    with gzip.open(EXAMPLE / "isoseq_chr5tail.fastq.gz", "rt") as source, gzip.open(folder / "r.fastq.gz", "wt") as out:
        out.writelines(islice(source, 4 * READS))
    align_reads(folder / "r.fastq.gz", genome, folder / "r.bam", folder / "r.bam.csi", threads=2)
    return folder / "r.bam"


def test_reads_are_found_on_a_chromosome_as_long_as_those_of_wheat(tmp_path):
    place = 700_000_000
    header = pysam.AlignmentHeader.from_dict({"HD": {"SO": "coordinate"}, "SQ": [{"SN": "chr3B", "LN": 830_829_764}]})
    with pysam.AlignmentFile(str(tmp_path / "r.bam"), "wb", header=header) as bam:
        bam.write(pysam.AlignedSegment.fromstring(f"r1\t0\tchr3B\t{place + 1}\t60\t4M\t*\t0\t0\tACGT\t*", header))
    index_reads(tmp_path / "r.bam", tmp_path / "r.bam.csi")
    with pysam.AlignmentFile(str(tmp_path / "r.bam")) as bam:
        assert [read.query_name for read in bam.fetch("chr3B", place, place + 1)] == ["r1"]
        assert not list(bam.fetch("chr3B", 0, place))


def test_real_reads_fall_on_annotated_introns(alignment):
    with pysam.AlignmentFile(str(alignment)) as handle:
        assert handle.has_index()
    lenient = ReadFilter(alignment, {CONTIG}, ReadLimits(0, 0))
    assert 0.95 * READS < ReadEvidence(lenient).reads <= READS
    strict = ReadFilter(alignment, {CONTIG})
    evidence = ReadEvidence(strict)
    annotated = {
        (g.contig, g.strand, intron)
        for g in read_gff3(EXAMPLE / "annotation.gff3.gz")
        for t in g.transcripts
        for intron in t.introns
    }
    total = sum(evidence.introns.values())
    assert sum(count for key, count in evidence.introns.items() if key in annotated) > 0.97 * total
    counts = strict.counts
    assert counts.total() == lenient.counts.total() == READS, "each read is counted once"
    assert counts["used"] == evidence.reads
    assert counts["low_coverage"]
    assert counts["low_identity"]
    assert counts.table()["share"].sum() == pytest.approx(1)


def test_real_predictions_have_support(alignment):
    evidence = ReadEvidence(ReadFilter(alignment, {CONTIG}))
    reference = read_gff3(EXAMPLE / "annotation.gff3.gz")
    augustus = read_augustus(ROOT / "tests/data/evaluation/augustus_chr5.gff.gz")
    shifted = [g.shifted(1) for g in augustus]
    table = score_isoseq(
        {"augustus": augustus, "shifted": shifted, "reference": reference}, evidence, [CONTIG], reference
    )
    value = table.set_index(["predictor", "level", "ruler", "subset", "metric"])["value"]
    assert value["augustus", "transcript", "cds_chain", "expressed", "supported"] > 0.6
    assert value["shifted", "transcript", "cds_chain", "expressed", "supported"] == 0
    assert value["reference", "locus", "exact", "expressed", "recall"] == 1
    for fair in (
        ("gene", "cds_chain", "expressed", "supported"),
        ("read_locus", "cds_chain", "all", "supported"),
        ("read_chain", "exon_chain", "all", "explained"),
        ("intron", "cds_chain", "all", "recall"),
    ):
        assert value["reference", *fair] > value["augustus", *fair] > value["shifted", *fair], fair


def test_blast_finds_every_cds_that_an_aligned_read_holds(alignment, genome):
    evidence = ReadEvidence(ReadFilter(alignment, {CONTIG}))
    augustus = read_augustus(ROOT / "tests/data/evaluation/augustus_chr5.gff.gz")
    with Genome(genome) as bases:
        sequences = {"augustus": transcript_sequences(augustus, bases)}
    scores, hits = blast_predictors({"augustus": augustus}, sequences, alignment, evidence, [CONTIG], threads=2)
    joined = with_blast(transcript_table({"augustus": augustus}, evidence, [CONTIG]), hits)
    table = agreement(joined).set_index(["criterion", "subset"])
    assert table.loc[("whole_cds", "all"), "minimap2_only"] == 0
    assert table.loc[("whole_cds", "all"), "both"] > 30
    assert table.loc[("chain", "all"), "kappa"] > 0.6
    value = scores.set_index(["ruler", "level", "subset", "metric"])["value"]
    # AUGUSTUS has no UTRs: its transcripts are its coding sequences, and few reads are covered by them.
    tier = "identity_0.95_coverage_0.95"
    assert value["blast", "transcript", "all", tier] == value["blast_cds", "transcript", "all", tier]
    assert value["blast", "read", "all", tier] < 0.1 < value["blast_cds", "read", "all", tier]


def write_bam(path, records):
    """Records (name, flag, contig or -1, mapping quality, CIGAR, read length, NM or None) as a BAM file."""
    header = {"HD": {"VN": "1.6"}, "SQ": [{"SN": "c", "LN": 10_000}, {"SN": "d", "LN": 10_000}]}
    with pysam.AlignmentFile(str(path), "wb", header=header) as out:
        for name, flag, contig, quality, cigar, length, edits in records:
            record = pysam.AlignedSegment(out.header)
            record.query_name, record.flag, record.reference_id = name, flag, contig
            record.query_sequence = "A" * length
            if contig >= 0:
                record.reference_start, record.mapping_quality, record.cigarstring = 100, quality, cigar
            if edits is not None:
                record.set_tag("NM", edits)
            out.write(record)


def test_each_read_is_counted_at_the_first_test_it_fails(tmp_path):
    write_bam(
        tmp_path / "r.bam",
        [
            ("good", 0, 0, 60, "10S50M100N40M", 100, 2),
            ("good", 2048, 0, 60, "60H40M", 40, 0),
            ("good", 256, 0, 0, "100M", 100, 0),
            ("unaligned", 4, -1, 0, None, 50, None),
            ("elsewhere", 0, 1, 0, "100M", 100, 0),
            ("unsure", 0, 0, 0, "50S50M", 100, 0),
            ("short", 0, 0, 60, "11S89M", 100, 50),
            ("hard", 0, 0, 60, "11H89M", 89, 0),
            ("poor", 0, 0, 60, "45M5D50M5I", 100, 11),  # 105 columns, 94 matches
            ("fair", 0, 0, 60, "100M", 100, 5),
        ],
    )
    reads = ReadFilter(tmp_path / "r.bam", {"c"})
    assert [found.name for found in reads] == ["good", "fair"]
    assert reads.counts == {
        "unaligned": 1,
        "other_contig": 1,
        "low_mapping_quality": 1,
        "low_coverage": 2,
        "low_identity": 1,
        "used": 2,
    }
    loose = ReadLimits.of({"min_coverage": 0.5, "min_identity": 0.4, "min_mapping_quality": 0})
    assert len(list(ReadFilter(tmp_path / "r.bam", None, loose))) == 7


def test_a_record_without_edit_distance_is_no_evidence(tmp_path):
    write_bam(tmp_path / "r.bam", [("x", 0, 0, 60, "100M", 100, None)])
    with pytest.raises(PhytoScribeError, match=r"r\.bam: read 'x' has no tag NM"):
        list(ReadFilter(tmp_path / "r.bam"))


def test_bad_bam_and_missing_program(tmp_path, monkeypatch):
    bad = tmp_path / "bad.bam"
    bad.write_text("no bam\n")
    with pytest.raises(PhytoScribeError, match=r"bad\.bam"):
        list(ReadFilter(bad))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolError, match="minimap2 is not on PATH"):
        align_reads(bad, bad, tmp_path / "a.bam", tmp_path / "a.bam.csi", threads=1)
    assert not (tmp_path / "a.bam").exists()
