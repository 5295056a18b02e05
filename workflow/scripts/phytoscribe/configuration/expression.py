"""The keys about expression: files of measured levels, and what the schema cannot say of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

Config = Mapping[str, Any]


def expression_files(source: Config | None) -> list[str]:
    """The local files behind ``genomes[].expression``, each once."""
    if not source:
        return []
    if "path" in source:
        return [source["path"]]
    return list(dict.fromkeys(path for paths in source["salmon"].values() for path in paths))


def expression_mistakes(config: Config) -> Iterator[str]:
    """Expression of genes that no annotation names; reads no file."""
    for item in config["genomes"]:
        source, place = item.get("expression"), f"genomes[{item['name']}].expression"
        if source and not item.get("annotation"):
            yield f"{place}: its genes are those of an annotation, and there is none; add `annotation: {{path: ...}}`"
        if source and "salmon" in source and "tissues" in source:
            yield f"{place}.tissues: belongs to a table (`path`); the keys under `salmon` are the tissues already"


def expression_file_mistakes(config: Config) -> Iterator[str]:
    """Files that are not there."""
    for item in config["genomes"]:
        for path in expression_files(item.get("expression")):
            place = f"genomes[{item['name']}].expression: {path}"
            if not os.path.isfile(path):
                wrong = "is a folder" if os.path.isdir(path) else "no such file"
                yield f"{place}: {wrong} (relative paths start where Snakemake runs)"
            elif not os.access(path, os.R_OK):
                yield f"{place}: no permission to read it"
