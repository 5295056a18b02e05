"""Which jobs the regulatory head needs, and that nothing of it runs without being asked for."""

from __future__ import annotations

import pytest
from tiny_workflow import ROOT, copy_house, jobs_of, start, write_config

OURS = {
    "take_peaks",
    "read_trunk",
    "train_regulatory",
    "predict_regulatory",
    "join_regulatory",
    "evaluate_regulatory",
}
TARGETS = ["results/regulatory/new.bed", "results/regulatory/new", "results/evaluation/regulatory.tsv"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = copy_house(tmp_path_factory.mktemp("regulatory"))
    (folder / "data").mkdir()
    (folder / "data/cress.fa").write_text(">c1\nACGT\n>c2\nACGT\n>c3\nACGT\n")
    (folder / "data/peaks.bed").write_text("c1\t1\t2\tA\n")
    return folder


def jobs(folder, regulatory, *targets) -> dict[str, int]:
    cress = {"name": "cress", "role": "train", "genome": {"path": "data/cress.fa"}, "peaks": {"path": "data/peaks.bed"}}
    cress["contigs"] = {"validate": ["c2"], "test": ["c3"]}
    new = {"name": "new", "role": "predict", "genome": {"path": "data/cress.fa"}, "peaks": {"A": "data/peaks.bed"}}
    sections = {"clean": {"backend": "builtin"}, "split": {"mode": "contig"}, "regulatory": regulatory}
    model = {"predict": {"model": str(ROOT / "resources/models/brassicales")}}
    write_config(folder, {"genomes": [cress, new], **sections, **model})
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
