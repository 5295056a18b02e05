"""The keys about expression: measured levels and heads, their files, and what the schema cannot say of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from phytoscribe.configuration.genomes import Genomes
from phytoscribe.configuration.mistakes import no_model_folder, nothing_to_learn_from, uneven_steps, unreadable
from phytoscribe.configuration.regulatory import encoder_of, head_mistakes
from phytoscribe.errors import ConfigError
from phytoscribe.models import EXPRESSION_FILES

Config = Mapping[str, Any]

NONE, TRAINED, FROZEN = "none", "trained", "frozen"
#: Where motifs come from that are those of no regulatory head.
LEARNED = "learned"
#: Scores of heads that are trained here.
SCORES = "results/evaluation/expression.tsv"
#: What an expression head makes, unlike what is only read (``.measured.tsv``).
_TARGET = re.compile(rf"(?:\./)?(?:results/expression/[^/.]+\.tsv|results/models/expression/.+|{re.escape(SCORES)})")
#: Keys of section ``expression`` that decide a gene's window.
WINDOW_KEYS = ("input", "upstream", "downstream")


class ExpressionTargets:
    """Files of the expression heads that are made without being named, and which genomes have them."""

    def __init__(self, genomes: Genomes, config: Config) -> None:
        self._genomes, self._settings = genomes, config["expression"]

    @property
    def trained(self) -> bool:
        return self._settings["model"] == TRAINED

    @property
    def encoder(self) -> str:
        """Whether the heads that predict take features of the structure model: ``none`` or ``frozen``."""
        return encoder_of(self._settings, EXPRESSION_FILES[0])

    def levels(self) -> list[str]:
        """Predicted levels of all genomes; none with ``expression.model: none``."""
        if self._settings["model"] == NONE:
            return []
        return [f"results/expression/{name}.tsv" for name in self._genomes.names]

    def scores(self) -> list[str]:
        """The table of scores, where heads are trained and genes are held out for the test."""
        return [SCORES] if self.trained and self._genomes.tested(self._genomes.learnt_expression) else []

    def targets(self) -> list[str]:
        """All files."""
        return [*self.levels(), *self.scores()]


def head_files(model: str) -> list[str]:
    """Files of the heads that predict: trained here, or of a folder."""
    folder = "results/models/expression" if model == TRAINED else model.rstrip("/")
    return [f"{folder}/{file}" for file in EXPRESSION_FILES]


def window_settings(section: Config) -> dict[str, Any]:
    """What decides the windows of genes."""
    return {key: section[key] for key in WINDOW_KEYS}


def training_settings(section: Config) -> dict[str, Any]:
    """What of section ``expression`` decides trained heads."""
    return {key: value for key, value in section.items() if key != "model"}


def expression_files(source: Config | None) -> list[str]:
    """The local files behind ``genomes[].expression``, each once."""
    if not source:
        return []
    if "path" in source:
        return [source["path"]]
    return list(dict.fromkeys(path for paths in source["salmon"].values() for path in paths))


def expression_mistakes(config: Config) -> Iterator[str]:
    """Expression of genes that no annotation names, and heads that nothing can train; reads no file."""
    yield from _head_mistakes(config)
    for item in config["genomes"]:
        source, place = item.get("expression"), f"genomes[{item['name']}].expression"
        if source and not item.get("annotation"):
            yield f"{place}: its genes are those of an annotation, and there is none; add `annotation: {{path: ...}}`"
        if source and "salmon" in source and "tissues" in source:
            yield f"{place}.tissues: belongs to a table (`path`); the keys under `salmon` are the tissues already"


def _head_mistakes(config: Config) -> Iterator[str]:
    if config["expression"]["model"] != TRAINED:
        return
    yield from uneven_steps(config, "expression")
    if config["expression"]["motifs"] == TRAINED and config["regulatory"]["model"] != TRAINED:
        yield (
            "expression.motifs is 'trained', but no regulatory head is trained here; set regulatory.model to trained, "
            "name the folder of a regulatory head, or use learned"
        )
    remedy = "add `expression: {path: ...}` to one, or name the folder of trained heads"
    yield from nothing_to_learn_from(config, "expression", "expression", remedy, "heads are chosen")


def check_expression_targets(requested: Iterable[str], model: str) -> None:
    """Raise ConfigError for a requested file of heads where the configuration has none, or trains none to score.

    Args:
        requested: command-line arguments.
        model: the configuration's ``expression.model``.
    """
    for target in filter(_TARGET.fullmatch, requested):
        if model == NONE:
            raise ConfigError(
                f"{target}: expression.model is none; set it to trained, with measured expression of a genome, or to "
                "the folder of trained heads (docs/expression.md)"
            )
        if model != TRAINED and target.removeprefix("./") == SCORES:
            raise ConfigError(
                f"{target}: scores are made beside baselines that learn from the same genes, so only for heads that "
                "are trained here (expression.model: trained)"
            )


def expression_file_mistakes(config: Config) -> Iterator[str]:
    """Files of measured levels and of heads that are not there."""
    model = config["expression"]["model"]
    if model not in (NONE, TRAINED):
        instead = "the folder of trained heads, or use trained or none"
        yield from no_model_folder("expression.model", model, EXPRESSION_FILES, "heads", instead)
    motifs = config["expression"]["motifs"]
    if model == TRAINED and motifs not in (LEARNED, TRAINED):
        yield from head_mistakes("expression.motifs", motifs, "trained or learned")
    for item in config["genomes"]:
        for path in expression_files(item.get("expression")):
            yield from unreadable(f"genomes[{item['name']}].expression", path)
