"""The whole workflow on 290 kb of real sequence: every stage, its files, and that a second run has nothing to do."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys

import pandas as pd
import pytest
from safetensors import safe_open
from tiny_workflow import OTHER, ROOT, TEST, jobs_of, start, tiny_config, write_config

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.genome.fasta import read_index
from phytoscribe.tokenizer.segments import Segmenter

ENDINGS = ("gff3", "gtf", "proteins.faa", "cds.fna", "transcripts.fna", "stats.json")


def test_every_target_is_there(finished):
    expected = [f"predictions/{genome}.{ending}" for genome in ("tiny", "other") for ending in ENDINGS]
    expected += [f"evaluation/tiny.{kind}.tsv" for kind in ("genes", "isoseq", "blast")]
    expected += [f"evaluation/tiny.isoseq_{kind}.tsv" for kind in ("reads", "transcripts", "agreement")]
    expected += [f"evaluation/{genome}.plausibility.tsv" for genome in ("tiny", "other")]
    tracks = ["coding_plus.bw", "acceptor_minus.bw", "genes.gff3.gz", "genes.gff3.gz.tbi", "igv_session.xml"]
    expected += [f"tracks/{genome}/{file}" for genome in ("tiny", "other") for file in [*tracks, "jbrowse/config.json"]]
    expected += [f"tracks/tiny/{file}" for file in ("reference.gff3.gz", "augustus.gff3.gz", "reads.bam.csi")]
    expected += ["splits/leakage.tsv", "models/structure/load_report.json", "report/report.html"]
    expected += ["clean/tiny.check.svg", "clean/tiny.check.json", "../resources/genomes/manifest.tsv"]
    for name in expected:
        file = finished / "results" / name
        assert file.is_file(), name
        assert file.stat().st_size or name.endswith((".faa", ".fna")), f"{name} is empty"


def test_browsers_find_every_file_that_they_are_told_of(finished):
    for genome in ("tiny", "other"):
        folder = finished / "results/tracks" / genome
        named = set(re.findall(r'"uri": "\.\./([^"]+)"', (folder / "jbrowse/config.json").read_text()))
        named |= set(re.findall(r'<Resource path="([^"]+)"', (folder / "igv_session.xml").read_text()))
        assert len(named) >= 17
        assert named == {path.name for path in folder.iterdir() if path.is_file()} - {"igv_session.xml"}


def test_second_run_has_nothing_to_do(finished):
    done = start(finished, "all", "-n")
    assert "Nothing to be done" in done.stdout, done.stdout[-3000:]


def test_touched_modules_rerun_nothing(finished):
    for file in (finished / "workflow/scripts/phytoscribe").rglob("*.py"):
        file.touch()
    assert "Nothing to be done" in start(finished, "all", "-n").stdout


def test_edited_module_reruns_what_depends_on_it(finished):
    module = finished / "workflow/scripts/phytoscribe/reporting/page.py"
    before = module.read_text()
    try:
        module.write_text(before + "\n# edited\n")
        done = start(finished, "all", "-n")
    finally:
        module.write_text(before)
    assert "Writing the report" in done.stdout
    assert "Training" not in done.stdout


def test_added_genome_reruns_no_training(finished, tmp_path):
    shutil.copy(finished / "data/other.fa", tmp_path / "third.fa")
    config = tiny_config()
    config["genomes"].append({"name": "third", "role": "predict", "genome": {"path": str(tmp_path / "third.fa")}})
    try:
        write_config(finished, config)
        done = start(finished, "results/predictions/third.gff3", "-n")
        everything = start(finished, "all", "-n")
    finally:
        write_config(finished, tiny_config())
    table = done.stdout.split("Job stats:")[1].split("total")[0]
    rules = {line.split()[0] for line in table.splitlines()[3:] if line.strip()}
    assert rules == {"download_genome", "index_genome", "predict_shard", "merge_predictions"}
    for word in ("Pretraining", "Training", "Dividing", "Grouping", "tokenizer"):
        assert word not in everything.stdout.replace("tokenizer.json", "").replace("tokenizer_config.json", "")


def test_corrected_descriptions_fetch_and_train_nothing(finished):
    config = tiny_config()
    config["genomes"][0]["terms"] = "ask the author"
    config["genomes"][0]["genome"]["version"] = config["genomes"][0]["annotation"]["assembly"] = "TAIR10"
    config["download"] = {"attempts": 2}
    try:
        write_config(finished, config)
        done = start(finished, "all", "-n")
    finally:
        write_config(finished, tiny_config())
    assert set(jobs_of(done.stdout)) == {"write_manifest", "report", "all"}


def test_manifest_lists_what_was_taken_in(finished):
    table = pd.read_csv(finished / "resources/genomes/manifest.tsv", sep="\t")
    assert list(table["genome"]) == ["tiny", "tiny", "tiny", "other"]
    assert list(table["source"][[0, 1, 3]]) == ["data/tiny.fa", "data/tiny.gff3", "data/other.fa"]
    digest = hashlib.sha256((finished / "data/other.fa").read_bytes()).hexdigest()
    assert table["sha256"][3] == digest


@pytest.mark.parametrize(
    ("changes", "rerun"),
    [
        ({"batch_size": 3}, set()),
        ({"window": 8192}, {"predict_shard", "merge_predictions"}),
        ({"device": "cpu"}, {"predict_shard", "merge_predictions"}),
    ],
)
def test_prediction_settings_never_retrain(finished, changes, rerun):
    config = tiny_config()
    config["predict"].update(changes)
    try:
        write_config(finished, config)
        done = start(finished, "results/predictions/tiny.gff3", "-n")
    finally:
        write_config(finished, tiny_config())
    assert done.returncode == 0, done.stdout
    assert set(jobs_of(done.stdout) if rerun else ()) == rerun
    assert ("Nothing to be done" in done.stdout) is not bool(rerun), done.stdout[-3000:]


@pytest.mark.parametrize(("genome", "contigs"), [("tiny", [TEST[0]]), ("other", [OTHER[0], "short", "gap"])])
def test_prediction_is_valid(finished, genome, contigs):
    path = finished / f"results/predictions/{genome}.gff3"
    subprocess.run(["gt", "gff3validator", str(path)], check=True, capture_output=True)
    lengths = read_index(finished / f"resources/genomes/{genome}/{genome}.fa.fai")
    genes = read_gff3(path, lengths)
    assert {gene.contig for gene in genes} <= set(contigs) - {"gap"}
    assert [gene.id for gene in genes] == [f"{genome}_g{number:06d}" for number in range(1, len(genes) + 1)]
    stats = json.loads((finished / f"results/predictions/{genome}.stats.json").read_text())
    assert stats["genes"] == len(genes)


def test_training_rules_know_nothing_of_predicted_genomes(finished):
    for name in ("splits/splits.tsv", "splits/clusters.tsv"):
        assert "other" not in (finished / "results" / name).read_text()
    config = json.loads((finished / "results/models/structure/config.json").read_text())
    assert config["species"] == ["tiny"]


def test_scores_have_the_agreed_columns(finished):
    columns = ["predictor", "level", "ruler", "subset", "metric", "value", "n"]
    for kind in ("genes", "isoforms", "isoseq", "blast"):
        table = pd.read_csv(finished / f"results/evaluation/tiny.{kind}.tsv", sep="\t")
        assert list(table.columns) == columns
        assert len(table) > 0
    genes = pd.read_csv(finished / "results/evaluation/tiny.genes.tsv", sep="\t")
    assert set(genes["predictor"]) == {"phytoscribe", "augustus", "longest_isoform"}
    exact = genes[(genes.predictor == "augustus") & (genes.level == "cds_exon") & (genes.metric == "f1")]
    assert exact["value"].max() > 0.5, "AUGUSTUS finds most exons of these contigs"


def test_contig_split_leaks_no_locus(finished):
    table = pd.read_csv(finished / "results/splits/leakage.tsv", sep="\t")
    for check in ("loci_on_two_sides", "bases_on_two_sides", "held_out_bases_in_training"):
        values = table.loc[table["check"] == check, "value"]
        assert len(values) > 0, check
        assert (values == 0).all(), check
    splits = pd.read_csv(finished / "results/splits/splits.tsv", sep="\t")
    assert set(splits[splits.contig == TEST[0]].part) == {"test"}


def test_snakemake_report(finished):
    done = start(finished, "--report", "snakemake.html")
    assert done.returncode == 0, done.stdout[-3000:]
    assert (finished / "snakemake.html").stat().st_size > 100_000


def test_report_has_its_figures_and_what_to_cite(finished):
    report = finished / "results/report"
    for genome in ("tiny", "other"):
        listed = pd.read_csv(report / f"figures/{genome}/figures.tsv", sep="\t")["name"]
        for name in listed:
            for kind in ("svg", "pdf", "tsv"):
                assert (report / f"figures/{genome}/{name}.{kind}").stat().st_size, name
        assert ("f1_by_level" in set(listed)) is (genome == "tiny")
    assert (report / "figures/_workflow/costs_seconds.svg").is_file()
    assert "li2018minimap2" in (report / "citations.bib").read_text()
    assert "Time by rule" in (report / "report.html").read_text()


@pytest.mark.parametrize("stage", ["pretrain", "structure"])
def test_model_and_tokenizer_agree_on_padding_and_vocabulary(finished, stage):
    config = json.loads((finished / f"results/models/{stage}/config.json").read_text())
    segmenter = Segmenter(finished / "results/tokenizer")
    assert config["pad_token_id"] == segmenter.pad_id
    assert config["vocab_size"] == segmenter.vocabulary_size == 256


def test_all_of_the_pretrained_trunk_arrived(finished):
    report = json.loads((finished / "results/models/structure/load_report.json").read_text())
    with safe_open(finished / "results/models/pretrain/model.safetensors", "np") as weights:
        trunk = [name for name in weights.keys() if name.startswith("trunk.")]  # noqa: SIM118
    assert report["part"] == "trunk"
    assert report["loaded"] == len(trunk) > 0
    assert {name.split(".")[0] for name in report["new"]} == {"heads"}


def test_a_carried_folder_trains_the_same_model(finished, tmp_path):
    """The other door to the same training: packed, unpacked, and trained without Snakemake."""
    done = start(finished, "--cores", "2", "--", "results/carried/recipe.json")
    assert done.returncode == 0, done.stdout[-3000:]
    door = [sys.executable, str(ROOT / "tools/train_carried.py"), str(finished / "results/carried")]
    door += ["--out", str(tmp_path / "run"), "--threads", "2"]
    trained = subprocess.run(door, capture_output=True, text=True, check=False)
    assert trained.returncode == 0, trained.stderr[-3000:]
    model, ours = tmp_path / "run/model", finished / "results/models/structure"
    for name in ("metrics.tsv", "model.safetensors", "decoder.json", "config.json", "tokenizer.json", "model.sha256"):
        assert (model / name).read_bytes() == (ours / name).read_bytes(), name
    wrong = subprocess.run([*door, "--set", "stepz=3"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 1
    assert "finetune has no key 'stepz'; it has " in wrong.stderr
    wrong = subprocess.run([*door, "--set", "learning_rate=NaN"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 1
    assert "--set: finetune.learning_rate: this must be a finite number" in wrong.stderr
