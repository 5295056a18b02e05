"""Which jobs the regulatory head needs, that nothing of it runs without being asked for, and one run of all of them."""

from __future__ import annotations

import re

import pandas as pd
import pyBigWig
import pytest
from planted_sites import HELD_OUT, LENGTHS, PLANTED, plant_sites
from tiny_workflow import ROOT, copy_house, jobs_of, start, write_config

OURS = {
    "take_peaks",
    "read_trunk",
    "train_regulatory",
    "predict_regulatory",
    "join_regulatory",
    "evaluate_regulatory",
    "check_attribution",
    "attribute_sites",
    "discover_motifs",
    "compare_motifs",
    "compare_filters",
}
TARGETS = ["results/regulatory/new.bed", "results/regulatory/new", "results/evaluation/regulatory.tsv"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = copy_house(tmp_path_factory.mktemp("regulatory"))
    (folder / "data").mkdir()
    (folder / "data/cress.fa").write_text(">c1\nACGT\n>c2\nACGT\n>c3\nACGT\n")
    (folder / "data/peaks.bed").write_text("c1\t1\t2\tA\n")
    return folder


def jobs(folder, regulatory, *targets, **more) -> dict[str, int]:
    cress = {"name": "cress", "role": "train", "genome": {"path": "data/cress.fa"}, "peaks": {"path": "data/peaks.bed"}}
    cress["contigs"] = {"validate": ["c2"], "test": ["c3"]}
    new = {"name": "new", "role": "predict", "genome": {"path": "data/cress.fa"}, "peaks": {"A": "data/peaks.bed"}}
    sections = {"clean": {"backend": "builtin"}, "split": {"mode": "contig"}, "regulatory": regulatory}
    model = {"predict": {"model": str(ROOT / "resources/models/brassicales")}}
    if more:
        known = folder / "data/known.meme"
        known.write_text("MEME version 4\n")
        more["attribution"]["motifs"] = str(known)
    write_config(folder, {"genomes": [cress, new], **sections, **model, **more})
    done = start(folder, "-n", *targets)
    assert done.returncode == 0, done.stdout
    return jobs_of(done.stdout)


def test_peaks_train_one_head_with_and_one_without_the_trunk(folder):
    found = jobs(folder, {"model": "trained", "encoder": "frozen"}, *TARGETS)
    # The genome of role predict is read with the trunk and the head; its peaks are read by no job.
    assert {rule: count for rule, count in found.items() if rule in OURS} == {
        "take_peaks": 1,
        "read_trunk": 2,
        "train_regulatory": 2,
        "predict_regulatory": 1,
        "join_regulatory": 1,
        "evaluate_regulatory": 1,
    }


def test_nothing_runs_by_default(folder):
    assert not OURS & jobs(folder, {}, "all").keys()


def test_a_head_changes_no_job_of_the_gene_prediction(folder):
    predicted = [jobs(folder, head, "results/predictions/new.gff3") for head in ({}, {"model": "trained"})]
    assert predicted[0] == predicted[1]
    assert "merge_predictions" in predicted[0]


def test_an_attribution_needs_one_job_of_each_kind(folder):
    targets = (
        "results/evaluation/attribution.tsv", "results/motifs/regulatory", "results/motifs/cress.hits.bed",
        "results/motifs/filters",
    )  # fmt: skip
    found = jobs(folder, {"model": "trained"}, *targets, attribution={"labels": 3})
    wanted = (
        "check_attribution", "attribute_sites", "discover_motifs", "compare_motifs", "compare_filters",
        "train_regulatory",
    )  # fmt: skip
    assert {rule: found.get(rule) for rule in wanted} == dict.fromkeys(wanted, 1)
    assert "evaluate_regulatory" not in found


def test_planted_motifs_are_learned_trusted_found_and_named(tmp_path):
    folder = copy_house(tmp_path)
    (folder / "data").mkdir()
    fasta, bed = plant_sites(folder / "data")
    made = {"name": "made", "role": "train", "genome": {"path": str(fasta)}, "peaks": {"path": str(bed)}}
    made["contigs"] = {part: [name] for name, part in HELD_OUT.items()}
    head = {
        "model": "trained", "surroundings": 400, "filters": 24, "width": 16, "hidden": 16, "steps": 60, "batch_size": 4,
        "average": 0.9, "checkpoint_every": 20, "warmup_steps": 10, "called_precision": 0.8, "minimum_peaks": 20,
        "tracks": ["bZIP"], "precision": "float32", "device": "cpu",
    }  # fmt: skip
    attribution = {
        "labels": 2, "steps": 4, "sequences": 160, "mutagenesis": 3,
        "motifs": str(ROOT / "resources/motifs/jaspar_plants.meme"),
    }  # fmt: skip
    sections = {"clean": {"backend": "builtin"}, "split": {"mode": "contig"}, "regulatory": head}
    model = {"predict": {"model": str(ROOT / "resources/models/brassicales")}}
    write_config(folder, {"genomes": [made], "attribution": attribution, **sections, **model})
    asked = (
        "results/regulatory/made", "results/evaluation/regulatory.tsv", "results/evaluation/attribution.tsv",
        "results/motifs/regulatory", "results/motifs/filters",
    )  # fmt: skip
    done = start(folder, "--cores", "1", *asked)
    assert done.returncode == 0, done.stdout
    results = folder / "results"
    # The head: called bins, a track, scores.
    called = pd.read_csv(results / "regulatory/made.bed", sep="\t", comment="#", header=None)
    peaks = pd.read_csv(bed, sep="\t", header=None)
    there = {(row[0], row[1] // 200 * 200, row[3]) for row in peaks.itertuples(index=False) if row[0] == "c3"}
    found = {(row[0], row[1], row[3]) for row in called.itertuples(index=False) if row[0] == "c3"}
    assert len(found & there) > 0.6 * max(len(found), len(there))
    with pyBigWig.open(str(results / "regulatory/made/bZIP.bw")) as track:
        assert track.chroms() == LENGTHS
        best = called[(called[0] == "c3") & (called[3] == "bZIP")].iloc[0]
        assert track.values("c3", int(best[1]), int(best[2]))[0] == pytest.approx(best[6], abs=0.002)
    scores = pd.read_csv(results / "evaluation/regulatory.tsv", sep="\t").set_index(["model", "label", "measure"])
    assert scores.loc[("head, encoder none", "mean", "auprc"), "value"] > 0.8
    # Its attribution agrees with mutagenesis, as far as a head of 60 steps ranks bases that mean nothing; what was
    # planted is what it spells.
    trust = pd.read_csv(results / "evaluation/attribution.tsv", sep="\t").set_index(["label", "measure"])["value"]
    motifs = pd.read_csv(results / "motifs/regulatory.tsv", sep="\t", keep_default_na=False).set_index("motif")
    for label, site in PLANTED.items():
        assert trust[label, "mutagenesis_spearman"] > 0.25
        assert trust[label, "reliable"] == (trust[label, "mutagenesis_spearman"] >= 0.5)
        assert trust[label, "completeness_gap"] < 0.1
        assert trust[label, "share_explained"] == 1
        main = motifs.loc[f"{label}.1"]
        turned = site[::-1].translate(str.maketrans("ACGT", "TGCA"))
        assert any(strand[2:8] in main["consensus"] for strand in (site, turned)), main["consensus"]
        assert main["verdict"] == "own"
        assert float(main["own_summits"]) > 0.8 > 0.2 > float(main["random"])
        assert (results / f"motifs/regulatory/{label}.1.svg").stat().st_size > 1000
    assert re.search(r"bzip", motifs.loc["bZIP.1", "match_name"], flags=re.IGNORECASE), motifs.loc["bZIP.1"]
    assert float(motifs.loc["bZIP.1", "q"]) < 0.05
    filters = pd.read_csv(results / "motifs/filters.tsv", sep="\t", keep_default_na=False)
    assert len(filters) == 24
    for site in PLANTED.values():
        turned = site[::-1].translate(str.maketrans("ACGT", "TGCA"))
        assert filters["consensus"].str.contains(f"{site[2:8]}|{turned[2:8]}").any(), site
    assert len([*(results / "motifs/filters").glob("filter_*.svg")]) == 12
    hits = pd.read_csv(results / "motifs/made.hits.bed", sep="\t", header=None)
    own = hits[hits[3] == "bZIP.1"]
    summits = peaks[(peaks[0] == "c3") & (peaks[3] == "bZIP")][1]
    assert set(own[0]) == {"c3"}
    near = [((own[1] <= summit) & (own[2] >= summit)).any() for summit in summits]
    assert sum(near) > 0.8 * len(near)
