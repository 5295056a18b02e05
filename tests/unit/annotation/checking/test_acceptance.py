"""Verdicts on annotations with the usual mistakes, made from the example: a wrong one must never train a model."""

import gzip
from collections import Counter
from pathlib import Path

import pytest

from phytoscribe.annotation import GeneModel, Transcript
from phytoscribe.annotation.checking.acceptance import (
    Thresholds,
    Verdict,
    comments_of,
    judge,
    likely_cause,
    probe,
)
from phytoscribe.annotation.checking.check import CheckLimits, check_annotation
from phytoscribe.annotation.checking.summary import gene_rows, summarise
from phytoscribe.annotation.checking.tables import TranscriptRow, rows_of_cleaning, without_rejected
from phytoscribe.annotation.cleaning.normalise import normalise
from phytoscribe.genome import Genome, decode
from phytoscribe.genome.fasta import write_index

EXAMPLE = Path(__file__).parents[4] / "resources/example/athaliana"
#: Two contigs of the example, for speed.
LONG, SHORT = "Chr4", "Chr5"
COMPLEMENT = str.maketrans("ACGTacgt", "TGCAtgca")


@pytest.fixture(scope="module")
def sequences(arabidopsis_fasta):
    with Genome(arabidopsis_fasta) as genome:
        return {name: decode(genome.bases(name)) for name in (LONG, SHORT)}


@pytest.fixture(scope="module")
def lines():
    """Feature lines of the two contigs, in columns."""
    with gzip.open(EXAMPLE / "annotation.gff3.gz", "rt") as source:
        rows = [line.rstrip("\n").split("\t") for line in source if line[0] != "#"]
    return [row for row in rows if row[0] in (LONG, SHORT)]


@pytest.fixture
def chain(tmp_path, sequences, lines):
    """Clean and check the annotation with a change to its lines or sequences."""

    def run(change=lambda row: row, of_sequence=lambda text: text, thresholds=None):
        fasta, gff = tmp_path / "g.fa", tmp_path / "a.gff3"
        fasta.write_text("".join(f">{name}\n{of_sequence(text)}\n" for name, text in sequences.items()))
        write_index(fasta, f"{fasta}.fai")
        rows = filter(None, (change(list(row)) for row in lines))
        gff.write_text("##gff-version 3\n" + "".join("\t".join(row) + "\n" for row in rows))
        with Genome(fasta) as genome:
            genes, report = normalise(gff, genome.contigs)
            accepted, rows = check_annotation(genes, genome, CheckLimits())
            probed = probe(genes, rows, genome)
        lost = list(rows_of_cleaning(report.rows))
        table = gene_rows(genes, rows, lost)
        summary = summarise([*rows, *lost], table, accepted, CheckLimits(), probed)
        assert report.genes_in == summary["genes"] == len(table)
        return judge("g", summary, thresholds or Thresholds(), ["r.tsv", "g.tsv"]), summary

    return run


def moved(first, last):
    def change(row):
        row[3], row[4] = str(int(row[3]) + first), str(int(row[4]) + last)
        return row

    return change


def test_the_example_as_it_is(chain):
    judgement, summary = chain()
    assert judgement == (Verdict.OK, "")
    assert 0 < summary["share_rejected"] < 0.1


@pytest.mark.parametrize(
    ("first", "last", "cause"),
    [
        (1, 1, "all coordinates are too large by 1"),
        (-1, -1, "all coordinates are too small by 1"),
        (-1, 0, "starts are counted from 0 instead of 1"),
        (0, -1, "ends are too small by 1"),
    ],
)
def test_shifted_coordinates_stop(chain, first, last, cause):
    judgement, summary = chain(moved(first, last))
    assert judgement.verdict is Verdict.STOP
    assert summary["transcripts_accepted"] == 0
    assert f"likely cause: {cause} (" in judgement.text
    counted = f"{summary['coding_transcripts_rejected']} of {summary['coding_transcripts']} coding transcripts (100%)"
    assert counted in judgement.text
    assert "more than check.stop_above (0.5)" in judgement.text
    (reason, count), *_ = Counter(summary["rejected_by_reason"]).most_common(3)
    assert f"({reason}) {count}" in judgement.text
    assert "look at: r.tsv, g.tsv" in judgement.text
    assert "raise check.stop_above in the configuration" in judgement.text


def test_reverse_complemented_sequences_stop(chain):
    judgement, _ = chain(of_sequence=lambda text: text[::-1].translate(COMPLEMENT))
    assert judgement.verdict is Verdict.STOP
    assert "likely cause: the sequences are reverse complements" in judgement.text


def test_wrong_strands_stop(chain):
    def flip(row):
        row[6] = {"+": "-", "-": "+"}[row[6]]
        return row

    judgement, _ = chain(flip)
    assert judgement.verdict is Verdict.STOP
    assert "likely cause: the strands are the wrong way round" in judgement.text


def test_an_annotation_of_other_sequences_stops(chain, lines):
    def other(row):
        return [SHORT, *row[1:]] if row[0] == LONG else None

    judgement, _ = chain(other)
    assert judgement.verdict is Verdict.STOP
    assert "likely cause: the annotation was made on another version of the assembly" in judgement.text


def test_an_assembly_with_a_base_more_at_its_start_stops(chain):
    judgement, _ = chain(of_sequence=lambda text: "A" + text)
    assert judgement.verdict is Verdict.STOP
    assert "all coordinates are too small by 1" in judgement.text


def test_hard_masked_sequences_stop(chain):
    judgement, _ = chain(of_sequence=lambda text: "".join("N" if n % 500 < 60 else c for n, c in enumerate(text)))
    assert judgement.verdict is Verdict.STOP
    assert "likely cause: the genes lie on N" in judgement.text


def test_stop_codons_outside_the_cds(chain):
    """As in GTF, but without stop_codon lines: the last CDS of every transcript lacks three bases."""
    ends = {}

    def shorten(row):
        parent = row[8].partition("Parent=")[2].partition(";")[0]
        if row[2] == "CDS" and ends[parent] == (row[3], row[4]):
            row[3 if row[6] == "-" else 4] = str(int(row[3]) + 3 if row[6] == "-" else int(row[4]) - 3)
        return row

    def find_ends(row):
        parent = row[8].partition("Parent=")[2].partition(";")[0]
        if row[2] == "CDS":
            last = min if row[6] == "-" else max
            key = (int(row[3]), int(row[4]))
            found = ends.get(parent)
            ends[parent] = tuple(map(str, key if found is None else last(key, tuple(map(int, found)))))
        return row

    chain(find_ends)
    judgement, _ = chain(shorten)
    assert judgement.verdict is Verdict.STOP
    assert "likely cause: the stop codons lie outside the CDS" in judgement.text


def test_no_strands_stop(chain):
    def blank(row):
        row[6] = "."
        return row

    judgement, summary = chain(blank)
    assert judgement.verdict is Verdict.STOP
    assert summary["transcripts_accepted"] == 0
    assert "likely cause: the cleaning step could not read genes and transcripts as meant" in judgement.text


def test_broken_phases_are_repaired_and_reject_nothing(chain):
    _, sound = chain()

    def scramble(row):
        row[7] = str((int(row[7]) + 1) % 3) if row[7] != "." else "."
        return row

    judgement, summary = chain(scramble)
    assert judgement.verdict is Verdict.OK
    assert summary == sound


def test_a_few_faults_warn_and_the_limits_decide(chain):
    seen = Counter()

    def some_moved(row):
        seen[row[2] == "gene"] += 1
        return moved(1, 1)(row) if seen[True] % 5 == 0 else row

    judgement, summary = chain(some_moved)
    assert judgement.verdict is Verdict.WARNING
    assert 0.1 < summary["share_rejected"] < 0.4
    assert "more than check.warn_above (0.1)" in judgement.text
    assert "stop_above" not in judgement.text
    share = summary["share_rejected"]
    assert judge("g", summary, Thresholds(share, 1.0)).verdict is Verdict.OK  # above, not at
    assert judge("g", summary, Thresholds(share - 0.01, share)).verdict is Verdict.WARNING
    assert judge("g", summary, Thresholds(share - 0.02, share - 0.01)).verdict is Verdict.STOP


def test_no_coding_transcript_at_all_warns(chain):
    judgement, summary = chain(lambda row: row if row[2] not in ("CDS", "five_prime_UTR", "three_prime_UTR") else None)
    assert summary["share_rejected"] is None or summary["coding_transcripts"] == 0
    assert judgement.verdict is Verdict.WARNING
    assert "not one coding transcript" in judgement.text


def test_a_cause_needs_a_clear_share():
    unclear = {"tried": 10, "intact_if": {"x": 4, "y": 1}}
    assert likely_cause(unclear, {"no_stop": 10}, 0.6).startswith("the annotation was made on another version")
    assert likely_cause(unclear, {"no_stop": 10}, 0.2).startswith("no single one")
    assert likely_cause({"tried": 10, "intact_if": {"x": 5}}, {"no_stop": 10}, 0.2).startswith("x (5 of 10 ")


def test_accepted_genes_keep_their_accepted_transcripts():
    def transcript(name):
        return Transcript(name, ((0, 9),), ((0, 9),))

    def row(name, reason, end=9):
        return TranscriptRow("g", name, "c", 0, end, "+", "rejected", reason, "")

    one, two = transcript("t1"), transcript("t2")
    genes = [GeneModel("g1", "c", "+", (one, two)), GeneModel("g2", "c", "+", (transcript("t3"),))]
    assert without_rejected(genes, []) == genes
    kept = without_rejected(genes, [row("t1", "no_stop"), row("t3", "no_cds"), row("t2", "mixed_strands", 99)])
    # t2 of the cleaning step is another one, of the same id
    assert kept == [GeneModel("g1", "c", "+", (two,))]


def test_comments_before_the_first_feature(tmp_path):
    file = tmp_path / "a.gff3"
    file.write_text("##gff-version 3\n# cleaned by X\n#other\nc\ts\tgene\t1\t9\t.\t+\t.\tID=g\n# late\n")
    assert comments_of(file) == ["cleaned by X", "other"]
