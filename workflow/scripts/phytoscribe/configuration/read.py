"""Turn the content of the YAML files, as read by Snakemake, into a configuration that the rules can trust.

A genome's entry may use the short forms ``catalogue: <id>`` and ``source: {phytozome: ...}``, which are expanded here;
the rules only see the long form.  ``source`` takes precedence over the catalogue's entry, and ``genome`` and
``annotation`` over both.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from phytoscribe.configuration.addresses import without_secrets
from phytoscribe.configuration.checks import meaning_mistakes, surrounding_mistakes
from phytoscribe.configuration.schema import (
    closest,
    fill_defaults,
    load_schema,
    repeated_keys,
    schema_mistakes,
    unfolding_mistakes,
)
from phytoscribe.errors import ConfigError

#: The repository's folder, seen from this file.
INSTALLATION = Path(__file__).parents[4]
#: Where the ready entries lie.
CATALOGUE = INSTALLATION / "config" / "catalogue"
Item = Mapping[str, Any]
Schema = Mapping[str, Any]
#: What every genome has once its entry is written out, and what to do where it is missing.
_NEEDED = {
    "name": "give the genome a short name",
    "role": "give one of train, validate, test, predict",
    "genome": "give `genome` with path, url or phytozome, or `source: {phytozome: ...}`, or `catalogue: <id>`",
}
#: Defaults of ``finetune`` in mode ``self`` that differ: its genes are the model's own, so it learns little from them.
SELF_TRAINING = {"steps": 300, "learning_rate": 0.0001, "average": 0.98}
#: What a catalogue cannot decide.
_NOT_OF_AN_ENTRY = ("catalogue", "role")


#: Keys that may name a folder of a model; the words that they may have instead are no folders of the installation.
_MODELS = (
    ("predict", "model"),
    ("finetune", "from_model"),
    ("regulatory", "model"),
    ("expression", "model"),
    ("expression", "motifs"),
)


def read_config(
    config: Mapping[str, Any],
    schema: str | Path,
    files: Sequence[str | Path] = (),
    catalogue: str | Path = CATALOGUE,
    look_around: bool = True,
    with_conda: bool = True,
) -> dict[str, Any]:
    """Check a configuration, expand its short forms and fill in the defaults.

    Args:
        config: the merged content of all configuration files.
        schema: path of the JSON schema (YAML).
        files: the configuration files themselves; named in messages, and searched for repeated keys.
        catalogue: folder of the ready entries that ``genomes[].catalogue`` names.
        look_around: also check that the files and programs exist; jobs on other machines skip this, since the main
            process has done it before starting them.
        with_conda: this run creates conda environments (`--sdm conda`), so programs need not be on PATH.

    Raises:
        ConfigError: one message with every mistake of the first kind found (form, short forms, meaning, missing files).
    """
    where = ", ".join(str(file) for file in files) or "the configuration"
    _stop_at(where, [mistake for file in files for mistake in repeated_keys(file)])
    _stop_at(where, unfolding_mistakes(config))
    rules = load_schema(schema)
    _stop_at(where, schema_mistakes(config, rules))
    genomes, mistakes = _expand_genomes(config["genomes"], rules, Path(catalogue))
    _stop_at(where, mistakes)
    finetune = config.get("finetune", {})
    if finetune.get("mode") == "self":
        finetune = {**SELF_TRAINING, **finetune}
    filled = with_found_models(fill_defaults({**config, "genomes": genomes, "finetune": finetune}, rules))
    _stop_at(where, meaning_mistakes(filled))
    if look_around:
        _stop_at(where, surrounding_mistakes(filled, with_conda))
    return filled


def with_found_models(config: Mapping[str, Any], installation: Path = INSTALLATION) -> dict[str, Any]:
    """A copy in which the bundled models are found from any folder.

    A relative folder in a key of :data:`_MODELS` is relative to where Snakemake runs.  If it exists only in the
    installation, like the defaults, it is replaced by its path there.
    """
    found = copy.deepcopy(dict(config))
    for section, key in _MODELS:
        folder = found[section].get(key, "trained")
        if not os.path.isdir(folder) and os.path.isdir(installation / folder):
            found[section][key] = os.path.relpath(installation / folder)
    return found


def _stop_at(where: str, mistakes: Sequence[str]) -> None:
    if len(mistakes) == 1:
        raise ConfigError(f"{where}: {without_secrets(mistakes[0])}")
    if mistakes:
        lines = "".join(f"\n  - {without_secrets(mistake)}" for mistake in mistakes)
        raise ConfigError(f"{where}: {len(mistakes)} mistakes:{lines}")


def _expand_genomes(items: Sequence[Item], schema: Schema, catalogue: Path) -> tuple[list[Item], list[str]]:
    """The genomes of a configuration (valid against the schema) in the long form, and the mistakes found on the way.

    A mistake is an entry that the catalogue lacks or whose file is faulty, or a genome without name, role or genome.

    Args:
        catalogue: folder with one YAML file per ready entry, named by its id.
    """
    expanded, mistakes = [], []
    for number, item in enumerate(items, start=1):
        place = f"genomes[{item.get('name') or item.get('catalogue') or number}]"
        try:
            whole = _expand(item, schema, catalogue)
        except ConfigError as error:
            mistakes.append(f"{place}.catalogue: {error}")
            continue
        mistakes += [
            f"{place}: key '{key}' is missing; {advice}" for key, advice in _NEEDED.items() if key not in whole
        ]
        expanded.append(whole)
    return expanded, mistakes


def _expand(item: Item, schema: Schema, catalogue: Path) -> dict[str, Any]:
    """One genome's entry in the long form.

    ``annotation: false`` excludes the annotation from ``source`` or the catalogue.

    Raises:
        ConfigError: its ``catalogue`` names no entry, or a faulty one.
    """
    base = _catalogue_entry(item["catalogue"], schema, catalogue) if "catalogue" in item else {}
    whole: dict[str, Any] = {}
    for part in (base, item):
        if "source" in part:
            whole |= {key: dict(part["source"]) for key in ("genome", "annotation")}
        whole |= {key: value for key, value in part.items() if key not in ("source", "catalogue")}
    if whole.get("annotation") is False:
        del whole["annotation"]
    return whole


def _catalogue_entry(name: str, schema: Schema, catalogue: Path) -> dict[str, Any]:
    """The entry ``name`` of the catalogue; it has that name unless its file gives another."""
    file = catalogue / f"{name}.yaml"
    if not os.path.isfile(file):
        known = catalogue_names(catalogue)
        said = f"its entries are: {', '.join(known)}" if known else f"the folder {catalogue} holds no entry"
        raise ConfigError(f"the catalogue has no entry '{name}'{closest(name, known)}; {said}")
    mistakes = repeated_keys(file)
    entry = None if mistakes else yaml.safe_load(file.read_text(encoding="utf-8"))
    mistakes = mistakes or unfolding_mistakes(entry)
    if not mistakes:
        rules = {**schema["properties"]["genomes"]["items"], "$defs": schema["$defs"]}
        mistakes = schema_mistakes(entry, rules, whole="the entry")
    if isinstance(entry, Mapping):
        mistakes += [f"the key '{key}' is for the configuration alone" for key in _NOT_OF_AN_ENTRY if key in entry]
    if mistakes:
        raise ConfigError(f"{file}: {'; '.join(mistakes)}")
    return {"name": name, **entry}


def catalogue_names(catalogue: str | Path) -> list[str]:
    """The ids of all entries of the catalogue, sorted."""
    return sorted(file.stem for file in Path(catalogue).glob("*.yaml"))
