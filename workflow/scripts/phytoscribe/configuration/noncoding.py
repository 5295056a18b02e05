"""Checks of the section ``noncoding``: contradictions, and files that Infernal cannot use."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from phytoscribe.noncoding.pressed import pressed_mistake

Config = Mapping[str, Any]


def noncoding_mistakes(config: Config) -> Iterator[str]:
    """Find keys without effect; reads no file."""
    section = config["noncoding"]
    if section["clanin"] != "none" and section["rfam"] == "none":
        yield "noncoding.clanin: clans are only for the models of noncoding.rfam; name these too, or remove clanin"
    if section["drop_in_repeats"] and not any(item.get("repeats") for item in config["genomes"]):
        yield (
            "noncoding.drop_in_repeats: no genome has `repeats`, so no gene lies in mobile elements; add "
            "`repeats: {path: ...}` to a genome, or set drop_in_repeats: false"
        )


def noncoding_file_mistakes(config: Config) -> Iterator[str]:
    """Find models that are not there or not pressed, and a missing file of clans."""
    models, clans = config["noncoding"]["rfam"], config["noncoding"]["clanin"]
    if models != "none" and (mistake := pressed_mistake(models)):
        yield f"noncoding.rfam: {mistake}"
    if clans != "none" and not os.path.isfile(clans):
        yield f"noncoding.clanin: {clans}: no such file (relative paths start where Snakemake runs)"
