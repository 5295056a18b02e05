"""BLAST support: choice of the best target, tiers, reciprocal best hits, and real BLAST on engineered sequences."""

import random

import pysam
import pytest

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.errors import PhytoScribeError, ToolError
from phytoscribe.evaluation.long_reads.alignments import ReadFilter, read_sequences
from phytoscribe.evaluation.long_reads.blast_support import (
    BestHit,
    SequenceSet,
    best_hits,
    blast_predictors,
    choose_best,
    support_rows,
    transcript_sequences,
    with_reciprocity,
)
from phytoscribe.evaluation.long_reads.evidence import ReadEvidence
from phytoscribe.genome.fasta import Genome, write_index


def hsp(query, target, identical, length, start, end, bits, target_start=1):
    target_end = target_start + end - start
    return f"{query}\t{target}\t{identical}\t{length}\t{start}\t{end}\t{target_start}\t{target_end}\t{bits}\n"


def test_hsps_of_one_target_are_merged():
    lines = [hsp(0, 0, 48, 50, 1, 50, 90), hsp(0, 0, 20, 20, 41, 60, 40, 41), hsp(0, 0, 30, 30, 71, 100, 50, 61)]
    assert choose_best(lines, [100], [180]) == {"0": BestHit("0", 98 / 100, 90 / 100, 90 / 180)}


def test_highest_sum_of_bits_wins_and_of_equal_ones_the_first():
    lines = [
        hsp(0, 0, 60, 60, 1, 60, 110),
        hsp(0, 1, 50, 50, 1, 50, 90),
        hsp(0, 1, 40, 40, 61, 100, 70),
        hsp(0, 2, 60, 60, 1, 60, 160),
        hsp(1, 2, 60, 60, 1, 60, 10),
    ]
    found = choose_best(lines, [100, 100], [100] * 3)
    assert {query: hit.target for query, hit in found.items()} == {"0": "1", "1": "2"}


def test_tiers_need_identity_and_coverage():
    hits = {"a": BestHit("t", 0.96, 0.995, 1), "b": BestHit("t", 0.995, 0.92, 1, reciprocal=True)}
    names = {"all": [["a"], ["b"], ["c"], ["d"]]}
    rows = {row[4]: (row[5], row[6]) for row in support_rows("p", "transcript", "blast", names, hits)}
    assert rows["hit"] == (0.5, 4)
    assert rows["identity_0.90_coverage_0.90"] == (0.5, 4)
    assert rows["identity_0.95_coverage_0.95"] == (0.25, 4)
    assert rows["identity_0.99_coverage_0.90"] == (0.25, 4)
    assert rows["identity_0.99_coverage_0.99"] == (0, 4)
    assert rows["reciprocal"] == (0.25, 4)
    assert rows["reciprocal_identity_0.90_coverage_0.90"] == (0.25, 4)
    assert rows["reciprocal_identity_0.95_coverage_0.95"] == (0, 4)
    genes = {"all": [["a", "b"], ["c", "d"]]}
    grouped = {row[4]: (row[5], row[6]) for row in support_rows("p", "gene", "blast", genes, hits)}
    assert grouped["identity_0.95_coverage_0.95"] == (0.5, 2)
    assert grouped["identity_0.99_coverage_0.99"] == (0, 2)
    assert grouped["reciprocal"] == (0.5, 2)


def test_reciprocal_means_both_ways():
    hits = {"a": BestHit("r1", 1, 1, 1), "b": BestHit("r1", 1, 1, 1), "c": BestHit("r2", 1, 1, 1)}
    back = {"r1": BestHit("b", 1, 1, 1)}
    assert {name for name, hit in with_reciprocity(hits, back).items() if hit.reciprocal} == {"b"}


def test_real_blast_finds_the_true_origin(tmp_path):
    rng = random.Random(1)
    targets = {f"t|{i}": "".join(rng.choices("ACGT", k=900)) for i in range(4)}
    queries = {"whole": targets["t|1"], "half": targets["t|2"][:450] + "".join(rng.choices("ACGT", k=450))}
    queries["worn"] = "".join(
        "ACGT"["ACGT".index(b) - 1] if i % 100 in (1, 5, 9, 13, 17) else b for i, b in enumerate(targets["t|3"])
    )
    queries["none"] = "".join(rng.choices("ACGT", k=900))
    queries["piece"] = targets["t|0"][300:600]
    queries["turned"] = targets["t|0"][::-1].translate(str.maketrans("ACGT", "TGCA"))
    asked = SequenceSet.write(queries.items(), tmp_path, "q")
    given = SequenceSet.write(targets.items(), tmp_path, "t")
    found = best_hits(asked, given, threads=1)
    assert found["whole"] == BestHit("t|1", 1.0, 1.0, 1.0)
    assert found["half"].target == "t|2"
    assert found["half"].coverage == pytest.approx(0.5, abs=0.02)
    assert found["worn"].target == "t|3"
    assert found["worn"].identity == pytest.approx(0.95, abs=0.01)
    assert (found["piece"].coverage, found["piece"].target_coverage) == (1.0, pytest.approx(1 / 3))
    assert "none" not in found
    assert "turned" not in found, "the reverse complement is another transcript"
    assert best_hits(asked, SequenceSet.write([], tmp_path, "e"), threads=1) == {}
    assert best_hits(SequenceSet.write([], tmp_path, "e"), given, threads=1) == {}


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A contig with one gene of two isoforms with equal CDS, a gene without reads, and three reads of the first."""
    folder = tmp_path_factory.mktemp("scene")
    rng = random.Random(3)
    contig = "".join(rng.choices("ACGT", k=4000))
    (folder / "g.fa").write_text(f">c\n{contig}\n")
    write_index(folder / "g.fa", folder / "g.fa.fai")
    exons = ((500, 900), (1000, 1500))
    cds = ((600, 900), (1000, 1300))
    isoforms = (Transcript("a.1", exons, cds), Transcript("a.2", ((550, 900), (1000, 1400)), cds))
    genes = [
        GeneModel("a", "c", "+", isoforms),
        GeneModel("b", "c", "+", (Transcript("b.1", ((3000, 3600),), ((3000, 3600),)),)),
    ]
    with pysam.AlignmentFile(str(folder / "r.bam"), "wb", header={"SQ": [{"SN": "c", "LN": 4000}]}) as out:
        for name, (start, end) in {"whole": (500, 1500), "late": (700, 1500), "also": (520, 1480)}.items():
            record = pysam.AlignedSegment(out.header)
            record.query_name, record.reference_id, record.reference_start = name, 0, start
            record.query_sequence = contig[start:900] + contig[1000:end]
            record.cigarstring, record.mapping_quality = f"{900 - start}M100N{end - 1000}M", 60
            record.set_tag("NM", 0)
            out.write(record)
    return folder, genes


def scored(scene):
    folder, genes = scene
    with Genome(folder / "g.fa") as genome:
        sequences = {"p": transcript_sequences(genes, genome)}
    evidence = ReadEvidence(ReadFilter(folder / "r.bam"))
    return blast_predictors({"p": genes}, sequences, folder / "r.bam", evidence, ["c"], threads=1)


def test_both_rulers_and_all_levels(scene):
    scores, hits = scored(scene)
    rows = scores.set_index(["ruler", "level", "subset", "metric"])[["value", "n"]].sort_index()
    high = "identity_0.99_coverage_0.99"
    assert tuple(rows.loc["blast", "transcript", "expressed", high]) == (1, 2)
    assert tuple(rows.loc["blast_cds", "transcript", "all", high]) == (pytest.approx(2 / 3), 3)
    assert tuple(rows.loc["blast_cds", "gene", "all", high]) == (0.5, 2)
    assert tuple(rows.loc["blast_cds", "gene", "expressed", "reciprocal_" + high]) == (1, 1)
    assert tuple(rows.loc["blast", "read", "all", high]) == (1, 3), "a transcript covers all three reads"
    assert tuple(rows.loc["blast_cds", "read", "all", high]) == (pytest.approx(2 / 3), 3), "one lacks the start"
    # Both isoforms have the same CDS, so the read that fits it best is the best of both.
    cds = hits[hits["sequence"] == "cds"].set_index("transcript")
    assert cds["reciprocal"].to_dict() == {"a.1": "yes", "a.2": "yes"}
    assert scores.equals(scored(scene)[0])


def test_reads_of_several_files_may_have_one_name(scene, tmp_path):
    folder, _ = scene
    with pysam.AlignmentFile(str(folder / "r.bam")) as given:
        records = list(given)
        with pysam.AlignmentFile(str(tmp_path / "r.bam"), "wb", header=given.header) as out:
            for record in records:
                record.query_name = "transcript/0"
                out.write(record)
    named = dict(read_sequences(tmp_path / "r.bam", {"c"}))
    assert list(named) == ["transcript/0", "transcript/0#2", "transcript/0#3"]
    assert list(named.values()) == [record.query_sequence for record in records]


def test_transcripts_without_a_sequence_are_named(scene):
    folder, genes = scene
    evidence = ReadEvidence(ReadFilter(folder / "r.bam"))
    lacking = {"p": {"blast": {"a.1": "ACGT"}, "blast_cds": {}}}
    with pytest.raises(PhytoScribeError, match=r"p: the FASTA files lack 2 transcripts of the GFF3, first 'a\.2'"):
        blast_predictors({"p": genes}, lacking, folder / "r.bam", evidence, ["c"], threads=1)


def test_a_missing_program_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolError, match=r"makeblastdb is not on PATH.*ncbi-blast"):
        SequenceSet.write([("q", "ACGT")], tmp_path, "q")
