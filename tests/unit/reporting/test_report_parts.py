"""Parts of the report: numbers and words, score files, costs of rules, training curves, what to cite."""

import re
from types import SimpleNamespace

import pandas as pd
import pytest
from gene_scores import score_genes

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.configuration.genomes import Genomes
from phytoscribe.configuration.result_files import of_genomes
from phytoscribe.errors import PhytoScribeError
from phytoscribe.reporting.blocks import flattened, number, words
from phytoscribe.reporting.citations import bibtex, citations_of
from phytoscribe.reporting.genome_section import check_tables
from phytoscribe.reporting.inputs import GenomeInfo, read_inputs
from phytoscribe.reporting.process_figures import costs_figures, read_costs, training_curves
from phytoscribe.reporting.process_sections import decoder_fit_table
from phytoscribe.reporting.score_tables import (
    blast_tables,
    count_table,
    criterion_tables,
    level_table,
    subset_table,
)
from phytoscribe.tables import COLUMNS, SCORES, read_table, write_table

GENE = GeneModel("a", "c", "+", (Transcript("a.1", ((0, 60),), ((0, 60),)),))


def test_scores_survive_the_file(tmp_path):
    table = score_genes([GENE], []).assign(predictor="p")
    write_table(table, tmp_path / "s.tsv", SCORES)
    again = read_table(tmp_path / "s.tsv", SCORES)
    precision = again[(again["level"] == "locus") & (again["metric"] == "precision")]["value"].iloc[0]
    assert pd.isna(precision), "a precision without predictions stays undefined"


def test_numbers_and_words():
    assert [number(value) for value in (1234567, 0.123456, 12.5, 3.0, None, float("nan"), True, "x")] == [
        "1,234,567", "0.123", "12.5", "3", "–", "–", "yes", "x",
    ]  # fmt: skip
    assert words("with_five_prime_utr") == "with five prime UTR"
    assert words("share_gt_ag") == "share GT-AG"
    assert words("gt_ag") == "GT-AG"
    assert words("rejected.at_ac_splice_site") == "rejected: AT-AC splice site"
    assert flattened({"a": {"b": [1, 2]}, "c": list(range(50))}) == {"a.b": "1, 2", "c": "50 values"}


def scores(*rows):
    return pd.DataFrame([(*row[:5], float(row[5]), row[6]) for row in rows], columns=list(COLUMNS))


ROWS = [
    (name, level, ruler, subset, metric, value, 10)
    for name, value in (("augustus", 0.4), ("longest_isoform", 1.0), ("phytoscribe", 0.5))
    for level, ruler, subset in (
        ("locus", "exact", "all"), ("intron_chain", "exact", "all"), ("locus", "within_100", "all"),
        ("locus", "one_isoform", "all"), ("locus", "exact", "cds_exons_5_9"),
    )
    for metric in ("precision", "recall", "f1")
]  # fmt: skip


def test_score_tables_put_predictors_side_by_side_and_what_is_best_in_bold():
    table = level_table(scores(*ROWS), "all", "t")
    assert table.groups == [("", 2), ("PhytoScribe", 3), ("AUGUSTUS", 3), ("longest isoform", 3)]
    assert [row[0] for row in table.rows] == ["locus", "intron chain"]
    assert table.rows[0] == ["locus", "10", *["0.500"] * 3, *["0.400"] * 3, *["1.000"] * 3]
    assert table.strong == {(0, 4), (1, 4)}, "what is made from the reference is no competitor"
    beside = [(*row[:4], f"{row[4]}_near_loci" if row[4] != "recall" else row[4], *row[5:]) for row in ROWS]
    renamed = level_table(scores(*beside), "all", "t")
    assert (renamed.rows, renamed.strong) == (table.rows, table.strong)
    assert renamed.columns[2:5] == ["P near loci", "R", "F1 near loci"]
    assert count_table(scores(*beside)) is None, "scores are no counts"
    near, one = criterion_tables(scores(*ROWS))
    assert [row[0] for row in near.rows] == ["locus, ends within 100 bp"]
    assert (one.caption, len(one.rows)) == ("One isoform a gene on both sides", 1)
    assert [row[0] for row in subset_table(scores(*ROWS)).rows] == ["CDS exons 5–9"]


def test_rows_that_one_predictor_lacks_are_dashes():
    table = level_table(scores(*ROWS[:3], *ROWS[18:19], *ROWS[-15:]), "all", "t")
    chain = next(row for row in table.rows if row[0] == "intron chain")
    assert chain[5:8] == ["–"] * 3


def test_other_metrics_are_counts():
    rows = [
        *ROWS,
        ("phytoscribe", "locus", "exact", "all", "split", 3, 10),
        ("augustus", "locus", "exact", "all", "split", 0, 10),
    ]
    table = count_table(scores(*rows))
    assert table.rows == [["locus: split", "3", "0"]]
    assert count_table(scores(*ROWS)) is None


def test_blast_tiers_of_every_criterion():
    rows = [
        ("phytoscribe", "transcript", ruler, "expressed", metric, 0.5, 4)
        for ruler in ("blast", "blast_cds")
        for metric in ("hit", "identity_0.90_coverage_0.90", "identity_0.90_coverage_0.95", "reciprocal_best")
    ]
    tables = blast_tables(scores(*rows))
    assert [len(table.rows) for table in tables] == [3, 3]
    assert [row[0] for row in tables[0].rows] == ["any hit", "identity and coverage ≥ 0.90", "reciprocal best"]
    assert tables[1].caption == "BLAST: coding sequences with reads, against the reads"


HEAD = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def benchmark(path, seconds, memory="10.5"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{HEAD}{seconds}\t0:00:01\t{memory}\t1\t1\t1\t1\t1\t1\t2.5\n")


def test_costs_are_summed_over_the_jobs_of_this_run(tmp_path):
    benchmark(tmp_path / "predict_shard/oak.000.tsv", 10, "100.5")
    benchmark(tmp_path / "predict_shard/oak.001.tsv", 30, "50")
    benchmark(tmp_path / "predict_shard/gone.000.tsv", 900)
    benchmark(tmp_path / "index_genome/oak.tsv", 0.1, "-")
    benchmark(tmp_path / "build_training_set.tsv", 5)
    benchmark(tmp_path / "report.tsv", 77)
    costs = read_costs(tmp_path, ["oak", "ash"])
    assert list(costs["rule"]) == ["predict_shard", "build_training_set", "index_genome"]
    assert list(costs.iloc[0]) == ["predict_shard", 2, 40.0, 30.0, 5.0, 100.5]
    assert pd.isna(costs["memory_mb"].iloc[2])
    assert [drawing.name for drawing in costs_figures(costs)] == ["costs_seconds", "costs_memory_mb"]
    assert not list(costs_figures(read_costs(tmp_path / "nowhere", ["oak"])))


def test_costs_leave_out_shards_that_there_are_no_longer(tmp_path):
    for shard in range(7):
        benchmark(tmp_path / f"predict_shard/oak.{shard:03d}.tsv", 10)
    assert read_costs(tmp_path, ["oak"], shards=7)["jobs"].item() == 7
    fewer = read_inputs({}, [GenomeInfo("oak", "predict")], {"predict": {"shards": 1}}, benchmarks=tmp_path).costs
    assert list(fewer.iloc[0])[:3] == ["predict_shard", 1, 10.0]


def test_a_file_that_is_no_benchmark_is_named(tmp_path):
    (tmp_path / "build_training_set.tsv").write_text("x\n1\n")
    with pytest.raises(PhytoScribeError, match=r"build_training_set\.tsv: no benchmark"):
        read_costs(tmp_path, [])


def test_curves_share_what_is_one_quantity_and_skip_single_values():
    rows = [(0, "world_size", 1), *((step, "train_loss", 2 - step / 9) for step in range(9)), (8, "validation_loss", 1)]
    rows += [(step, f"validation_{level}_f1", 0.1 * step) for step in (1, 2) for level in ("base", "locus")]
    metrics = pd.DataFrame(rows, columns=["step", "name", "value"])
    drawn = list(training_curves("fine-tuning", metrics))
    assert [drawing.name for drawing in drawn] == ["fine_tuning_loss", "fine_tuning_f1"]
    assert len(drawn[0].data) == 10
    assert "validation loss 1" in drawn[0].seen


def tools(config):
    return {citation.tool for citation in citations_of(config)}


def test_only_what_a_run_uses_is_cited():
    plain = {"genomes": [{"name": "a"}], "predict": {"model": "resources/models/x"}, "clean": {"backend": "agat"}}
    assert not tools(plain) & {"AGAT", "CD-HIT", "minimap2", "BLAST+", "AUGUSTUS", "BUSCO"}
    assert {"PhytoScribe", "Snakemake", "PyTorch", "SAMtools, HTSlib (pysam)", "pyfaidx"} <= tools(plain)
    with_tracks = {**plain, "predict": {**plain["predict"], "tracks": True}}
    assert tools(with_tracks) - tools(plain) == {"pyBigWig", "bigWig"}
    annotated = {**plain, "genomes": [{"annotation": {"path": "a.gff3"}, "augustus": "arabidopsis"}]}
    assert tools(annotated) - tools(plain) == {"AGAT", "AUGUSTUS"}
    with_reads = {**plain, "genomes": [{"isoseq": [{"path": "r.fq"}]}]}
    assert {"minimap2", "BLAST+"} <= tools(with_reads) - tools(plain)
    trained = {**plain, "predict": {"model": "trained"}}
    assert tools(trained) - tools(plain) == {"CD-HIT", "BLAST+"}
    assert "BUSCO" in tools({**plain, "evaluate": {"busco": {"lineage": "lineages/brassicales_odb10"}}})


def test_bibtex_is_whole():
    predict = {"model": "trained", "tracks": True}
    cited = citations_of({"genomes": [{"annotation": {}, "isoseq": [{}]}], "predict": predict})
    text = bibtex(cited)
    keys = re.findall(r"^@\w+\{([\w-]+),$", text, flags=re.MULTILINE)
    assert len(keys) == len(set(keys)) == len(cited)
    assert text.count("{") == text.count("}")
    for citation in cited:
        assert {"author", "title", "year"} <= set(citation.fields)
        assert citation.fields["year"] in citation.text
    minimap2 = next(citation for citation in cited if citation.tool == "minimap2")
    assert minimap2.text == "Li 2018, Bioinformatics 34:3094-3100"


def test_figures_are_drawn_from_what_a_genome_has():
    item = {"role": "test", "genome": {"path": "g.fa"}}
    config = {
        "genomes": [
            {"name": "known", "annotation": {"path": "a.gff3"}, **item},
            {"name": "read", "isoseq": [{"path": "r.fq"}], **item},
        ],
        "predict": {"model": "m"},
        "split": {"mode": "contig"},
    }
    genomes = Genomes(config)
    known, read = SimpleNamespace(genome="known"), SimpleNamespace(genome="read")
    assert of_genomes(genomes.evaluated, "x/{genome}.tsv")(known) == "x/known.tsv"
    assert of_genomes(genomes.evaluated, "x/{genome}.tsv")(read) == []
    assert of_genomes(genomes.with_isoseq, "{genome}.bam")(read) == "read.bam"
    assert of_genomes(genomes.with_isoseq, "{genome}.bam")(known) == []


def test_decoders_of_lineages_are_shown_beside_that_of_any_lineage():
    figures = [{"cds_exon_f1": f1, "locus_f1": f1 / 2, "calibration_error": 0.1, "n": 1} for f1 in (0.5, 0.6)]
    fit = {"genes": 99, "start": figures[0], "fitted": figures[1], "used": figures[1], "held_out": {}}
    own = {"decoder": "fitted", "genes": 70, "fallback": figures[0], "held_out": figures[1]}
    lineages = {"Poales": own, "Fabales": {"decoder": "fallback", "genes": 2}}
    table = decoder_fit_table(fit | {"lineages": lineages, "species": {"zmays": own | {"decoder": "calibrated"}}})
    assert [row[:2] for row in table.rows] == [
        ("any lineage", "before the fit"),
        ("any lineage", "fitted to these regions"),
        ("Poales (fitted)", "that of any lineage, or of its lineage"),
        ("Poales (fitted)", "each half with the fit to the other"),
        ("zmays (calibrated)", "that of any lineage, or of its lineage"),
        ("zmays (calibrated)", "each half with the fit to the other"),
        ("all, each with the decoder of its species", "as it will predict"),
    ]
    assert table.rows[0][2:] == ("0.500", "0.250", "0.100")
    assert len(table.columns) == 5


def test_lengths_are_listed_from_mean_to_largest_also_where_the_median_was_judged():
    columns = ["group", "name", "value", "unit", "low", "high", "verdict", "note"]
    names = ("mean", "q05", "q25", "median", "q75", "q95")
    rows = [
        ("lengths", f"intron_length.{name}", str(10 + place), "bp", "1", "90", "ok" if name == "median" else "info", "")
        for place, name in enumerate(names)
    ]
    judged, lengths = check_tables(pd.DataFrame(rows, columns=columns))
    assert [row[0] for row in judged.rows] == ["lengths: intron length: median"]
    assert lengths.columns == ("", "mean", "5%", "25%", "median", "75%", "95%")
    assert lengths.rows == [["intron length (bp)", "10", "11", "12", "13", "14", "15"]]
