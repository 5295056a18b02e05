"""The commands in the README, word for word, and what the two profiles give to Snakemake."""

from __future__ import annotations

import os
import sys

import pytest
import yaml
from profile_settings import profile_settings
from tiny_workflow import jobs_of, start, tiny_config, write_config

MODEL_FILES = ("config.json", "model.safetensors", "decoder.json", "tokenizer.json", "tokenizer_config.json")


def test_one_prediction_without_any_flag(house):
    done = start(house, "results/predictions/other.gff3", "-n")
    assert done.returncode == 0, done.stdout
    assert {"pretrain_encoder", "finetune_structure", "predict_shard"} <= set(jobs_of(done.stdout))
    assert "evaluate_genes" not in jobs_of(done.stdout)


def test_sentences_are_of_the_annotation_or_else_of_the_prediction(house):
    files = [f"results/isoforms/{genome}.sentences.tsv" for genome in ("tiny", "other")]
    jobs = jobs_of(start(house, files[0], "-n").stdout)
    assert jobs["write_sentences"] == jobs["clean_annotation"] == 1
    assert "merge_predictions" not in jobs
    jobs = jobs_of(start(house, files[1], "-n").stdout)
    assert jobs["write_sentences"] == jobs["merge_predictions"] == 1


def test_configuration_files_after_the_target_are_laid_over_the_first(house):
    (house / "a.yaml").write_text(yaml.safe_dump({"predict": {"shards": 3}}))
    (house / "b.yaml").write_text(yaml.safe_dump({"predict": {"shards": 4}, "seed": 2}))
    done = start(house, "results/predictions/other.gff3", "--configfile", "a.yaml", "b.yaml", "-n")
    assert done.returncode == 0, done.stdout
    assert jobs_of(done.stdout)["predict_shard"] == 4
    (house / "b.yaml").write_text(yaml.safe_dump({"split": {"mode": "cluster"}}))
    done = start(house, "results/predictions/other.gff3", "--configfile", "a.yaml", "b.yaml", "-n")
    assert "would ignore genomes[tiny].contigs" in done.stdout, "keys left out keep the values of config.yaml"


def test_training_waits_for_clusters_only_where_they_divide_genes(house):
    """Thousands of proteins take CD-HIT hours, and in mode contig no training reads the clusters."""
    jobs = set(jobs_of(start(house, "train", "-n").stdout))
    assert {"locate_parts", "build_training_set"} <= jobs
    assert not {"extract_proteins", "cluster_paralogs", "assign_splits"} & jobs
    config = tiny_config()
    del config["genomes"][0]["contigs"]
    write_config(house, config | {"split": {"mode": "cluster"}})
    done = start(house, "train", "-n")
    assert {"cluster_paralogs", "assign_splits", "locate_parts"} <= set(jobs_of(done.stdout)), done.stdout


def test_without_a_word_on_the_model_the_released_one_predicts(house):
    model = house / "resources/models/brassicales"
    model.mkdir(parents=True)
    for name in MODEL_FILES:
        (model / name).write_text("{}")
    config = tiny_config()
    del config["predict"]["model"]
    write_config(house, config)
    done = start(house, "results/predictions/other.gff3", "-n")
    assert done.returncode == 0, done.stdout
    assert set(jobs_of(done.stdout)) == {"download_genome", "index_genome", "predict_shard", "merge_predictions"}


def name_a_released_model(house, section, key) -> None:
    model = house / "released"
    model.mkdir()
    for name in MODEL_FILES:
        (model / name).write_text("{}")
    config = tiny_config()
    config[section][key] = "released"
    write_config(house, config)


def test_released_model_needs_no_training(house):
    name_a_released_model(house, "predict", "model")
    done = start(house, "results/predictions/other.gff3", "-n")
    assert done.returncode == 0, done.stdout
    assert set(jobs_of(done.stdout)) == {"download_genome", "index_genome", "predict_shard", "merge_predictions"}
    whole = jobs_of(start(house, "-n").stdout)
    assert "finetune_structure" not in whole
    assert "assign_splits" not in whole
    assert {"evaluate_genes", "report"} <= set(whole)


def test_a_model_that_starts_from_a_released_one_needs_no_pretraining(house):
    name_a_released_model(house, "finetune", "from_model")
    done = start(house, "all", "-n")
    assert done.returncode == 0, done.stdout
    jobs = jobs_of(done.stdout)
    assert {"finetune_structure", "report"} <= set(jobs)
    assert not {"sample_corpus", "train_tokenizer", "pretrain_encoder"} & set(jobs)


def test_self_training_predicts_twice_and_checks_no_annotation(house):
    name_a_released_model(house, "finetune", "from_model")
    config = tiny_config()
    config["genomes"] = [{"name": "own", "role": "train", "genome": {"path": "data/tiny.fa"}}]
    config["finetune"] |= {"mode": "self", "from_model": "released"}
    config["split"] = {"mode": "cluster"}
    write_config(house, config)
    done = start(house, "all", "-n")
    assert done.returncode == 0, done.stdout
    jobs = jobs_of(done.stdout)
    assert (jobs["predict_first_shard"], jobs["predict_shard"], jobs["take_confident_genes"]) == (2, 2, 1)
    assert {"merge_first_prediction", "assign_splits", "finetune_structure", "report"} <= set(jobs)
    assert not {"download_annotation", "clean_annotation", "evaluate_genes", "pretrain_encoder"} & set(jobs)
    wrong = start(house, "results/clean/own.gff3", "-n")
    assert "the configuration gives genome 'own' no annotation" in wrong.stdout


def test_slurm_profile_loads_without_conda_and_slurm(house, tmp_path_factory):
    bare = path_without(tmp_path_factory.mktemp("bin"), "conda", "sbatch", "squeue")
    done = start(house, "--profile", "profiles/slurm", "all", "-n", environment={"PATH": bare})
    assert done.returncode == 0, done.stdout
    assert "conda is not on PATH" in done.stdout
    assert jobs_of(done.stdout)["predict_shard"] == 4


def path_without(folder, *programs) -> str:
    """A PATH with links to all programs of the present one but these."""
    for directory in reversed([os.path.dirname(sys.executable), *os.environ["PATH"].split(os.pathsep)]):
        if os.path.isdir(directory):
            for name in os.listdir(directory):
                if name not in programs:
                    (folder / name).unlink(missing_ok=True)
                    (folder / name).symlink_to(os.path.join(directory, name))
    return str(folder)


@pytest.mark.parametrize(
    ("arguments", "environment", "takes_all_cores"),
    [
        (["results/predictions/other.gff3"], {}, True),
        (["all", "-n"], {}, True),
        (["--profile", "profiles/slurm", "all"], {}, False),
        (["--profile=profiles/slurm", "all"], {}, False),
        (["all"], {"SNAKEMAKE_PROFILE": "profiles/slurm"}, False),
        (["--executor", "slurm", "-j", "10"], {}, False),
    ],
)
def test_default_profile_never_caps_a_cluster(arguments, environment, takes_all_cores):
    settings = profile_settings("profiles/default/profile.yaml", arguments, environment)
    assert (settings.get("cores") == "all") is takes_all_cores
    assert not {"default-resources", "set-resources", "set-threads", "jobs"} & set(settings)
