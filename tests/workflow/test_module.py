"""The workflow used from anywhere: from another folder, as a module of another workflow, and out of a repository."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from tiny_workflow import ROOT, copy_house, cut_fasta, jobs_of, start

ENDINGS = ("gff3", "proteins.faa", "cds.fna", "transcripts.fna")
#: No model is named, so the one that ships is taken, from the installation.
CONFIG = {
    "genomes": [{"name": "kale", "role": "predict", "lineage": "Brassicales", "genome": {"path": "assembly/kale.fa"}}],
    "predict": {"tracks": False},
}
OUTER = """
rule all:
    input:
        "{prefix}results/predictions/kale.gff3",

rule assemble:
    input:
        "reads.txt",
    output:
        "assembly/kale.fa",
    shell:
        "cp {{input}} {{output}}"

module phyto:
    snakefile:
        {snakefile}
    config:
        config["phyto"]
{options}

use rule * from phyto{names}
"""


def write_user_folder(folder: Path, **outer: str) -> Path:
    """The folder of a user: a configuration and a genome, or with ``outer`` a workflow that first makes the genome."""
    folder.mkdir()
    config = {"phyto": CONFIG, "samples": ["kale"]} if outer else CONFIG
    (folder / "my.yaml").write_text(yaml.safe_dump(config))
    genome = folder / ("reads.txt" if outer else "assembly/kale.fa")
    genome.parent.mkdir(exist_ok=True)
    genome.write_text(cut_fasta({"Chr5": 20_000}))
    if outer:
        values = {"prefix": "", "options": "", "names": "", "snakefile": repr(str(ROOT / "Snakefile"))} | outer
        (folder / "Snakefile").write_text(OUTER.format(**values))
    return folder


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory) -> Path:
    """A folder with a configuration and a genome alone, in which the installed workflow has predicted genes."""
    folder = write_user_folder(tmp_path_factory.mktemp("elsewhere") / "user")
    done = start(folder, "-s", str(ROOT / "Snakefile"), "--cores", "2", "--configfile", "my.yaml", "--", "annotate")
    assert done.returncode == 0, done.stdout[-4000:]
    return folder


def test_the_shipped_model_predicts_from_another_folder(elsewhere):
    assert "\tgene\t" in (elsewhere / "results/predictions/kale.gff3").read_text()
    assert {path.name for path in elsewhere.iterdir()} == {
        "my.yaml", "assembly", "resources", "results", "logs", ".snakemake",
    }  # fmt: skip


def test_a_module_with_prefixes_writes_the_same_bytes(elsewhere, tmp_path):
    folder = write_user_folder(
        tmp_path / "user", prefix="annotation/", options='    prefix:\n        "annotation"', names=" as phyto_*"
    )
    done = start(folder, "--cores", "2", "--configfile", "my.yaml")
    assert done.returncode == 0, done.stdout[-4000:]
    assert jobs_of(done.stdout)["phyto_predict_shard"] == 1
    for ending in ENDINGS:
        file = f"results/predictions/kale.{ending}"
        assert (folder / "annotation" / file).read_bytes() == (elsewhere / file).read_bytes(), ending
    assert not (folder / "results").exists()
    assert not (folder / "resources").exists()


@pytest.mark.parametrize("names", ["", " as phyto_*"])
def test_a_module_leaves_the_other_workflow_its_names_and_targets(tmp_path, names):
    folder = write_user_folder(tmp_path / "user", names=" exclude all" + names)
    done = start(folder, "--cores", "2", "--configfile", "my.yaml", "-n", "results/predictions/kale.gff3")
    assert done.returncode == 0, done.stdout[-4000:]
    ours = ("download_genome", "index_genome", "predict_shard", "merge_predictions")
    assert set(jobs_of(done.stdout)) == {"assemble", *(f"phyto_{rule}" if "phyto" in names else rule for rule in ours)}


def test_the_default_target_stays_that_of_the_other_workflow(tmp_path):
    folder = write_user_folder(tmp_path / "user", names=" as phyto_*")
    done = start(folder, "--cores", "2", "--configfile", "my.yaml", "-n")
    assert done.returncode == 0, done.stdout[-4000:]
    jobs = jobs_of(done.stdout)
    assert "all" in jobs
    assert "phyto_all" not in jobs


def test_all_of_a_module_training_keeps_to_its_prefix(tmp_path):
    """The folder of checkpoints is no output, so the prefix must be put before it too."""
    folder = write_user_folder(
        tmp_path / "user", prefix="annotation/", options='    prefix:\n        "annotation"', names=" as phyto_*"
    )
    text = (folder / "Snakefile").read_text()
    (folder / "Snakefile").write_text(
        text + "\nfor name in ('pretrain_encoder', 'finetune_structure'):\n"
        "    given = dict(workflow.get_rule(f'phyto_{name}').params.items())\n"
        "    print(given['run_folder'](None, workflow.get_rule(f'phyto_{name}').output))\n"
    )
    done = start(folder, "--cores", "2", "--configfile", "my.yaml", "-n")
    assert "annotation/results/models/pretrain.run" in done.stdout
    assert "annotation/results/models/structure.run" in done.stdout


def test_out_of_a_repository_all_of_it_is_unpacked(tmp_path):
    """Snakemake's clone lies in its cache already, so that no network is needed."""
    source, cache = tmp_path / "source", tmp_path / "cache"
    copy_house(source)
    shutil.copytree(ROOT / "resources/models", source / "resources/models")
    clone = cache / "snakemake/snakemake/source-cache/snakemake-git-cache/github.com/owner/phytoscribe"
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-C", str(source)]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"], ["tag", "v1"]):
        subprocess.run([*git, *command], check=True)
    subprocess.run(["git", "clone", "-q", "--bare", str(source), str(clone)], check=True)
    place = 'github("owner/phytoscribe", path="{}Snakefile", tag="v1")'
    folder = write_user_folder(tmp_path / "user", snakefile=place.format("workflow/"), names=" as phyto_*")
    variables = {"XDG_CACHE_HOME": str(cache)}
    done = start(folder, "--cores", "2", "--configfile", "my.yaml", "-n", environment=variables)
    assert done.returncode == 0, done.stdout[-4000:]
    assert jobs_of(done.stdout)["phyto_predict_shard"] == 1

    single = write_user_folder(tmp_path / "single", snakefile=place.format(""), names=" as phyto_*")
    done = start(single, "--cores", "2", "--configfile", "my.yaml", "-n", environment=variables)
    assert done.returncode == 1
    assert "name the file workflow/Snakefile" in done.stdout
