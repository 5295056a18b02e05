"""Short forms of a genome's entry, written out: ``catalogue: <id>`` and ``source: {phytozome: ...}``.

The rules know the long form alone.  The order of strength, from weak to strong: the catalogue's entry, ``source``
beside it, ``genome`` and ``annotation`` beside both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from phytoscribe.configuration.schema import closest, repeated_keys, schema_mistakes
from phytoscribe.errors import ConfigError

Item = Mapping[str, Any]
Schema = Mapping[str, Any]

#: What every genome has once its entry is written out, and what to do where it is missing.
_NEEDED = {
    "name": "give the genome a short name",
    "role": "give one of train, validate, test, predict",
    "genome": "give `genome` with path, url or phytozome, or `source: {phytozome: ...}`, or `catalogue: <id>`",
}
#: What a catalogue cannot decide.
_NOT_OF_AN_ENTRY = ("catalogue", "role")


def expand_genomes(items: Sequence[Item], schema: Schema, catalogue: Path) -> tuple[list[Item], list[str]]:
    """The genomes of a configuration (valid against the schema) in the long form, and the mistakes found on the way.

    A mistake is an entry that the catalogue lacks or whose file is faulty, or a genome without name, role or genome.

    Args:
        catalogue: folder with one YAML file per ready entry, named by its id.
    """
    expanded, mistakes = [], []
    for number, item in enumerate(items, start=1):
        place = f"genomes[{item.get('name') or item.get('catalogue') or number}]"
        try:
            whole = expand(item, schema, catalogue)
        except ConfigError as error:
            mistakes.append(f"{place}.catalogue: {error}")
            continue
        mistakes += [
            f"{place}: key '{key}' is missing; {advice}" for key, advice in _NEEDED.items() if key not in whole
        ]
        expanded.append(whole)
    return expanded, mistakes


def expand(item: Item, schema: Schema, catalogue: Path) -> dict[str, Any]:
    """One genome's entry in the long form.

    ``annotation: false`` takes away the annotation that ``source`` or the catalogue would bring.

    Raises:
        ConfigError: its ``catalogue`` names no entry, or a faulty one.
    """
    base = catalogue_entry(item["catalogue"], schema, catalogue) if "catalogue" in item else {}
    whole = {**_without_source(base), **_without_source(item)}
    whole.pop("catalogue", None)
    if whole.get("annotation") is False:
        del whole["annotation"]
    return whole


def catalogue_entry(name: str, schema: Schema, catalogue: Path) -> dict[str, Any]:
    """The entry ``name`` of the catalogue; it has that name unless its file gives another.

    Raises:
        ConfigError: there is no such file, or it breaks the rules for the genomes of a configuration.
    """
    file = catalogue / f"{name}.yaml"
    if not file.is_file():
        known = catalogue_names(catalogue)
        said = f"its entries are: {', '.join(known)}" if known else f"the folder {catalogue} holds no entry"
        raise ConfigError(f"the catalogue has no entry '{name}'{closest(name, known)}; {said}")
    _stop_at(file, repeated_keys(file))
    entry = yaml.safe_load(file.read_text(encoding="utf-8"))
    _stop_at(file, list(_entry_mistakes(entry, schema)))
    return {"name": name, **entry}


def _stop_at(file: Path, mistakes: Sequence[str]) -> None:
    if mistakes:
        raise ConfigError(f"{file}: {'; '.join(mistakes)}")


def catalogue_names(catalogue: str | Path) -> list[str]:
    """The ids of all entries of the catalogue, sorted."""
    return sorted(file.stem for file in Path(catalogue).glob("*.yaml"))


def _entry_mistakes(entry: Any, schema: Schema) -> Iterator[str]:
    rules = {**schema["properties"]["genomes"]["items"], "$defs": schema["$defs"]}
    yield from schema_mistakes(entry, rules, whole="the entry")
    if isinstance(entry, Mapping):
        for key in _NOT_OF_AN_ENTRY:
            if key in entry:
                yield f"the key '{key}' is for the configuration alone"


def _without_source(item: Item) -> dict[str, Any]:
    """The item with ``source`` written out as ``genome`` and ``annotation``, where it does not give these itself."""
    whole = {key: value for key, value in item.items() if key != "source"}
    for key in ("genome", "annotation") if "source" in item else ():
        whole.setdefault(key, dict(item["source"]))
    return whole
