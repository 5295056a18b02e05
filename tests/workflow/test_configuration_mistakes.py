"""Mistakes a user makes end before any job starts, with one message and no traceback."""

from __future__ import annotations

import json
import os

import pytest
from tiny_workflow import start, tiny_config, write_config


def stopped(folder, *arguments) -> str:
    done = start(folder, *(arguments or ("all",)))
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
    assert not (folder / "results").exists()
    assert not (folder / "resources").exists()
    return done.stdout


def test_unknown_key(house):
    config = tiny_config()
    config["genomes"][0]["lineag"] = "x"
    write_config(house, config)
    message = stopped(house)
    assert "config/config.yaml: genomes[tiny]: unknown key 'lineag' (did you mean 'lineage'?); allowed: " in message


def test_missing_file(house):
    (house / "data/other.fa").unlink()
    assert "genomes[other].genome.path: data/other.fa: no such file" in stopped(house)


def test_unknown_contig(house):
    config = tiny_config()
    config["genomes"][0]["contigs"]["test"] = ["Chr55"]
    write_config(house, config)
    assert "genomes[tiny].contigs: data/tiny.fa has no 'Chr55'" in stopped(house)


def test_width_that_the_heads_do_not_divide(house):
    config = tiny_config()
    config["model"] = {"hidden_size": 100, "head_count": 3}
    write_config(house, config)
    assert "model.hidden_size: 100 must be a multiple of twice model.head_count (3)" in stopped(house)


def test_typing_error_in_a_target_names_the_genomes(house):
    message = stopped(house, "results/predictions/typo.gff3")
    assert "there is no genome 'typo' in the configuration; its genomes are: tiny, other" in message


def test_asking_for_an_annotation_that_is_not_given(house):
    assert "the configuration gives genome 'other' no annotation; genomes that have: tiny" in stopped(
        house, "results/clean/other.gff3"
    )


@pytest.mark.parametrize("profile", ["profiles/slurm"])
def test_same_message_with_a_profile(house, profile):
    config = tiny_config()
    config["genomes"].append(config["genomes"][1])
    write_config(house, config)
    assert "the name 'other' is used 2 times" in stopped(house, "--profile", profile, "all", "-n")


def test_agat_that_cannot_run(house):
    """AGAT is the schema's default; conda that is there but not used does not help."""
    config = tiny_config()
    del config["clean"]
    write_config(house, config)
    assert "clean.backend is 'agat', but AGAT is not on PATH, and neither is conda" in stopped(house)
    (house / "bin").mkdir()
    program = house / "bin/conda"
    about = {"conda_version": "24.9.2", "channels": [], "get": {"channel_priority": "strict"}}
    places = {"conda_prefix": "/x", "root_prefix": "/x", "platform": "linux-64"}
    program.write_text(f"#!/bin/sh\necho '{json.dumps(about | places)}'\n")
    program.chmod(0o755)
    path = {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    done = start(house, "all", "-n", environment=path)
    assert "conda is there but not used (no `--sdm conda`)" in done.stdout
    assert done.returncode == 1
    done = start(house, "results/clean/tiny.gff3", "-n", "--sdm", "conda", environment=path)
    assert done.returncode == 0, done.stdout
    assert "Cleaning the annotation of tiny (agat)" in done.stdout
