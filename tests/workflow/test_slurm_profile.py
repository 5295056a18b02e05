"""profiles/slurm: what every rule asks for, the lines that a site edits, and how it finds out how to watch jobs."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from pathlib import Path

import pytest
from profile_settings import profile_settings, read_profile
from tiny_workflow import ROOT, jobs_of, start, tiny_config, write_config

from phytoscribe.configuration.resources import ON_PROCESSORS

PROFILE = "profiles/slurm/profile.yaml"
PREDICTING = {"predict_shard", "train_isoforms", "complete_annotation"}
WRITER = "train_isoform_writer"
#: Of the heads for regulation and expression.
HEAD_RULES = {"read_trunk", "train_regulatory", "predict_regulatory", "train_expression", "predict_expression"}
HEAD_RULES |= {"check_attribution", "attribute_sites", "explain_expression", "track_importance", "embed_promoters"}
GPU_RULES = {
    "pretrain_encoder",
    "finetune_structure",
    "predict_first_shard",
    "train_gene_classes",
    WRITER,
    *HEAD_RULES,
} | PREDICTING


@pytest.fixture(scope="module")
def settings() -> dict:
    return profile_settings(PROFILE, [], {"PATH": "/no/such/folder"})


def cluster_rules() -> dict[str, str]:
    """Text of the rules that are sent to the cluster, by name; of a rule made from another, the text of that one."""
    texts, derived = {}, {}
    for file in (ROOT / "workflow/rules").glob("*.smk"):
        for block in re.split(r"\n(?:use )?rule ", file.read_text())[1:]:
            name, _, text = block.partition(":\n")
            if found := re.fullmatch(r"(\w+) as (\w+) with", name):
                derived[found[2]] = found[1]
            elif "    localrule: True\n" not in text:
                texts[name] = text
    return texts | {name: texts[base] for name, base in derived.items()}


def asked(expression: str | int, attempt: int, files: list[str]) -> int:
    """What an expression of the profile gives, evaluated with the names that Snakemake gives it."""
    return eval(str(expression), {"attempt": attempt, "input": files, "shutil": shutil})


def test_every_rule_has_its_own_memory_and_time_and_no_other_is_named(settings):
    rules = set(cluster_rules())
    assert len(rules) >= 19
    assert set(settings["set-resources"]) == rules
    assert set(settings["groups"]) <= rules
    for rule, values in settings["set-resources"].items():
        assert {"mem_mb", "runtime"} <= set(values), rule
    many_cores = {rule for rule, text in cluster_rules().items() if "    threads: " in text}
    assert set(settings["set-threads"]) == many_cores


def test_gpu_rules_alone_go_to_the_gpu_partition_and_into_no_group(settings):
    rules = cluster_rules()
    for rule, values in settings["set-resources"].items():
        asks = "**places_of_ranks(" in rules[rule] or "**place_of_prediction(" in rules[rule]
        assert asks == (rule in GPU_RULES) == ("slurm_partition" in values), rule
        assert "gpu" not in values, "the rule knows from the configuration whether it needs one"
        if rule in GPU_RULES:
            assert eval(values["slurm_partition"], {"shutil": shutil}) == "gpu", rule
    assert not GPU_RULES & set(settings["groups"])
    assert settings["default-resources"]["slurm_partition"] == "'cpu'"


def test_reasons_stand_beside_all_values():
    lines = (ROOT / PROFILE).read_text().splitlines()
    first = lines.index("set-resources:") + 1
    section = lines[first : lines.index("set-threads:")]
    rules = [number for number, line in enumerate(section) if line.startswith("  ") and line[2].isalpha()]
    for number in rules:
        if section[number].strip() != "finetune_structure:":  # as pretrain_encoder, just before
            assert section[number - 1].startswith("  #"), section[number]


def test_the_time_of_every_group_is_told(settings):
    """Whoever meets a partition's limit looks it up, since a group asks for the sum of its rules."""
    text = (ROOT / "docs/slurm.md").read_text()
    told = re.findall(r"^\| `(\w+)`(?:, for each genome)? \| (`.*`) \| (\d+) \|$", text, flags=re.MULTILINE)
    assert {group for group, _, _ in told} == set(settings["groups"].values())
    for group, rules, minutes in told:
        names = re.findall(r"`(\w+)`", rules)
        assert names == [rule for rule, of in settings["groups"].items() if of == group]
        assert int(minutes) == sum(asked(settings["set-resources"][rule]["runtime"], 1, []) for rule in names), group


def test_memory_grows_with_every_attempt(settings):
    for rule, values in settings["set-resources"].items():
        one, two, three = (asked(values["mem_mb"], attempt, []) for attempt in (1, 2, 3))
        assert 500 <= one < two < three, rule
        # A stopped training resumes; more than a day is refused by many sites.
        fixed = rule in ("pretrain_encoder", "finetune_structure", "train_regulatory")
        assert (asked(values["runtime"], 1, []) < asked(values["runtime"], 2, [])) is not fixed, rule


def test_memory_or_time_grows_with_the_input(settings, tmp_path):
    big = tmp_path / "genome.fa"
    with big.open("wb") as handle:
        handle.truncate(1_000_000_000)
    files = [str(big), str(tmp_path / "not_there_yet")]
    fixed = {
        "plot_check",
        "report",
        "predict_shard",
        "predict_first_shard",
        "train_isoforms",
        "describe_tracks",
        WRITER,
    }
    for rule, values in settings["set-resources"].items():
        grown = [asked(values[key], 1, files) - asked(values[key], 1, []) for key in ("mem_mb", "runtime")]
        assert (max(grown) > 0) is (rule not in fixed), rule
    assert asked(settings["set-resources"]["build_training_set"]["mem_mb"], 1, files) == 4000 + 1 * 1000


def test_shards_are_no_array(settings):
    assert "slurm-array-jobs" not in settings, "a failed task takes the others with it (plugin issue 447)"


def fake_scontrol(folder, text: str) -> dict[str, str]:
    """A PATH with a SLURM that answers so."""
    (folder / "scontrol").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "scontrol").chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin"}


def configuration(storage: str, age: int = 300) -> str:
    return f"echo 'AccountingStorageType   = accounting_storage/{storage}'; echo 'MinJobAge               = {age} sec'"


@pytest.mark.parametrize(
    ("answer", "command", "said"),
    [
        (configuration("slurmdbd"), "sacct", "since this SLURM keeps accounts"),
        (configuration("none"), "squeue", "since this SLURM keeps no accounts"),
        (configuration("none", 60), "squeue", "forgets a finished job after 60 s"),
        ("echo down >&2; exit 1", "squeue", "is SLURM down?"),
    ],
)
def test_the_status_command_follows_the_accounting(tmp_path, answer, command, said):
    environment = fake_scontrol(tmp_path, answer)
    found = profile_settings(PROFILE, [], environment)
    assert found["slurm-status-command"] == command
    assert said in read_profile(PROFILE, [], environment).stderr


def test_a_slurm_that_does_not_answer_holds_nobody_up(tmp_path):
    began = time.monotonic()
    done = read_profile(PROFILE, [], fake_scontrol(tmp_path, "exec sleep 100"))
    assert time.monotonic() - began < 40
    assert done.returncode == 0, done.stderr
    assert "timed out after 10 seconds" in done.stderr


def test_what_a_site_edits_reaches_the_jobs(tmp_path, monkeypatch):
    text = (ROOT / PROFILE).read_text()
    edited = {
        'account = ""': 'account = "lab"',
        'cpu_partition = "cpu"': 'cpu_partition = "short"',
        'gpu_partition = "gpu"': 'gpu_partition = "max"',
        'gpu_type = ""': 'gpu_type = "a100"',
        'cpu_qos = ""': 'cpu_qos = "normal"',
        'gpu_qos = ""': 'gpu_qos = "deep"',
        'status_command = ""': 'status_command = "squeue"',
    }
    for old, new in edited.items():
        assert text.count(f"  - {old}") == 1, f"{old} is to be edited in one place"
        text = text.replace(f"  - {old}", f"  - {new}")
    (tmp_path / "profile.yaml").write_text(text)
    found = profile_settings(tmp_path / "profile.yaml", [], fake_scontrol(tmp_path, configuration("slurmdbd")))
    assert found["slurm-status-command"] == "squeue"
    default = found["default-resources"]
    assert (default["slurm_account"], default["slurm_partition"], default["qos"]) == ("'lab'", "'short'", "'normal'")
    for rule in GPU_RULES:
        values = found["set-resources"][rule]
        # Evaluated, and quoted in it: max is also a function of Python, which Snakemake would take.
        keys = ("slurm_partition", "gpu_model", "qos")
        assert [eval(values[key], {"shutil": shutil}) for key in keys] == ["max", "a100", "deep"]
        monkeypatch.setenv(ON_PROCESSORS, f"other_rule {rule}")
        assert [eval(values[key], {"shutil": shutil}) for key in keys] == ["short", None, "normal"]
        monkeypatch.delenv(ON_PROCESSORS)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('cpu_qos = ""', 'cpu_qos = "normal"', "give both cpu_qos and gpu_qos, or neither"),
        ('status_command = ""', 'status_command = "qstat"', "it must be sacct, squeue or empty"),
    ],
)
def test_contradictions_in_the_edited_lines_stop_the_run(tmp_path, old, new, message):
    text = (ROOT / PROFILE).read_text().replace(f"  - {old}", f"  - {new}")
    (tmp_path / "profile.yaml").write_text(text)
    done = read_profile(tmp_path / "profile.yaml", [], {"PATH": "/no/such/folder"})
    assert done.returncode != 0
    assert message in done.stderr


def test_a_dry_run_works_before_any_input_is_there(house):
    config = tiny_config()
    config["genomes"][1]["genome"] = {"url": "https://example.org/other.fa.gz"}
    write_config(house, config)
    done = start(house, "--profile", "profiles/slurm", "all", "-n")
    assert done.returncode == 0, done.stdout[-3000:]
    assert {"index_genome", "clean_annotation", "build_training_set", "predict_shard"} <= set(jobs_of(done.stdout))


def show_resources(house) -> None:
    """Snakemake shows a job's resources only where it has no message."""
    for file in (house / "workflow/rules").glob("*.smk"):
        file.write_text(re.sub(r"^    message:\n        .*\n", "", file.read_text(), flags=re.MULTILINE))


@pytest.mark.parametrize(
    ("changes", "without"),
    [
        ({}, set()),
        ({"predict": {"device": "cpu"}}, PREDICTING),
        ({"predict": {"precision": "int8"}, "pretrain": {"device": "cpu"}}, PREDICTING | {"pretrain_encoder"}),
        ({"finetune": {"device": "cpu"}}, {"finetune_structure"}),
    ],
)
def test_what_computes_on_processors_asks_for_no_gpu(house, changes, without):
    config = tiny_config()
    for section, values in changes.items():
        config[section] |= values
    config["isoforms"] = {"method": "ranked"}
    write_config(house, config)
    text = (house / "profiles/slurm/profile.yaml").read_text()
    (house / "profiles/site").mkdir(exist_ok=True)
    (house / "profiles/site/profile.yaml").write_text(text.replace('gpu_type = ""', 'gpu_type = "a100"'))
    show_resources(house)
    done = start(house, "--profile", "profiles/site", "all", "results/isoforms/tiny.gff3", "-n")
    assert done.returncode == 0, done.stdout[-3000:]
    # Only self-training, classes of genes, generated isoforms and heads ask for these.
    for rule in GPU_RULES - HEAD_RULES - {"predict_first_shard", "train_gene_classes", WRITER}:
        _, _, job = done.stdout.partition(f"\nrule {rule}:\n")
        resources = job.partition("    resources: ")[2].partition("\n")[0]
        expected = {"slurm_partition=cpu"} if rule in without else {"slurm_partition=gpu", "gpu=1", "gpu_model=a100"}
        asked_for = {word for word in resources.split(", ") if word.startswith(("slurm_partition", "gpu"))}
        assert asked_for == expected, rule


EVIDENCE_RULES = ("gather_evidence", "judge_evidence", "gather_proteins", "fit_evidence", "fit_protein_evidence")


def test_evidence_asks_for_processors_and_the_prediction_with_it_for_a_gpu(house):
    config = tiny_config()
    (house / "SJ.out.tab").write_text("")
    (house / "proteins.faa").write_text("")
    for genome in config["genomes"]:
        genome["evidence"] = {"rnaseq": ["SJ.out.tab"], "proteins": ["proteins.faa"]}
    write_config(house, config)
    show_resources(house)
    done = start(house, "--profile", "profiles/slurm", "annotate", "-n")
    assert done.returncode == 0, done.stdout[-3000:]
    for rule in (*EVIDENCE_RULES, "predict_shard"):
        _, _, job = done.stdout.partition(f"\nrule {rule}:\n")
        resources = job.partition("    resources: ")[2].partition("\n")[0].split(", ")
        expected = {"slurm_partition=gpu", "gpu=1"} if rule == "predict_shard" else {"slurm_partition=cpu"}
        assert {word for word in resources if word.startswith(("slurm_partition", "gpu"))} == expected, rule


#: Megabytes of inputs of jobs that a partition with a limit of a day must take at the first attempt.
LARGE = {
    "run_augustus": 10_000,  # a genome of 10 Gb
    "align_isoseq": 16_000 + 10_000,  # one of 16 Gb and reads
    "blast_isoseq": 16_000 + 10_000,
    "join_tracks": 5_440,  # 16 Gb of dense genes, 0.34 bytes a base
}


@pytest.mark.parametrize("rule", LARGE)
def test_large_genomes_fit_into_a_day(settings, tmp_path, rule):
    with (tmp_path / "input").open("wb") as handle:
        handle.truncate(LARGE[rule] * 1_000_000)
    assert asked(settings["set-resources"][rule]["runtime"], 1, [str(tmp_path / "input")]) <= 1440


def test_conda_is_used_where_it_is(tmp_path):
    (tmp_path / "conda").write_text("#!/bin/sh\n")
    (tmp_path / "conda").chmod(0o755)
    with_it = profile_settings(PROFILE, [], {"PATH": str(tmp_path)})
    assert with_it["software-deployment-method"] == "conda"
    assert "software-deployment-method" not in profile_settings(PROFILE, [], {"PATH": "/no/such/folder"})


def test_a_refused_group_says_why(house):
    """Snakemake's own report on a group names log files that a refused job never wrote, and no reason."""
    before = ["resources/genomes/tiny/tiny.fa.fai", "resources/genomes/tiny/tiny.annotation.gff3"]
    assert start(house, *before).returncode == 0
    programs = house / "bin"
    programs.mkdir()
    variables = fake_scontrol(programs, configuration("none"))
    (programs / "sbatch").write_text("#!/bin/sh\necho 'sbatch: error: Requested time limit is invalid' >&2\nexit 1\n")
    (programs / "sbatch").chmod(0o755)
    path = f"{programs}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    watch = ("--slurm-init-seconds-before-status-checks", "1")
    arguments = ("--profile", "profiles/slurm", *watch, "--retries", "0", "results/clean/tiny.check.json")
    done = start(house, *arguments, environment=variables | {"PATH": path}, seconds=120)
    assert done.returncode == 1
    assert "Error in group" in done.stdout
    (said,) = re.findall(r"profiles/slurm: group \S+: SLURM sbatch failed. The error message was '(.*)'", done.stdout)
    assert said == "sbatch: error: Requested time limit is invalid"
