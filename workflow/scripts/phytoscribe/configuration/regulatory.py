"""The sections ``regulatory`` and ``attribution``, and ``genomes[].peaks``: their files, and what the schema cannot say
of them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from phytoscribe.configuration.genomes import Genomes
from phytoscribe.configuration.mistakes import (
    no_model_folder,
    nothing_to_learn_from,
    uneven_batch,
    uneven_steps,
    unreadable,
)
from phytoscribe.errors import ConfigError
from phytoscribe.models import REGULATORY_FILES

Config = Mapping[str, Any]

NONE, FROZEN = ENCODERS = ("none", "frozen")
#: The table of scores of the heads that this configuration trains.
SCORES = "results/evaluation/regulatory.tsv"
_TARGET = re.compile(rf"(?:\./)?(?:results/(?:models/)?regulatory/.+|{re.escape(SCORES)})")
#: How far attributions of the head can be trusted, the motifs that they spell, and the folder of their logos.
TRUST = "results/evaluation/attribution.tsv"
LOGOS = "results/motifs/regulatory"
MOTIFS = (f"{LOGOS}.meme", f"{LOGOS}.tsv", LOGOS)
#: What the filters of its motif stem look for; the folder of their logos.
FILTERS = "results/motifs/filters"
#: Promoters as points, and the numbers that say how much to read into them.
PROMOTERS = ("results/evaluation/promoter_embedding.tsv", "results/evaluation/promoter_embedding.scores.tsv")
_ATTRIBUTED = re.compile(rf"(?:\./)?(?:{re.escape(TRUST)}|results/motifs/.+)")
#: The name of a file in ``genomes[].peaks`` that has the labels in column 4.
ALL = "path"


class RegulatoryFiles:
    """Files of the regulatory head, and which genomes have them."""

    def __init__(self, genomes: Genomes, config: Config) -> None:
        self._genomes, self._config = genomes, config
        self._settings = config["regulatory"]

    @property
    def labelled(self) -> list[str]:
        """Genomes whose peaks train, choose or test the head: never those of role ``predict``."""
        return self._genomes.with_peaks

    @property
    def trained(self) -> bool:
        return self._settings["model"] == "trained"

    @property
    def encoder(self) -> str:
        """Whether the head that predicts takes features of the structure model: ``none`` or ``frozen``."""
        return encoder_of(self._settings, REGULATORY_FILES[0])

    @property
    def heads(self) -> list[str]:
        """Heads that are trained and scored; one without the encoder stands beside one with it."""
        return list(dict.fromkeys([NONE, self._settings["encoder"]]))

    def head(self) -> list[str]:
        """Files of the head that predicts."""
        return self.trained_head() if self.trained else files_of_head(self._settings["model"])

    def trained_head(self) -> list[str]:
        """Files of the head that is trained here."""
        return files_of_head(f"results/models/regulatory/{self.encoder}")

    def trunk(self, genomes: Iterable[str], encoder: str) -> list[str]:
        """Features of the structure model along genomes, for a head that takes them."""
        endings = ("trunk.npy", "trunk.json")
        names = genomes if encoder == FROZEN else ()
        return [f"results/regulatory/{name}.{ending}" for name in names for ending in endings]

    def lineage_of_unseen(self, genome: str) -> str | None:
        """The lineage of a genome; None for one whose peaks train the head."""
        return None if self.trained and genome in self.labelled else self._genomes[genome].lineage

    def labels(self, ending: str) -> list[str]:
        """``peaks.npz`` or ``parts.bed`` of the labelled genomes."""
        return [f"results/regulatory/{name}.{ending}" for name in self.labelled]

    def training_settings(self, encoder: str) -> dict[str, Any]:
        """What of the section decides a trained head."""
        return {
            **{key: value for key, value in self._settings.items() if key not in ("model", "tracks")},
            "encoder": encoder,
        }

    @property
    def attributed(self) -> bool:
        """Whether the head is asked what it looks at."""
        return bool(self._config["attribution"]["labels"])

    def scores(self) -> list[str]:
        """The table of scores, where a head is trained and blocks are held out for the test."""
        return [SCORES] if self.trained and self._genomes.tested(self.labelled) else []

    def instances(self) -> list[str]:
        """Instances of the motifs, a file for each labelled genome: contigs of two genomes may have one name."""
        return [f"results/motifs/{name}.hits.bed" for name in self.labelled]

    def attributions(self, *files: str) -> list[str]:
        """Files of the attribution, if the configuration asks for it."""
        return list(files) if self.attributed else []

    def embedding(self, *files: str) -> list[str]:
        """Files of the promoters as points, if the configuration asks for it."""
        return list(files) if self._config["attribution"]["promoters"] else []

    def browser_tracks(self, wildcards: Any) -> list[str]:
        """The folder of a genome's tracks beside its others, if the configuration makes any."""
        there = self._settings["model"] != "none" and self._settings["tracks"]
        return [f"results/tracks/{wildcards.genome}/regulatory"] if there else []

    def targets(self) -> list[str]:
        """All files that are made without being named; none with ``regulatory.model: none``."""
        if self._settings["model"] == "none":
            return []
        names = self._genomes.names
        files = [f"results/regulatory/{name}.bed" for name in names]
        if self._settings["tracks"]:
            files += [f"results/regulatory/{name}" for name in names]
        return [*files, *self.scores(), *self.attributions(TRUST, *MOTIFS, *self.instances(), f"{FILTERS}.tsv")]


def files_of_head(folder: str) -> list[str]:
    """Files of the head of a folder."""
    return [f"{folder.rstrip('/')}/{file}" for file in REGULATORY_FILES]


def head_mistakes(place: str, folder: str, other: str) -> Iterator[str]:
    """A folder that holds no regulatory head.

    Args:
        place: the key that names it.
        other: what the key may be instead.
    """
    instead = f"the folder of a trained head, or use {other}"
    yield from no_model_folder(place, folder, REGULATORY_FILES, "a regulatory head", instead)


def encoder_of(section: Config, file: str) -> str:
    """Whether the head that predicts takes features of the structure model: one of a folder says so itself.

    Args:
        section: ``regulatory`` or ``expression``.
        file: the JSON file that describes the head.

    Returns:
        ``none`` or ``frozen``; ``none`` if a folder does not tell.
    """
    model = section["model"]
    if model in ("none", "trained"):
        return section["encoder"]
    try:
        described = json.loads((Path(model) / file).read_text(encoding="utf-8"))
        return FROZEN if described["structure_model"] else NONE
    except (OSError, ValueError, KeyError, TypeError):
        return NONE  # the job that loads the head says what is wrong with it


def regulatory_mistakes(config: Config) -> Iterator[str]:
    """Peaks that cannot be read as they are named, and a head that nothing can train."""
    for item in config["genomes"]:
        peaks = item.get("peaks") or {}
        if ALL in peaks and len(peaks) > 1:
            yield (
                f"genomes[{item['name']}].peaks: `path` names one file with all labels in column 4, and cannot stand "
                "beside files of single labels; give either"
            )
    if config["attribution"]["labels"]:
        yield from _attribution_mistakes(config)
    if config["attribution"]["promoters"] and not any(
        item.get("expression") and item["role"] == "train" for item in config["genomes"]
    ):
        yield (
            "attribution.promoters: no genome of role train has `expression`; add `expression: {path: ...}` to one, or "
            "set attribution.promoters: false"
        )
    if config["regulatory"]["model"] != "trained":
        return
    yield from uneven_steps(config, "regulatory")
    yield from uneven_batch(config, "regulatory")
    remedy = "add `peaks: {LABEL: file}` to one, or name the folder of a trained head"
    yield from nothing_to_learn_from(config, "regulatory", "peaks", remedy, "the head is chosen and calibrated")


def _attribution_mistakes(config: Config) -> Iterator[str]:
    """An attribution without a head, or without sites to look at."""
    if config["regulatory"]["model"] == "none":
        yield (
            "attribution.labels: regulatory.model is none, so there is no head to ask; set it to trained or to the "
            "folder of a trained head, or set attribution.labels: 0"
        )
    elif not any(item.get("peaks") and item["role"] != "predict" for item in config["genomes"]):
        yield (
            "attribution.labels: sites are those of genomes[].peaks, and no genome of role train, validate or test has "
            "any; add peaks to one, or set attribution.labels: 0"
        )


def regulatory_file_mistakes(config: Config) -> Iterator[str]:
    """Peaks and files of a head that are not there."""
    for item in config["genomes"]:
        for label, path in (item.get("peaks") or {}).items():
            yield from unreadable(f"genomes[{item['name']}].peaks.{label}", path)
    motifs = config["attribution"]["motifs"]
    if config["attribution"]["labels"] and not os.path.isfile(motifs):
        yield f"attribution.motifs: {motifs}: no such file; name a file of known motifs in MEME format"
    model = config["regulatory"]["model"]
    if model not in ("none", "trained"):
        yield from head_mistakes("regulatory.model", model, "trained or none")


def check_regulatory_targets(requested: Iterable[str], config: Config) -> None:
    """Raise ConfigError for a requested file of the head where the configuration has none, or trains none to score.

    Args:
        requested: command-line arguments.
    """
    model = config["regulatory"]["model"]
    for target in requested:
        if target.removeprefix("./") in PROMOTERS and not config["attribution"]["promoters"]:
            raise ConfigError(
                f"{target}: attribution.promoters is false; set it to true, with measured expression of a genome "
                "(docs/expression.md)"
            )
        if _ATTRIBUTED.fullmatch(target) and not config["attribution"]["labels"]:
            raise ConfigError(
                f"{target}: attribution.labels is 0; set it to the number of labels to explain, or list them "
                "(docs/regulatory.md)"
            )
        if not _TARGET.fullmatch(target):
            continue
        if model == "none":
            raise ConfigError(
                f"{target}: regulatory.model is none; set it to trained, with peaks of a genome, or to the folder of a "
                "trained head (docs/regulatory.md)"
            )
        if model != "trained" and target.removeprefix("./") == SCORES:
            raise ConfigError(
                f"{target}: scores are made beside baselines that learn from the same blocks, so only for a head that "
                "is trained here (regulatory.model: trained)"
            )
