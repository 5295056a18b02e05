"""Rules of expression: nothing runs by default, and `all` makes what the heads of the configuration can tell."""

from __future__ import annotations

import pytest
from tiny_workflow import ROOT, jobs_of, start, tiny_config, write_config

RULES = {"take_expression", "make_gene_windows", "train_expression", "predict_expression", "evaluate_expression"}
SCORES = "results/evaluation/expression.tsv"


@pytest.fixture
def with_levels(house):
    """Write a configuration whose training genome has measured expression."""
    (house / "data/tpm.tsv").write_text("gene\tleaf\tbud\nAT1G01010\t5\t7\n")

    def write(promoters=False, **section):
        config = tiny_config() | {"attribution": {"promoters": promoters}}
        config["genomes"][0]["expression"] = {"path": "data/tpm.tsv"}
        # The house has no released models.
        motifs = {"motifs": str(ROOT / "resources/models/brassicales/regulatory")}
        write_config(house, config | {"expression": motifs | section})
        return house

    return write


def test_nothing_runs_by_default(with_levels):
    done = start(with_levels(), "all", "-n")
    assert done.returncode == 0, done.stdout[-2000:]
    assert not RULES & set(jobs_of(done.stdout))


def test_all_predicts_every_genome_and_scores_heads_that_are_trained(with_levels):
    done = start(with_levels(model="trained"), "all", "-n")
    assert done.returncode == 0, done.stdout[-2000:]
    assert {rule: count for rule, count in jobs_of(done.stdout).items() if rule in RULES} == {
        **dict.fromkeys(RULES, 1), "predict_expression": 2,
    }  # fmt: skip


def test_scores_need_all_rules_and_another_genome_the_heads_alone(with_levels):
    done = start(with_levels(model="trained", encoder="frozen"), SCORES, "results/expression/other.tsv", "-n")
    assert done.returncode == 0, done.stdout[-2000:]
    jobs = jobs_of(done.stdout)
    assert set(jobs) >= RULES | {"cluster_paralogs", "finetune_structure", "merge_predictions"}
    assert (jobs["predict_expression"], jobs["take_expression"]) == (2, 1)


def test_released_heads_ask_for_the_structure_model_without_being_told(with_levels):
    house = with_levels(model=str(ROOT / "resources/models/brassicales/expression"), encoder="none")
    for target, genomes in (("results/expression/other.tsv", 1), ("all", 2)):
        done = start(house, target, "-n")
        assert done.returncode == 0, done.stdout[-2000:]
        jobs = jobs_of(done.stdout)
        assert "finetune_structure" in jobs, "the tiny configuration trains it"
        assert {rule: jobs[rule] for rule in RULES & set(jobs)} == {"predict_expression": genomes}


def test_without_a_head_the_target_is_refused(with_levels):
    done = start(with_levels(), SCORES, "-n")
    assert done.returncode == 1
    assert f"{SCORES}: expression.model is none; set it to trained" in done.stdout
    assert start(with_levels(), "results/expression/tiny.measured.tsv", "-n").returncode == 0


def test_promoters_as_points_need_levels_and_no_heads(with_levels):
    target = "results/evaluation/promoter_embedding.tsv"
    refused = start(with_levels(), target, "-n")
    assert refused.returncode == 1
    assert f"{target}: attribution.promoters is false; set it to true" in refused.stdout
    house = with_levels(promoters=True)
    done = start(house, "results/report/report.html", "-n")
    assert done.returncode == 0, done.stdout[-2000:]
    jobs = jobs_of(done.stdout)
    assert set(jobs) >= {"embed_promoters", "take_expression", "make_gene_windows", "finetune_structure"}
    assert not {"train_expression", "check_attribution", "compare_filters"} & set(jobs)
