"""The report's page: complete, offline, small, the same bytes for the same inputs, and honest about what is missing."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from gene_scores import score_genes
from report_tables import write_loci, write_predicted, write_rows

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.errors import PhytoScribeError
from phytoscribe.prediction.merge import PredictionStatistics
from phytoscribe.reporting.drawing import KeptFigure, write_drawings
from phytoscribe.reporting.genome_figures import GenomeEvidence, draw_genome
from phytoscribe.reporting.inputs import GenomeInfo, read_inputs
from phytoscribe.reporting.page import write_report
from phytoscribe.reporting.score_figures import f1_by_level
from phytoscribe.reporting.score_tables import main, terminal_table
from phytoscribe.tables import LOCI, PREDICTED_GENES, SCORES, read_table, write_table

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
    predictions = {"phytoscribe": predicted, "augustus": reference}
    scores = [
        score_genes(reference, genes, subsets={"no_train_homologue": {"a"}}).assign(predictor=name)
        for name, genes in predictions.items()
    ]
    near = scores[0][scores[0]["level"] == "locus"].assign(ruler="within_3", value=1.0)
    write_table(pd.concat([*scores, near]), tmp_path / "full.genes.tsv", SCORES)
    write_loci(tmp_path / "full.reference_loci.tsv", reference, predictions)
    write_predicted(tmp_path / "full.predicted_genes.tsv", reference, predictions)
    write_rows(
        tmp_path / "full.isoseq.tsv",
        "predictor level ruler subset metric value n",
        "phytoscribe transcript cds_chain expressed supported 1 1",
        "phytoscribe locus exact expressed recall 0.5 2",
        "reference transcript cds_chain expressed supported 0.9 2",
    )
    write_rows(tmp_path / "full.isoseq_reads.tsv", "reads count share", "low_coverage 3 0.75", "used 1 0.25")
    write_rows(
        tmp_path / "full.isoseq_transcripts.tsv",
        "predictor transcript gene contig strand start end class reads",
        "phytoscribe p.1 p c + 1 260 full_match 4",
        "phytoscribe q.1 q c + 1001 1260 intergenic _",
        "reference a.1 a c + 1 260 full_match 4",
    )
    write_rows(
        tmp_path / "full.isoseq_agreement.tsv",
        "predictor both minimap2_only agreement",
        "phytoscribe 1 0 1.0",
        "reference 12345 0 0.75",
    )
    write_rows(
        tmp_path / "full.plausibility.tsv",
        "group name value unit low high verdict note",
        "genes genes_per_megabase 400 per~Mb 80 320 warning Too~many~genes:~mask~repeats.",
        "splice_sites gt_ag 0.98 share 0.97 _ ok _",
        *(f"lengths intron_length.{name} {value} bp _ _ info _" for name, value in (("mean", 1234.5), ("q05", 73))),
        "genes in_frame_stop 0.5 share _ 0 warning Look~at~them.",
    )
    write_rows(
        tmp_path / "full.noncoding.tsv",
        "type source count bases",
        "tRNA ARAGORN 1245 90000",
        "LTR_retrotransposon RepeatMasker 7 4321",
    )
    (tmp_path / "evaluation").mkdir()
    write_rows(
        tmp_path / "evaluation/full.noncoding.tsv",
        "predictor level ruler subset metric value n",
        *(f"ARAGORN tRNA place all {name} 0.{n} {n}" for name, n in (("precision", 95), ("recall", 98), ("f1", 98))),
        *(f"ARAGORN tRNA product all {name} _ 0" for name in ("precision", "recall", "f1")),
    )
    header = {"header": {"device": "cpu", "read as": "<species:unknown>"}}
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
    evidence = GenomeEvidence(
        name="full", genes=predicted, contigs=["c"], reference=reference, scores=pd.concat(scores),
        loci=read_table(tmp_path / "full.reference_loci.tsv", LOCI),
        predicted=read_table(tmp_path / "full.predicted_genes.tsv", PREDICTED_GENES),
    )  # fmt: skip
    write_drawings(draw_genome(evidence), tmp_path / "figures/full")
    write_drawings([], tmp_path / "figures/bare")
    tables = (
        "predicted_genes",
        "isoseq_reads",
        "isoseq_transcripts",
        "isoseq_agreement",
        "plausibility",
        "noncoding",
        "genes",
        "isoseq",
    )
    return {name: [str(tmp_path / f"full.{name}.tsv")] for name in tables} | {
        "stats": [str(tmp_path / f"{name}.stats.json") for name in ("full", "bare")],
        "figures": [str(tmp_path / "figures" / name) for name in ("full", "bare")],
        "predicted": [str(tmp_path / "predictions/full.gff3")],
        "noncoding_scores": [str(tmp_path / "evaluation/full.noncoding.tsv")],
        "igv": [str(tmp_path / "tracks/full/igv_session.xml")],
        "jbrowse": str(tmp_path / "tracks/full/jbrowse/config.json"),
        "checks": [str(tmp_path / "full.check.json")],
        "structure_metrics": str(tmp_path / "metrics.tsv"),
        "blast": [],
    }


def page(files, path, genomes=GENOMES):
    write_report(read_inputs(files, genomes, CONFIG, path), path)
    return path.read_text(encoding="utf-8")


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL))


def test_summary_says_how_good_against_what_and_what_to_do(files, tmp_path):
    text = text_of(page(files, tmp_path / "r.html"))
    assert "Of 2 reference loci 1 (50%) have a coding sequence predicted exactly" in text
    assert "locus F1 0.500" in text
    assert "AUGUSTUS on the same contigs: locus F1 1.000" in text
    assert "Over the 1 loci without a homologue in training, locus F1 is 1.000" in text
    assert "with Iso-Seq reads, 100% are found in a read as they are (reference annotation: 90%)." in text
    assert "2 warnings genes: genes per megabase: 400 per Mb. Too many genes: mask repeats." in text
    for step in ("Clear up the warnings", "has no species of this name", "AUGUSTUS is better here"):
        assert step in text, step


def test_tables_have_all_criteria_classes_and_checks(files, tmp_path):
    text = text_of(page(files, tmp_path / "r.html"))
    assert "locus, ends within 3 bp" in text
    assert "low coverage 3 0.75" in text
    assert "chain found in a read 1.000 1 0.900 2 expressed loci with an exact CDS 0.500 2 – –" in text
    assert "full match 1 0.500 1 1.000" in text
    assert "reference 12,345 0 0.75" in text
    assert "genes: in frame stop 0.5 up to 0 warning Look at them. splice sites: GT-AG 0.98 from 0.97 ok" in text, (
        "warnings come first"
    )
    assert "mean 5% intron length (bp) 1,234 73" in text
    assert "tRNA ARAGORN 1,245 90,000 LTR_retrotransposon RepeatMasker 7 4,321" in text
    assert "tRNA, place 0.950 0.980 95 98 tRNA, product – – 0 0" in text
    assert "rejected: no stop codon" in text
    assert "1 of 3 coding transcripts (33%) have a fault, more than check.warn_above (0.1)." in text


def test_what_is_missing_is_said(files, tmp_path):
    text = text_of(page(files, tmp_path / "r.html"))
    assert "bare: no held-out reference annotation" in text
    assert "bare: no Iso-Seq reads given." in text
    assert "Without reference annotation: bare." in text
    alone = text_of(page({"stats": files["stats"][1:]}, tmp_path / "alone.html", GENOMES[1:]))
    assert "No gene was found on 1 contig" in alone
    assert "Give a longer sequence" in alone
    assert "nothing was trained here" in alone
    assert "results/benchmarks/ is empty" in alone
    assert "nan" not in re.sub(r"(?i)finance|nano", "", alone)


def test_many_genomes_have_their_reasons_elsewhere(files, tmp_path):
    inputs = read_inputs(files, GENOMES, CONFIG, tmp_path / "r.html")
    where = "results/clean/*.check.json"
    for count, is_elsewhere in ((5, False), (6, True)):
        many = [GenomeInfo(f"g{number}", "test") for number in range(count)]
        write_report(
            replace(inputs, genomes=many, checks={info.name: inputs.checks["full"] for info in many}),
            tmp_path / "many.html",
        )
        text = text_of((tmp_path / "many.html").read_text())
        assert (where in text) is is_elsewhere
        assert ("rejected: no stop codon" in text) is not is_elsewhere


def test_organelles_keep_their_names(files, tmp_path):
    path = Path(files["stats"][0])
    named = {"NC_000932.1": "plastid", "Mt_cds.1": "mitochondrion"}
    path.write_text(json.dumps({**json.loads(path.read_text()), "organelles": named}))
    html = page(files, tmp_path / "r.html")
    assert "contig organelle NC_000932.1 plastid Mt_cds.1 mitochondrion" in text_of(html)
    assert "NC 000932" not in html


def test_without_a_split_no_homologue_is_spoken_of(files, tmp_path):
    path = Path(files["genes"][0])
    scores = pd.read_csv(path, sep="\t")
    write_table(scores[scores["subset"] == "all"], path, SCORES)
    without = page({**files, "figures": []}, tmp_path / "1.html")
    none = scores["subset"] == "no_train_homologue"
    write_table(scores.assign(n=scores["n"].where(~none, 0), value=scores["value"].where(~none)), path, SCORES)
    empty = page({**files, "figures": []}, tmp_path / "2.html")
    for html in (without, empty):
        assert "homologue" not in text_of(html)


class Loading(HTMLParser):
    """Collects what a browser would fetch for a page, and what it only links to."""

    def __init__(self):
        super().__init__()
        self.loaded, self.linked, self.tags, self.without_words = [], [], set(), 0

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.tags.add(tag)
        if tag == "a":
            self.linked.append(found["href"])
        self.loaded += [found[key] for key in ("src", "srcset", "data", "poster", "background") if key in found]
        self.loaded += [found["href"]] if tag != "a" and "href" in found else []
        self.without_words += tag == "img" and not found.get("alt")


def test_the_page_fetches_nothing(files, tmp_path):
    html = page(files, tmp_path / "r.html")
    found = Loading()
    found.feed(html)
    assert found.loaded
    assert all(source.startswith("data:image/svg+xml;base64,") for source in found.loaded)
    assert not found.tags & {"script", "link", "iframe", "object", "embed"}
    assert not found.without_words
    assert "url(" not in html
    assert "@import" not in html
    assert "default-src 'none'" in html
    files_linked = [link for link in found.linked if not link.startswith("#")]
    assert files_linked == [
        "tracks/full/igv_session.xml", "tracks/full/jbrowse/config.json", "predictions/full.gff3", "citations.bib",
    ]  # fmt: skip


def test_every_link_inside_the_page_has_its_target(files, tmp_path):
    html = page(files, tmp_path / "r.html")
    targets = re.findall(r'href="#([^"]*)"', html)
    names = re.findall(r'\bid="([^"]*)"', html)
    assert targets == names
    assert len(set(names)) == len(names)


def test_tables_are_told_to_readers_who_cannot_see_them(files, tmp_path):
    html = page(files, tmp_path / "r.html")
    for table in re.findall(r"<table.*?</table>", html, flags=re.DOTALL):
        assert 'scope="col"' in table
        assert 'scope="row"' in table
        assert not re.search(r"<th(?![^>]*scope)[ >]", table)


def test_what_comes_from_data_is_escaped(files, tmp_path):
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page(files, tmp_path / "r.html")


def test_same_inputs_same_bytes(files, tmp_path):
    assert page(files, tmp_path / "1.html") == page(files, tmp_path / "2.html")


def test_a_hundred_genomes_stay_small_and_say_what_is_left_out(files, tmp_path):
    inputs = read_inputs(files, GENOMES, CONFIG, tmp_path / "r.html")
    uri = "data:image/svg+xml;base64," + "A" * 60_000
    figures = [KeptFigure(f"f{n}", group, f"f{n}", "seen", uri) for n in range(10) for group in ("scores", "atlas")]
    many = [GenomeInfo(f"g{number:03d}", "test", "Poales") for number in range(100)]

    def of_all(values):
        return {info.name: values["full"] for info in many}

    full = replace(
        inputs, genomes=many, figures={info.name: figures for info in many},
        **{name: of_all(getattr(inputs, name)) for name in ("stats", "checks", "genes", "isoseq", "plausibility",
           "predicted", "transcripts", "agreement")},
    )  # fmt: skip
    write_report(full, tmp_path / "many.html")
    html = (tmp_path / "many.html").read_text()
    assert 2_000_000 < len(html.encode()) < 5_000_000
    assert "Left out to keep this page small:" in html
    assert html.count("<details>") == 100
    assert len(re.findall(r"<nav.*?</nav>", html, flags=re.DOTALL)[0]) < 2000
    text = text_of(html)
    assert text.count("2 warnings") == 100
    few = replace(inputs, figures={"full": figures[:4]})
    write_report(few, tmp_path / "few.html")
    assert "Left out" not in (tmp_path / "few.html").read_text()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("genes", "level\tvalue\nlocus\t1\n", "column predictor, ruler, subset, metric, n is missing"),
        ("plausibility", "group\tname\nx\ty\n", "column value, unit, low, high, verdict, note is missing"),
        ("predicted_genes", None, "no table"),
        (
            "isoseq_transcripts",
            "predictor\ttranscript\tgene\tclass\treads\np\tt\tg\tx\tmany\n",
            "line 2: reads is 'many'",
        ),
    ],
)
def test_a_broken_input_is_named_and_nothing_is_written(files, tmp_path, name, content, message):
    path = tmp_path / f"full.{name}.tsv"
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(PhytoScribeError, match=rf"full\.{name}\.tsv.*{message}.*run its rule again"):
        page(files, tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()


def test_terminal_table(files, tmp_path, capsys):
    table = terminal_table(files["genes"])
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


def test_scores_near_loci_are_named_in_terminal_and_report(files, tmp_path):
    table = pd.read_csv(files["genes"][0], sep="\t")
    table["metric"] = table["metric"].replace({name: f"{name}_near_loci" for name in ("precision", "f1", "fp")})
    write_table(table, files["genes"][0], SCORES)
    shown = terminal_table(files["genes"])
    assert shown.count("precision near loci") == shown.count("F1 near loci") == 2
    assert shown.endswith("false genes elsewhere on the contigs are not seen")
    drawing = f1_by_level("full", table)
    assert drawing.title == "F1 near loci by level, exact CDS"
    assert len(drawing.data) > 0
    genes = pd.read_csv(files["predicted_genes"][0], sep="\t").assign(probability=0.95)
    genes.to_csv(files["predicted_genes"][0], sep="\t", index=False)
    text = text_of(page(files, tmp_path / "r.html"))
    assert "near loci are higher than over whole contigs" in text
    assert "genes near scored loci with a score" in text
    assert "locus F1 near loci" in text
    assert "locus F1 0" not in text
