"""The report: complete, offline, the same bytes for the same inputs, and honest about what is not there."""

import json
import re

import pandas as pd
import pytest

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.errors import PhytoScribeError
from phytoscribe.evaluation.exact import score_genes
from phytoscribe.evaluation.isoseq import score_isoseq
from phytoscribe.evaluation.read_alignment import ReadAlignment
from phytoscribe.evaluation.read_evidence import ReadEvidence
from phytoscribe.evaluation.tables import read_scores, write_scores
from phytoscribe.prediction.statistics import PredictionStatistics
from phytoscribe.reporting.blocks import flattened, number, words
from phytoscribe.reporting.inputs import GenomeInfo, read_inputs
from phytoscribe.reporting.page import write_report
from phytoscribe.reporting.terminal import main, score_table

GENOMES = [GenomeInfo("full", "train", "Brassicales"), GenomeInfo("bare", "predict", "Malpighiales")]
CONFIG = {"seed": 1, "split": {"mode": "contig"}, "note": "<script>alert(1)</script>"}


def gene(name, start, length):
    chain = ((start, start + length), (start + 200, start + 260))
    return GeneModel(name, "c", "+", (Transcript(f"{name}.1", chain, chain, score=0.5),), score=0.5)


@pytest.fixture
def files(tmp_path):
    """One genome with everything, and one of which only the prediction is known."""
    reference = [gene("a", 0, 60), gene("b", 1000, 60)]
    predicted = [gene("p", 0, 60), gene("q", 1000, 63)]
    tables = [
        score_genes(reference, genes, subsets={"no_train_homologue": {"a"}}).assign(predictor=name)
        for name, genes in (("phytoscribe", predicted), ("augustus", reference))
    ]
    write_scores(pd.concat(tables), tmp_path / "full.genes.tsv")
    read = ReadAlignment("r", "c", "+", ((0, 60), (200, 260)), ((60, 200),))
    write_scores(score_isoseq({"phytoscribe": predicted}, ReadEvidence([read]), ["c"]), tmp_path / "full.isoseq.tsv")
    header = {"header": {"device": "cpu"}}
    for name, genes in (("full", predicted), ("bare", [])):
        statistics = PredictionStatistics()
        for found in genes:
            statistics.add(found)
        stats = {**header, **statistics.summary({"c": 5000})}
        (tmp_path / f"{name}.stats.json").write_text(json.dumps(stats))
    check = {
        "genes": 3,
        "genes_accepted": 2,
        "transcripts": 3,
        "transcripts_accepted": 2,
        "coding_transcripts": 3,
        "coding_transcripts_rejected": 1,
        "share_rejected": 0.333333,
        "rejected_by_reason": {"no_stop": 1},
        "whole_genes_by_reason": {},
        "likely_cause": {},
    }
    (tmp_path / "full.check.json").write_text(json.dumps(check))
    (tmp_path / "metrics.tsv").write_text(
        "step\tname\tvalue\n0\ttrain_loss\t2\n5\ttrain_loss\t1\n5\tvalidation_base_f1\t0.5\n"
    )
    return {
        "stats": [str(tmp_path / f"{name}.stats.json") for name in ("full", "bare")],
        "genes": [str(tmp_path / "full.genes.tsv")],
        "isoseq": str(tmp_path / "full.isoseq.tsv"),
        "checks": [str(tmp_path / "full.check.json")],
        "structure_metrics": str(tmp_path / "metrics.tsv"),
        "blast": [],
    }


def page(files, path, genomes=GENOMES):
    write_report(read_inputs(files, genomes, CONFIG), path)
    return path.read_text(encoding="utf-8")


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL))


def test_everything_is_in_the_page(files, tmp_path):
    html = page(files, tmp_path / "r.html")
    text = text_of(html)
    assert "Of 2 reference loci 1 have a coding sequence predicted exactly" in text
    assert "locus F1 0.500" in text
    assert "AUGUSTUS on the same contigs: locus F1 1.000" in text
    assert "rejected: no stop codon" in text
    assert "1 of 3 coding transcripts (33%) have a fault, more than check.warn_above (0.1)." in text
    assert "Of 1 predicted CDS chains with Iso-Seq reads, 100% are found in a read as they are." in text
    assert html.count("data:image/svg+xml;base64,") == 4


def test_what_is_missing_is_said(files, tmp_path):
    text = text_of(page(files, tmp_path / "r.html"))
    assert "bare: no held-out reference annotation" in text
    assert "bare: no Iso-Seq reads given." in text
    assert "Without reference annotation: bare." in text
    alone = text_of(page({"stats": files["stats"][1:]}, tmp_path / "alone.html", GENOMES[1:]))
    assert "No gene was found on 1 contig" in alone
    assert "nothing was trained here" in alone


def test_the_page_needs_nothing_beside_it(files, tmp_path):
    html = page(files, tmp_path / "r.html")
    assert not re.search(r"<(script|link|iframe)\b", html)
    sources = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert sources
    assert all(source.startswith(("data:", "#")) for source in sources)
    assert "url(" not in html
    assert "@import" not in html


def test_what_comes_from_data_is_escaped(files, tmp_path):
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page(files, tmp_path / "r.html")


def test_same_inputs_same_bytes(files, tmp_path):
    assert page(files, tmp_path / "1.html") == page(files, tmp_path / "2.html")


def test_a_broken_input_is_named_and_nothing_is_written(files, tmp_path):
    (tmp_path / "full.genes.tsv").write_text("level\tvalue\nlocus\t1\n")
    with pytest.raises(PhytoScribeError, match=r"full\.genes\.tsv"):
        page(files, tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()


def test_terminal_table(files, tmp_path, capsys):
    table = score_table(files["genes"])
    lines = table.splitlines()
    assert lines[0] == "full: exact CDS"
    assert "all genes (2 loci)" in lines[1]
    assert "no train homologue (1 loci)" in lines[1]
    locus = next(line.split() for line in lines if line.startswith("phytoscribe  locus"))
    assert locus == ["phytoscribe", "locus", "0.500", "0.500", "0.500", "1.000", "1.000", "1.000"]
    assert len({len(line) for line in lines[1:]}) == 1
    assert main(files["genes"]) == 0
    assert capsys.readouterr().out == table + "\n"
    assert main([str(tmp_path / "none.genes.tsv")]) == 1
    assert "none.genes.tsv" in capsys.readouterr().err


def test_scores_survive_the_file(tmp_path):
    table = score_genes([gene("a", 0, 60)], []).assign(predictor="p")
    write_scores(table, tmp_path / "s.tsv")
    again = read_scores(tmp_path / "s.tsv")
    precision = again[(again["level"] == "locus") & (again["metric"] == "precision")]["value"].iloc[0]
    assert pd.isna(precision), "a precision without predictions stays undefined"


def test_numbers_and_words():
    assert [number(value) for value in (1234567, 0.123456, 12.5, 3.0, None, float("nan"), True, "x")] == [
        "1,234,567", "0.123", "12.5", "3", "–", "–", "yes", "x",
    ]  # fmt: skip
    assert words("with_five_prime_utr") == "with five prime UTR"
    assert flattened({"a": {"b": [1, 2]}, "c": list(range(50))}) == {"a.b": "1, 2", "c": "50 values"}
