"""The regulatory head learns a planted motif, goes on from a checkpoint, and is predicted and scored from files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from planted_sites import PLANTED, planted_files
from safetensors.torch import load_file

from phytoscribe.errors import ModelError, PhytoScribeError
from phytoscribe.models.regulatory import load_head
from phytoscribe.prediction.regulatory import check_trunk, predict_regulatory
from phytoscribe.regulatory.bins import read_values
from phytoscribe.training.loop.settings import Recipe
from phytoscribe.training.tasks.regulatory.module import label_loss, label_weights
from phytoscribe.training.tasks.regulatory.scores import score_heads
from phytoscribe.training.tasks.regulatory.task import run_regulatory_training
from phytoscribe.training.tasks.regulatory.windows import LabelCounts, RegulatoryData

SETTINGS = {
    "bin": 200, "context": 100, "surroundings": 400, "minimum_peaks": 20, "called_precision": 0.8, "start": "enriched",
    "filters": 24, "width": 16, "hidden": 16, "dropout": 0.1, "steps": 60, "batch_size": 4, "checkpoint_every": 20,
    "learning_rate": 0.005, "warmup_steps": 10, "weight_decay": 0.01, "final_rate": 0.1, "average": 0.9,
    "positive_weight": 1, "patience": 0, "validate_every": 3, "precision": "float32", "device": "cpu",
}  # fmt: skip
RANKS = {"devices": 1, "nodes": 1}


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, str]:
    return planted_files(tmp_path_factory.mktemp("planted"))


def train_into(files: dict[str, str], target: Path, run: Path | None = None, **more) -> Path:
    recipe = Recipe({**SETTINGS, **more}, {}, RANKS, 1)
    given = [[files[name]] for name in ("fasta", "peaks", "parts")]
    run, inputs = run or Path(f"{target}.run"), list(files.values())
    run_regulatory_training(*given, [], recipe, inputs, run, target, 1, lineages=["Poales"])
    return target


@pytest.fixture(scope="module")
def trained(files, tmp_path_factory) -> Path:
    return train_into(files, tmp_path_factory.mktemp("head") / "none")


def test_planted_motifs_are_learned_called_and_scored(files, trained, tmp_path):
    network, _, report = load_head(trained)
    assert network.config.labels == ("GARP", "bZIP")
    assert report["validation_auprc"] > 0.8
    values = (tmp_path / "v.npy", tmp_path / "v.json")
    predict_regulatory(files["fasta"], trained, None, None, ["bZIP"], "cpu", tmp_path / "made.bed", values)
    called = pd.read_csv(tmp_path / "made.bed", sep="\t", comment="#", header=None)
    peaks = pd.read_csv(Path(files["fasta"]).with_suffix(".bed"), sep="\t", header=None)
    wanted = {(row[0], row[1] // 200 * 200, row[3]) for row in peaks.itertuples(index=False)}
    found = {(row[0], row[1], row[3]) for row in called.itertuples(index=False)}
    there = {row for row in wanted if row[0] == "c3"}
    assert len(found & there) / len(there) > 0.7
    assert len(found & there) / len({row for row in found if row[0] == "c3"}) > 0.6
    assert (called[2] - called[1] == 200).all()
    assert (called[4] - 1000 * called[6]).abs().max() <= 1
    # A bin of unknown sequence has no value and is not called.
    tracks, contigs, width = read_values(*values)
    assert (list(tracks), width, contigs["c1"]) == (["bZIP"], 200, 240_000)
    own = tracks["bZIP"][(240_000 + 60_000) // 200 :]
    assert np.flatnonzero(np.isnan(own)).tolist() == [25, 26, 27, 28]
    assert not {("c3", 200 * number, label) for number in range(25, 29) for label in PLANTED} & found

    files_of = ([files[name]] for name in ("fasta", "peaks", "parts"))
    score_heads({"head": trained}, *files_of, [], 1, tmp_path / "scores.tsv", 1)
    table = pd.read_csv(tmp_path / "scores.tsv", sep="\t").set_index(["model", "label", "measure"])
    head, ridge = (table.loc[(name, "mean", "auprc")] for name in ("head", "6-mer ridge"))
    assert head["value"] > ridge["value"] > table.loc[("guess", "mean", "auprc"), "value"]
    assert head["value"] > 0.8
    assert head["low"] <= head["value"] <= head["high"]
    assert table.loc[("head", "mean", "above_ridge"), "value"] == 1
    assert table.loc[("head", "GARP", "lift"), "value"] == pytest.approx(
        table.loc[("head", "GARP", "auprc"), "value"] / table.loc[("head", "GARP", "auprc"), "base_rate"], rel=1e-4
    )


def test_contigs_alone_or_together_are_predicted_alike(files, trained, tmp_path):
    texts = []
    for number, chosen in enumerate((None, ["c2"])):
        bed, values = tmp_path / f"{number}.bed", (tmp_path / f"{number}.npy", tmp_path / f"{number}.json")
        lineage = ("Poales", "Brassicales")[number]
        predict_regulatory(files["fasta"], trained, None, chosen, 1, "cpu", bed, values, lineage)
        notes = [line for line in bed.read_text().splitlines() if line.startswith("# note: ")]
        assert notes == ["# note: no plant of lineage Brassicales was trained on; take the values as ranks"][:number]
        texts.append([line for line in bed.read_text().splitlines() if line.startswith("c2\t")])
    assert texts[0] == texts[1] != []


def test_a_stopped_run_goes_on_bit_for_bit(files, tmp_path, monkeypatch):
    more = {"steps": 40, "validate_every": 1}
    whole = train_into(files, tmp_path / "whole", **more)
    from phytoscribe.training.tasks.regulatory import windows

    given, asked = windows.RegulatoryDataset.__getitem__, []

    def breaks(self, index):
        if index >= 4 * 27:
            raise KeyboardInterrupt
        asked.append(index)
        return given(self, index)

    monkeypatch.setattr(windows.RegulatoryDataset, "__getitem__", breaks)
    with pytest.raises((KeyboardInterrupt, SystemExit, PhytoScribeError)):
        train_into(files, tmp_path / "broken", tmp_path / "broken.run", **more)
    monkeypatch.setattr(windows.RegulatoryDataset, "__getitem__", given)
    broken = train_into(files, tmp_path / "broken", tmp_path / "broken.run", **more)
    first, second = (load_file(folder / "regulatory.safetensors") for folder in (whole, broken))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert (whole / "regulatory.json").read_bytes() == (broken / "regulatory.json").read_bytes()


def test_a_family_of_many_labels_does_not_rule_the_loss():
    generator = np.random.default_rng(0)
    family, other = generator.random(4_000) < 0.02, generator.random(4_000) < 0.02
    table = np.stack([*[family] * 9, other], axis=1).astype(int)
    weights = label_weights(LabelCounts(4_000, np.full(10, 4_000), table.sum(axis=0), (table.T @ table).astype(float)))
    assert weights.mean() == pytest.approx(1)
    assert weights[:9].sum() == pytest.approx(weights[9], rel=0.2)


def test_counts_are_those_of_all_bins_at_once(files):
    data = RegulatoryData.read(*([files[name]] for name in ("fasta", "peaks", "parts")), 20)
    counts = data.counts("train", 200)
    table, _ = data.known_labels("train", 200)
    assert counts.bins == len(table) == 240_000 // 200
    assert counts.positive.tolist() == table.sum(axis=0).tolist()
    assert np.array_equal(counts.together, table.T.astype(int) @ table)


def test_labels_that_a_genome_lacks_have_no_gradient():
    logits = torch.zeros(1, 2, 2, requires_grad=True)
    counted = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])
    label_loss(logits, torch.ones(1, 2, 2), counted, torch.ones(2), 3.0).backward()
    assert logits.grad[..., 1].abs().max() == 0
    assert logits.grad[0, :, 0].tolist() == [-0.75, -0.75]


def test_a_head_gets_only_the_trunk_that_it_knows():
    check_trunk(Path("h"), None, None)
    check_trunk(Path("h"), "abc", "abc")
    for wanted, given, message in (("abc", "def", "abc.*has hash def"), ("abc", None, "none is given")):
        with pytest.raises(ModelError, match=message):
            check_trunk(Path("h"), wanted, given)


def test_nothing_for_validation_is_said(files, tmp_path):
    parts = tmp_path / "p.bed"
    parts.write_text("c1\t0\t240000\ttrain\nc2\t0\t60000\ttrain\nc3\t0\t60000\ttest\n")
    with pytest.raises(PhytoScribeError, match="no bin with a peak is for validation"):
        train_into({**files, "parts": str(parts)}, tmp_path / "x")
