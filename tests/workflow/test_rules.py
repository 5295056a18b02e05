"""What every rule, environment, profile and configuration key must have, read from the files themselves."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import yaml

from phytoscribe.configuration.checks import RELEASED_MODEL_FILES
from phytoscribe.configuration.schema import resolved
from phytoscribe.sources import PACKAGE, imported_names, modules_reached

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / "workflow"
SCRIPTS = WORKFLOW / "scripts"
#: Conda package of each imported name, where they differ.
CONDA_NAMES = {
    "torch": "pytorch",
    "pytorch_lightning": "pytorch-lightning",
    "matplotlib": "matplotlib-base",
    "yaml": "pyyaml",
    "Bio": "biopython",
    "sklearn": "scikit-learn",
    "umap": "umap-learn",
}
#: Conda package of each program that the library calls.
PROGRAMS = {
    "run_augustus": "augustus",
    "cluster_paralogs": "cd-hit",
    "report_leakage": "blast",
    "blast_isoseq": "blast",
    "align_isoseq": "minimap2",
    "find_trna": "aragorn",
    "discover_motifs": "modisco-lite",
    "find_ncrna": "infernal",
    "download_genome": "curl",
    "download_annotation": "curl",
    "download_isoseq": "curl",
    "download_rnaseq": "curl",
    "index_transcripts": "salmon",
    "quantify_reads": "salmon",
}

#: Rules that fetch files.
DOWNLOADS = {"download_genome", "download_annotation", "download_isoseq", "download_rnaseq"}


def rule_texts() -> dict[str, str]:
    """Text of every rule with a script, by rule name."""
    texts: dict[str, str] = {}
    for file in sorted((WORKFLOW / "rules").glob("*.smk")):
        blocks = re.split(r"^rule (\w+):$", file.read_text(), flags=re.MULTILINE)[1:]
        texts.update(zip(blocks[::2], blocks[1::2], strict=True))
    return texts


RULES = rule_texts()


def environments_of(rule: str) -> list[Path]:
    """Environment files that a rule may run in."""
    if "CLEANER_ENVIRONMENT" in RULES[rule]:
        return [WORKFLOW / "envs/annotation.yaml", WORKFLOW / "envs/agat.yaml"]
    return [WORKFLOW / "envs" / name for name in re.findall(r'"\.\./envs/(\w+\.yaml)"', RULES[rule])]


def script_of(rule: str) -> Path:
    return SCRIPTS / re.search(r'"\.\./scripts/(\w+\.py)"', RULES[rule]).group(1)


def packages_of(environment: Path) -> dict[str, str]:
    """``{package: version}`` that an environment lists, of conda and of pip."""
    lines = yaml.safe_load(environment.read_text())["dependencies"]
    by_pip = [line for part in lines if isinstance(part, dict) for line in part["pip"]]
    by_conda = [line for line in lines if isinstance(line, str)]
    return dict(line.split("=", 1) for line in by_conda) | dict(line.split("==", 1) for line in by_pip)


def test_there_are_rules():
    assert len(RULES) >= 23


@pytest.mark.parametrize("rule", RULES)
def test_rule_is_complete(rule):
    for directive in ("output", "log", "conda", "resources", "message", "script"):
        assert re.search(rf"^    {directive}:", RULES[rule], flags=re.MULTILINE), f"{rule} has no {directive}"
    for resource in ("mem_mb=", "runtime="):
        assert resource in RULES[rule]
    assert f'library=library("{script_of(rule).stem}")' in RULES[rule]


@pytest.mark.parametrize("rule", RULES)
def test_inputs_and_outputs_are_named(rule):
    for directive in ("input", "output", "params"):
        block = re.search(rf"^    {directive}:\n((?:        .*\n)+)", RULES[rule], flags=re.MULTILINE)
        for line in (block.group(1) if block else "").splitlines():
            if re.match(r"        [^\s#]", line) and line.strip() not in (")", "]", "),", "],", "}", "},"):
                assert re.match(r"        \w+=", line), f"{rule}, {directive}: {line.strip()}"


@pytest.mark.parametrize("rule", RULES)
def test_environment_lists_all_that_the_script_imports(rule):
    script = script_of(rule)
    files = [script, *modules_reached(script, SCRIPTS)]
    imported = {name.partition(".")[0] for file in files for name in imported_names(file)}
    imported -= {PACKAGE, *sys.stdlib_module_names}
    wanted = {CONDA_NAMES.get(name, name).lower() for name in imported}
    if rule in PROGRAMS:
        wanted.add(PROGRAMS[rule])
    environments = environments_of(rule)
    assert environments
    for environment in environments:
        missing = sorted(wanted - set(packages_of(environment)))
        assert not missing, f"{environment.name}, used by {rule}, lacks {missing}"


@pytest.mark.parametrize("environment", sorted((WORKFLOW / "envs").glob("*.yaml")), ids=lambda path: path.name)
def test_environment_is_pinned_and_used(environment):
    content = yaml.safe_load(environment.read_text())
    assert content["channels"] == ["conda-forge", "bioconda", "nodefaults"]
    for line in content["dependencies"]:
        for own in line["pip"] if isinstance(line, dict) else [line.replace("=", "==", 1)]:
            assert re.fullmatch(r"[a-z0-9._-]+==\d[\w.]*", own), f"{own} is not pinned"
    used = {path for rule in RULES for path in environments_of(rule)}
    assert environment in used, f"no rule uses {environment.name}"


def test_environments_and_lock_file_agree():
    locked = dict(
        line.lower().split("==") for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line
    )
    pip_names = {"pytorch": "torch", "matplotlib-base": "matplotlib"}
    for environment in (WORKFLOW / "envs").glob("*.yaml"):
        for package, version in packages_of(environment).items():
            name = pip_names.get(package, package)
            if name in locked:
                assert version == locked[name], f"{environment.name}: {package}"


def test_lock_file_holds_what_is_asked_for_and_no_index():
    locked = (ROOT / "requirements.lock").read_text().splitlines()
    for line in (ROOT / "requirements.in").read_text().splitlines():
        requirement = line.partition("#")[0].strip()
        assert not requirement or requirement in locked, f"requirements.lock lacks {requirement}; run `make lock`"
    assert all(re.fullmatch(r"#.*|[\w.-]+==[\w.]+", line) for line in locked)


def test_every_key_of_the_configuration_is_described_and_explained():
    schema = yaml.safe_load((WORKFLOW / "schemas/config.schema.yaml").read_text())
    explained = (ROOT / "config/README.md").read_text()

    def visit(part: dict, place: str) -> None:
        # The definition `run` is a part of sections that say what they are.
        assert part.get("description") or place == "run", f"{place} has no description"
        if "object" in part.get("type", ()) and "properties" in part:
            closed = False in (part.get("additionalProperties"), part.get("unevaluatedProperties"))
            assert closed or place == "run", f"{place} lets unknown keys pass"  # sections that take `run` close it
            for key, inner in part["properties"].items():
                inner = resolved(inner, schema)
                assert f"`{key}`" in explained, f"config/README.md does not explain `{key}` ({place})"
                visit(inner, f"{place}.{key}")
                if inner.get("type") == "object" and place == "config":
                    assert "default" in inner, f"{place}.{key} needs a default for its own defaults to be filled"
        if "items" in part:
            visit(part["items"], f"{place}[]")

    visit(schema, "config")
    for name, part in schema["$defs"].items():
        visit(part, name)


def test_every_definition_of_the_schema_is_used():
    text = (WORKFLOW / "schemas/config.schema.yaml").read_text()
    for name in yaml.safe_load(text)["$defs"]:
        assert f'"#/$defs/{name}"' in text, name


def params_of(rule: str) -> dict[str, str]:
    """``{param: expression}`` of a rule, for params that fit a line."""
    block = re.search(r"^    params:\n((?:        .*\n)+)", RULES[rule], flags=re.MULTILINE).group(1)
    return dict(re.findall(r"^        (\w+)=(.*),$", block, flags=re.MULTILINE))


def test_params_hold_what_changes_the_result_alone():
    for rule in ("pretrain_encoder", "build_training_set", "finetune_structure"):
        assert 'config["predict"]' not in RULES[rule], f"a setting of the prediction would rerun {rule}"
    stage = (WORKFLOW / "rules/predict.smk").read_text()
    keys = re.findall(r'"(\w+)"', re.search(r"^PREDICTION_SETTINGS = \((.*)\)$", stage, flags=re.MULTILINE).group(1))
    assert keys == ["window", "margin", "precision", "sensitivity", "partial", "device", "shards"]
    assert params_of("predict_shard")["settings"].endswith(" for key in PREDICTION_SETTINGS}")
    for rule in ("predict_shard", "merge_predictions"):
        assert 'settings=config["predict"]' not in RULES[rule]
        assert "batch_size" not in "".join(params_of(rule).values())
    assert 'config["predict"]["batch_size"]' in script_of("predict_shard").read_text()


def test_limits_of_reads_rerun_nothing_of_a_genome_without_reads():
    for rule in ("evaluate_genes", "plot_genome"):
        assert params_of(rule)["limits"] == "lambda wildcards: genomes.read_limits(wildcards.genome)"


def inputs_of(rule: str) -> list[str]:
    """Names of a rule's inputs but for the library."""
    block = re.search(r"^    input:\n((?:        .*\n)+)", RULES[rule], flags=re.MULTILINE).group(1)
    return [name for name in re.findall(r"^        (\w+)=", block, flags=re.MULTILINE) if name != "library"]


def test_training_needs_a_training_set_and_a_start():
    """No rule of training takes annotation, split or genomes again: the training set is all that it reads."""
    assert inputs_of("finetune_structure") == ["training_set", "start"]
    assert inputs_of("pretrain_encoder") == ["training_set", "tokenizer", "corpus"]
    assert inputs_of("carry_training") == ["training_set", "start"]


def test_the_split_becomes_intervals_once():
    """Roles, split mode and contig lists decide intervals in one rule; the others read its parts.bed.

    But for the blocks of sequence of the heads for regulation and expression, which are not those of loci.
    """
    deriving = {rule for rule, text in RULES.items() if "genomes.contig_parts()" in text or "genomes.roles()" in text}
    assert deriving == {"assign_splits", "locate_parts", "make_gene_windows", "report_leakage", "take_peaks"}
    assert [rule for rule, text in RULES.items() if "parts=expand(" in text.partition("output:")[2]] == ["locate_parts"]
    assert "contig_parts" not in RULES["report_leakage"]


def test_the_training_set_reads_what_the_check_rejected():
    assert 'rejected=[genes_file(name, "rejected.tsv") for name in genomes.split],' in RULES["build_training_set"]


def test_repeating_is_left_to_the_profile():
    repeated = {rule for rule, text in RULES.items() if re.search(r"^    retries:", text, flags=re.MULTILINE)}
    assert repeated == DOWNLOADS
    assert {rule for rule, text in RULES.items() if "attempt" in text} == DOWNLOADS
    for rule in DOWNLOADS:
        assert re.search(r"mem_mb=\d+,\n +runtime=\d+,\n", RULES[rule]), "they get no more when they are repeated"


@pytest.mark.parametrize("rule", [rule for rule, text in RULES.items() if "    localrule: True\n" not in text])
def test_rule_that_may_run_on_a_cluster_measures_itself(rule):
    assert re.search(rf"^    benchmark:\n        \"results/benchmarks/{rule}[/.]", RULES[rule], flags=re.MULTILINE)


def test_downloads_run_here_are_tried_again_and_leave_no_empty_file():
    for rule in DOWNLOADS:
        for line in ("    localrule: True", "    retries: DOWNLOAD_RETRIES", "        attempts_left=attempts_left,"):
            assert f"\n{line}\n" in RULES[rule], f"{rule} lacks {line.strip()}"
        assert re.search(r'=ensure\("resources/genomes/.*", non_empty=True\)', RULES[rule])
        kind = rule.partition("_")[2]
        deciding = "source_of_rnaseq" if kind == "rnaseq" else f'source("{kind}")'
        assert params_of(rule) == {"source": deciding}, "nothing else decides the file"


def test_the_manifest_is_input_of_nothing_but_all():
    assert not [rule for rule, text in RULES.items() if "manifest" in text and rule != "write_manifest"]
    assert '"resources/genomes/manifest.tsv"' in (ROOT / "Snakefile").read_text()


def test_a_trained_model_is_a_complete_model_folder():
    for name in RELEASED_MODEL_FILES:
        assert f"results/models/structure/{name}" in RULES["finetune_structure"]


def test_rule_files_keep_their_size():
    assert len((ROOT / "Snakefile").read_text().splitlines()) <= 70
    for file in (WORKFLOW / "rules").glob("*.smk"):
        text = file.read_text()
        assert len(text.splitlines()) <= 200, file.name
        assert text.startswith("# "), f"{file.name} opens with what goes in and comes out"
