"""Pretraining and fine-tuning by the workflow with two processes that share each step."""

from __future__ import annotations

import pandas as pd
from tiny_workflow import copy_house, start, tiny_config, write_config, write_tiny_data


def test_both_trainings_run_in_two_processes(tmp_path):
    copy_house(tmp_path)
    write_tiny_data(tmp_path)
    config = tiny_config() | {"training": {"devices": 2}}
    config["finetune"]["batch_size"] = 4  # both strands of a window for each process
    write_config(tmp_path, config)
    done = start(tmp_path, "--cores", "2", "--", "results/models/structure/model.safetensors")
    assert done.returncode == 0, done.stdout
    for stage, log in (("pretrain", "pretrain/encoder"), ("structure", "finetune/structure")):
        metrics = pd.read_csv(tmp_path / f"results/models/{stage}/metrics.tsv", sep="\t").set_index("name")
        assert metrics.loc["world_size", "value"] == 2, stage
        said = (tmp_path / f"logs/{log}.log").read_text()
        assert "2 processes train together" in said
        assert "step 20/20" in said
        assert not list((tmp_path / "results/models").glob("*.job.*"))


def test_a_batch_that_two_processes_cannot_share_is_refused(tmp_path):
    copy_house(tmp_path)
    write_tiny_data(tmp_path)
    config = tiny_config() | {"training": {"devices": 2}}
    config["pretrain"]["batch_size"] = 3
    write_config(tmp_path, config)
    done = start(tmp_path, "--cores", "2", "--", "results/models/pretrain/model.safetensors")
    assert done.returncode == 1
    assert "pretrain.batch_size: 3 must be a multiple of training.devices times training.nodes (2)" in done.stdout
    assert not (tmp_path / "results/models/pretrain").exists()
