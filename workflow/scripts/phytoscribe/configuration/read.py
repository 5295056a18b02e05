"""From what Snakemake read out of the YAML files to a configuration that the rules can trust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from phytoscribe.configuration.checks import meaning_mistakes, surrounding_mistakes
from phytoscribe.configuration.expansion import expand_genomes
from phytoscribe.configuration.schema import fill_defaults, load_schema, repeated_keys, schema_mistakes
from phytoscribe.errors import ConfigError

#: Where the ready entries lie, seen from this file: the repository's folder config/catalogue.
CATALOGUE = Path(__file__).parents[4] / "config" / "catalogue"


def read_config(
    config: Mapping[str, Any],
    schema: str | Path,
    files: Sequence[str | Path] = (),
    catalogue: str | Path = CATALOGUE,
    look_around: bool = True,
    with_conda: bool = True,
) -> dict[str, Any]:
    """Check a configuration, write out its short forms and fill in the defaults.

    Args:
        config: the merged content of all configuration files.
        schema: path of the JSON schema (YAML).
        files: the configuration files themselves; named in messages, and searched for keys that are given twice.
        catalogue: folder of the ready entries that ``genomes[].catalogue`` names.
        look_around: also check that the files and programs exist; jobs on other machines leave this out, since the
            main process did it before it started them.
        with_conda: this run makes conda environments (`--sdm conda`), so programs need not be on PATH.

    Raises:
        ConfigError: one message with every mistake of the first kind found (form, short forms, meaning, missing files).
    """
    where = ", ".join(str(file) for file in files) or "the configuration"
    _stop_at(where, [mistake for file in files for mistake in repeated_keys(file)])
    rules = load_schema(schema)
    _stop_at(where, schema_mistakes(config, rules))
    genomes, mistakes = expand_genomes(config["genomes"], rules, Path(catalogue))
    _stop_at(where, mistakes)
    filled = fill_defaults({**config, "genomes": genomes}, rules)
    _stop_at(where, meaning_mistakes(filled))
    if look_around:
        _stop_at(where, surrounding_mistakes(filled, with_conda))
    return filled


def _stop_at(where: str, mistakes: Sequence[str]) -> None:
    if len(mistakes) == 1:
        raise ConfigError(f"{where}: {mistakes[0]}")
    if mistakes:
        lines = "".join(f"\n  - {mistake}" for mistake in mistakes)
        raise ConfigError(f"{where}: {len(mistakes)} mistakes:{lines}")
