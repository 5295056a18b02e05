"""The criteria beside gt eval on real genes, and the page of benchmarks/ that tells of it."""

import shutil
from pathlib import Path

import pytest

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.evaluation.accuracy.augustus import read_augustus
from phytoscribe.evaluation.accuracy.counts import scorable

ROOT = Path(__file__).parents[3]
BENCHMARKS = ROOT / "benchmarks"
CONTIG = "Chr5_25975502_26975502"


def test_gt_eval_counts_what_the_rulers_count():
    from rulers_agreement import compared, inputs

    reference = scorable(read_gff3(ROOT / "resources/example/athaliana/annotation.gff3.gz"), contigs={CONTIG})
    predicted = scorable(read_augustus(ROOT / "tests/data/evaluation/augustus_chr5.gff.gz"), contigs={CONTIG})
    sides = dict(inputs(reference, predicted))
    assert set(sides) == {"all", "one"}, "AUGUSTUS was told to predict no UTRs"
    for genes, levels in (("one", 4), ("all", 2)):
        rows = list(compared(genes, *sides[genes], gffcompare=None))
        assert [row[-2] for row in rows[: 2 * levels]] == ["yes"] * (2 * levels)


def test_a_difference_without_a_reason_is_an_error():
    from rulers_agreement import row

    ours = {("exact", "base", "recall"): 0.5}
    assert row("gt eval", "one", "nucleotide (CDS level)", "exact", "base", "recall", 0.5004, ours)[-2] == "yes"
    with pytest.raises(SystemExit, match="no reason is known"):
        row("gt eval", "one", "nucleotide (CDS level)", "exact", "base", "recall", 0.6, ours)


def test_the_page_is_what_its_tables_say(tmp_path, monkeypatch):
    import rulers_page

    for file in BENCHMARKS.glob("rulers_*.tsv"):
        shutil.copy(file, tmp_path)
    monkeypatch.setattr(rulers_page, "FOLDER", tmp_path)
    rulers_page.main()
    assert (tmp_path / "rulers.md").read_text() == (BENCHMARKS / "rulers.md").read_text()
