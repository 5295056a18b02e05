"""What writes isoforms in a prediction or a completion: the settings of a method, with its files of a model folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from phytoscribe.decoding.isoforms import GENERATED, IsoformSettings
from phytoscribe.genome.junctions import JunctionReads
from phytoscribe.sentences.generated import GeneratedIsoforms
from phytoscribe.sentences.writing import Search


def isoform_settings(
    values: Mapping[str, Any], folder: Path, model: str, junctions: JunctionReads | None = None
) -> IsoformSettings:
    """Settings of the configuration's ``isoforms``, whose method is not ``none``.

    Args:
        values: the section, for method ``generated`` with the seed.
        folder: with the method's files.
        model: hash of the structure model that predicts.
        junctions: RNA-seq reads of the genome, which only a ranker uses.

    Raises:
        ModelError: a file is missing or damaged, or was made for another structure model.
    """
    writer = None
    if values["method"] == GENERATED:
        writer = GeneratedIsoforms.load(folder, Search.of_config(values["generated"], values["seed"]))
    return IsoformSettings.of_config(values, folder, model, junctions, writer)
