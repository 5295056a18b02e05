"""Check the configuration against its JSON schema, report mistakes in plain words, and fill in defaults."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError

from phytoscribe.errors import ConfigError

Json = Any

#: Values of a configuration, aliases written out: a hundred thousand genomes fit.
MOST_VALUES = 2_000_000
#: What YAML makes of a text that looks like a number, a yes or no, or a date, if it has no quotes.
_SCALARS = (bool, int, float, date)
#: What the schema calls a type, in the words of a YAML file.
_TYPE_WORDS = {
    "object": "a mapping (key: value)",
    "array": "a list (- item)",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "empty",
}

_BOUNDS = {
    "minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than", "exclusiveMaximum": "less than",
}  # fmt: skip


def load_schema(path: str | Path) -> dict[str, Json]:
    """Read the YAML file that holds the schema (JSON Schema draft 2020-12)."""
    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def resolved(part: Mapping[str, Json], schema: Mapping[str, Json]) -> Mapping[str, Json]:
    """A part of ``schema`` with its ``$ref`` expanded; its own keys are added and take precedence."""
    if "$ref" not in part:
        return part
    base = resolved(schema["$defs"][part["$ref"].rpartition("/")[2]], schema)
    given, own = base.get("properties", {}), part.get("properties", {})
    return {**base, **part, "properties": {key: given.get(key, {}) | own.get(key, {}) for key in given | own}}


def schema_mistakes(config: Json, schema: Mapping[str, Json], whole: str = "the configuration") -> list[str]:
    """One line of text for each place where ``config`` breaks ``schema``, in order of the schema's keys.

    Args:
        whole: name of ``config`` in messages if it is wrong as a whole.
    """
    endless = [tuple(path) for path, value in _leaves(config) if isinstance(value, float) and not math.isfinite(value)]
    errors = Draft202012Validator(schema).iter_errors(config)
    return [
        *(f"{place_of(path, config) or whole}: this must be a finite number, not nan or inf" for path in endless),
        *(
            f"{place_of(error.absolute_path, config) or whole}: {_in_words(error, schema)}".rstrip()
            for error in sorted(errors, key=lambda error: [*map(str, error.absolute_path)])
            if tuple(error.absolute_path) not in endless
        ),
    ]


def _leaves(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    """All values that hold no others, with the way to them."""
    if isinstance(value, Mapping | list):
        for key, part in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _leaves(part, (*path, key))
    else:
        yield path, value


def fill_defaults(value: Json, schema: Mapping[str, Json], root: Mapping[str, Json] | None = None) -> Json:
    """A copy of ``value`` with all missing ``default`` values of the schema filled in, at all levels.

    Keys are in the schema's order, because Snakemake compares params as text and would rerun rules for another order.
    A missing object is created only if its schema has its own default (`default: {}` on the parent).  A whole number
    written with a point, such as 8.0, becomes an integer.
    """
    root = schema if root is None else root
    schema = resolved(schema, root)
    if isinstance(value, Mapping):
        parts = schema.get("properties", {})
        given = {key: part["default"] for key, part in parts.items() if "default" in part} | value
        order = [key for key in parts if key in given] + [key for key in given if key not in parts]
        return {key: fill_defaults(given[key], parts.get(key, {}), root) for key in order}
    if isinstance(value, list):
        return [fill_defaults(item, schema.get("items", {}), root) for item in value]
    return int(value) if isinstance(value, float) and schema.get("type") == "integer" else value


def repeated_keys(path: str | Path) -> list[str]:
    """Find keys that occur twice in a mapping of a YAML file (YAML silently keeps the last) or are not text.

    Raises:
        ConfigError: the file cannot be read, or is not YAML.
    """
    try:
        document = yaml.compose(Path(path).read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not a YAML file: {error}") from error
    mistakes: list[str] = []
    waiting = [document] if document is not None else []
    seen: set[int] = set()  # an alias is the node that it names, and may lie within that node
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        lines: dict[str, int] = {}
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                mistakes.append(f"line {line}: a key that is no text; put braces and brackets in quotes")
                continue
            if key.value in lines:
                mistakes.append(f"line {line}: key '{key.value}' was given already in line {lines[key.value]}")
            lines[key.value] = line
            waiting.append(value)
    return sorted(mistakes)


def unfolding_mistakes(config: Json) -> list[str]:
    """Find YAML aliases that lie within what they name, and nested aliases that expand to too much."""
    sizes: dict[int, int] = {}
    around: set[int] = set()

    def size_of(value: Json, path: tuple[str | int, ...]) -> int:
        if not isinstance(value, Mapping | list) or id(value) in sizes:
            return sizes.get(id(value), 1)
        if id(value) in around:
            raise ConfigError(
                f"{place_of(path, config)}: an alias (*name) of what it is itself a part of; write it out"
            )
        around.add(id(value))
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        size = 1 + sum(size_of(part, (*path, key)) for key, part in items)
        around.remove(id(value))
        sizes[id(value)] = size
        return size

    try:
        size = size_of(config, ())
    except ConfigError as error:
        return [str(error)]
    return [f"aliases (*name) unfold it to {size:.3g} values; at most {MOST_VALUES} fit"] if size > MOST_VALUES else []


def place_of(path: Iterable[str | int], config: Json) -> str:
    """A config location in readable form: ``genomes[athaliana].genome.path``; items by name or id."""
    text, value = "", config
    for step in path:
        value = value[step]
        if isinstance(step, int):
            name = value.get("name", value.get("catalogue")) if isinstance(value, Mapping) else None
            text += f"[{name if isinstance(name, str) else step + 1}]"
        else:
            text += f".{step}" if text else str(step)
    return text


def _as_number(value: Json) -> str | None:
    """A number such as 1e-3, which YAML reads as text, in a form that YAML reads as a number; None for other texts."""
    try:
        number = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        return None
    return f"{number:f}" if number is not None and number.is_finite() and abs(number.adjusted()) < 20 else None


def closest(word: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` for the nearest of ``known``, or an empty text."""
    near = get_close_matches(str(word), list(known), n=1, cutoff=0.6)
    return f" (did you mean '{near[0]}'?)" if near else ""


def _in_words(error: ValidationError, schema: Mapping[str, Json]) -> str:
    """What is wrong with a value, and what is allowed."""
    rule, limit, value = error.validator, error.validator_value, error.instance
    part = error.schema if isinstance(error.schema, Mapping) else {}
    meaning = part.get("description", "").strip()
    if rule in ("additionalProperties", "unevaluatedProperties"):
        allowed = sorted(resolved(part, schema)["properties"])
        said = ", ".join(f"'{key}'{closest(key, allowed)}" for key in value if key not in allowed)
        return f"unknown key {said}; allowed: {', '.join(allowed)}"
    if rule == "required":
        return f"key {', '.join(repr(key) for key in limit if key not in value)} is missing"
    if rule == "enum":
        return f"{value!r} is not allowed{closest(value, map(str, limit))}; allowed: {', '.join(map(str, limit))}"
    if rule == "type":
        names = [limit] if isinstance(limit, str) else limit
        wanted = " or ".join(_TYPE_WORDS[name] for name in names)
        if "string" in names and isinstance(value, _SCALARS) and re.search(part.get("pattern", ""), str(value)):
            return f"{value} given, but this must be {wanted}: put it in quotes. {meaning}"
        if "number" in wanted and (number := _as_number(value)):
            return f"{value!r} given, but this must be {wanted}, and YAML reads it as a text: write {number}. {meaning}"
        return f"{value!r} given, but this must be {wanted}. {meaning}"
    if rule == "const":
        return f"{value!r} given. {meaning}"
    if rule in _BOUNDS:
        return f"{value!r} given, but this must be {_BOUNDS[rule]} {limit}. {meaning}"
    return f"{error.message}. {meaning}"
