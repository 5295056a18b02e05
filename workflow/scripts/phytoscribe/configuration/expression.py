"""The keys about expression: measured levels and heads, their files, and what the schema cannot say of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from phytoscribe.configuration.genomes import Genomes
from phytoscribe.configuration.mistakes import no_model_folder, nothing_to_learn_from, uneven_steps, unreadable
from phytoscribe.configuration.regulatory import encoder_of, head_mistakes
from phytoscribe.errors import ConfigError
from phytoscribe.intake.sources import reads_of_samples
from phytoscribe.intake.transfer.addresses import shown_url
from phytoscribe.models import EXPRESSION_FILES

Config = Mapping[str, Any]

NONE, TRAINED, FROZEN = "none", "trained", "frozen"
#: Where motifs come from that are those of no regulatory head.
LEARNED = "learned"
#: Scores of heads that are trained here.
SCORES = "results/evaluation/expression.tsv"
#: How far attributions of the heads can be trusted, and how much each place of a window moves them.
EXPLAINED = ("results/evaluation/expression_attribution.tsv", "results/evaluation/expression_profile.tsv")
_EXPLAINED = re.compile(
    rf"(?:\./)?(?:{'|'.join(map(re.escape, EXPLAINED))}|results/(?:expression/[^/.]+\.|tracks/[^/]+/)importance\.bw)"
)
#: What an expression head makes, unlike what is only read (``.measured.tsv``).
_TARGET = re.compile(rf"(?:\./)?(?:results/expression/[^/.]+\.tsv|results/models/expression/.+|{re.escape(SCORES)})")
#: Keys of section ``expression`` that decide a gene's window.
WINDOW_KEYS = ("input", "upstream", "downstream")


class ExpressionTargets:
    """Files of the expression heads that are made without being named, and which genomes have them."""

    def __init__(self, genomes: Genomes, config: Config) -> None:
        self._genomes, self._settings = genomes, config["expression"]
        self._explained = config["attribution"]["genes"] > 0

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

    def explained(self) -> list[str]:
        """Tables of what the heads look at, if the configuration asks for it: :data:`EXPLAINED`."""
        return list(EXPLAINED) if self._explained else []

    def explained_genomes(self) -> list[str]:
        """Genomes of whose genes some are explained: those with test genes, or all for heads of a folder."""
        return self._genomes.learnt_expression if self.trained else self._genomes.names

    def browser_track(self, wildcards: Any) -> list[str]:
        """The importance of each base beside the other tracks of a genome, if the configuration asks for it."""
        return [f"results/tracks/{wildcards.genome}/importance.bw"] if self._explained else []

    def targets(self) -> list[str]:
        """All files."""
        names = self._genomes.names if self._explained else []
        return [
            *self.levels(),
            *self.scores(),
            *self.explained(),
            *(f"results/expression/{name}.importance.bw" for name in names),
        ]


def head_files(model: str) -> list[str]:
    """Files of the heads that predict: trained here, or of a folder."""
    folder = "results/models/expression" if model == TRAINED else model.rstrip("/")
    return [f"{folder}/{file}" for file in EXPRESSION_FILES]


def window_settings(section: Config) -> dict[str, Any]:
    """What decides the windows of genes."""
    return {key: section[key] for key in WINDOW_KEYS}


def training_settings(section: Config) -> dict[str, Any]:
    """What of section ``expression`` decides trained heads."""
    return {key: value for key, value in section.items() if key not in ("model", "track")}


def expression_files(source: Config | None) -> list[str]:
    """The local files of measured levels behind ``genomes[].expression``, each once; none for reads."""
    if not source:
        return []
    if "path" in source:
        return [source["path"]]
    return list(dict.fromkeys(path for paths in source.get("salmon", {}).values() for path in paths))


def fetched_reads(genome: str, tissue: str, number: int, mate: str) -> str:
    """The file of reads that are downloaded; ``number`` counts the samples of the tissue from 1."""
    return f"resources/genomes/{genome}/rnaseq/{tissue}/{number}.{mate}.fastq"


def quantified_samples(genome: str, source: Config) -> dict[str, list[str]]:
    """``{tissue: files of salmon}`` of a genome whose expression is given as reads, a file for each sample."""
    folder = f"results/expression/salmon/{genome}"
    return {
        tissue: [f"{folder}/{tissue}/{number}/quant.sf" for number in range(1, len(samples) + 1)]
        for tissue, samples in source["reads"].items()
    }


def expression_mistakes(config: Config) -> Iterator[str]:
    """Expression of genes that no annotation names, and heads that nothing can train; reads no file."""
    yield from _head_mistakes(config)
    if config["attribution"]["genes"] and config["expression"]["model"] == NONE:
        yield (
            "attribution.genes: expression.model is none, so there is no head to ask; set it to trained or to the "
            "folder of trained heads, or set attribution.genes: 0"
        )
    for item in config["genomes"]:
        source, place = item.get("expression"), f"genomes[{item['name']}].expression"
        if source and not item.get("annotation"):
            yield f"{place}: its genes are those of an annotation, and there is none; add `annotation: {{path: ...}}`"
        for key in ("salmon", "reads"):
            if source and key in source and "tissues" in source:
                yield f"{place}.tissues: belongs to a table (`path`); the keys under `{key}` are the tissues already"
        yield from _reads_mistakes(place, source)


def _reads_mistakes(place: str, source: Config | None) -> Iterator[str]:
    """Files of reads that are given twice: reads would count double, or be no pairs."""
    places: dict[str, str] = {}
    for (tissue, number, mate), file in reads_of_samples(source).items():
        here = f"reads.{tissue}[{number}].{mate}"
        for key in ("path", "url"):
            if key in file and (there := places.setdefault(file[key], here)) != here:
                yield f"{place}.{here}: {shown_url(file[key])} is {there} already; name the file of these reads"


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


def check_expression_targets(requested: Iterable[str], config: Config) -> None:
    """Raise ConfigError for a requested file of heads where the configuration has none, or trains none to score.

    Args:
        requested: command-line arguments.
        config: the configuration.
    """
    model = config["expression"]["model"]
    for target in requested:
        if _EXPLAINED.fullmatch(target) and not config["attribution"]["genes"]:
            raise ConfigError(
                f"{target}: attribution.genes is 0; set it to the number of genes to explain (docs/expression.md)"
            )
        if not _TARGET.fullmatch(target):
            continue
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
