"""Read everything that a report needs from the files of earlier stages; each part may be missing."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pandas as pd

from phytoscribe.errors import PhytoScribeError
from phytoscribe.reporting.drawing import KeptFigure, read_figures
from phytoscribe.reporting.process_figures import read_costs
from phytoscribe.tables import (
    CHANGED_GENES,
    EMBEDDING,
    NONCODING,
    PLAUSIBILITY,
    PREDICTED_GENES,
    PROFILE,
    READS,
    SCORES,
    Columns,
    read_table,
)

Json = dict[str, Any]
METRIC_COLUMNS = ["step", "name", "value"]
#: Columns that the report needs of the table of transcripts.
TRANSCRIPTS = {"predictor": str, "transcript": str, "gene": str, "class": str, "reads": float}


def read_json(path: str | Path) -> Json:
    """Read a JSON object.

    Raises:
        PhytoScribeError: the file is missing or is not a JSON object.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise PhytoScribeError(f"{path}: cannot be read as JSON ({error}); run its rule again") from error
    if not isinstance(content, dict):
        raise PhytoScribeError(f"{path}: a JSON object is expected; run its rule again")
    return content


def _table(path: str) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", keep_default_na=False)


def _label_table(path: str) -> pd.DataFrame:
    """A long table of labels, as of the scores of a head."""
    columns = {
        **dict.fromkeys(("model", "label", "subset", "measure"), str),
        "value": float,
        "low": float,
        "high": float,
    }
    return read_table(path, {**columns, "n": float, "base_rate": float})


def _points(path: str) -> pd.DataFrame:
    """Promoters as points."""
    return read_table(path, EMBEDDING)


@dataclass(frozen=True)
class PredictedLevels:
    """``results/expression/{genome}.tsv``.

    Attributes:
        table: a gene a line, with columns ``gene``, ``part``, ``reason`` and those of tissues.
        facts: what the lines above the header say, by their key.
    """

    table: pd.DataFrame
    facts: Mapping[str, str]


def _levels(path: str) -> PredictedLevels:
    with open(path, encoding="utf-8") as lines:
        notes = [line[2:].rstrip("\n") for line in itertools.takewhile(lambda line: line.startswith("# "), lines)]
    text = dict.fromkeys(("gene", "part", "reason"), str)
    table = pd.read_csv(path, sep="\t", skiprows=len(notes), dtype=text, keep_default_na=False, na_values=[""])
    if not set(text) <= set(table.columns):
        raise PhytoScribeError(f"{path}: columns {[*table.columns]} lack one of {[*text]}; run its rule again")
    return PredictedLevels(table.fillna({"reason": ""}), dict(note.split(": ", 1) for note in notes))


def _measured(path: str) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", dtype={"gene": str}, keep_default_na=False, na_values=[""])


def _metrics(path: str) -> pd.DataFrame:
    metrics = pd.read_csv(path, sep="\t")
    if not set(METRIC_COLUMNS) <= set(metrics.columns):
        raise PhytoScribeError(f"{path}: columns {[*metrics.columns]} instead of {METRIC_COLUMNS}; run its rule again")
    return metrics[METRIC_COLUMNS]


def _of_genomes(name: str, suffix: str, read: Callable[[str], Any]) -> Any:
    """A field by genome: the rule's input of this name has a file ``{genome}{suffix}`` of each genome."""

    def read_all(paths: Sequence[str]) -> Json:
        return {Path(path).name.removesuffix(suffix): read(path) for path in paths}

    return field(default_factory=dict, metadata={"input": name, "read": read_all})


def _tables(name: str, columns: Columns) -> Any:
    return _of_genomes(name, f".{name}.tsv", lambda path: read_table(path, columns))


def _of_run(name: str, read: Callable[[str], Any]) -> Json:
    """Metadata of a field: the rule's input of this name is one file, or none."""
    return {"input": name, "read": lambda paths: read(paths[0]) if paths else None}


@dataclass(frozen=True)
class GenomeInfo:
    """A genome of the configuration; ``scored_contigs`` is None if all of its contigs are scored."""

    name: str
    role: str
    lineage: str = "unknown"
    scored_contigs: Sequence[str] | None = None


@dataclass(frozen=True)
class ReportInputs:
    """Contents of the report; mappings are by genome name, and missing results are absent or None.

    A field read from a file names the input of rule report that holds it, and its reader.
    """

    genomes: list[GenomeInfo]
    config: Json = field(default_factory=dict)
    stats: Mapping[str, Json] = _of_genomes("stats", ".stats.json", read_json)
    checks: Mapping[str, Json] = _of_genomes("checks", ".check.json", read_json)
    genes: Mapping[str, pd.DataFrame] = _tables("genes", SCORES)
    isoforms: Mapping[str, pd.DataFrame] = _tables("isoforms", SCORES)
    evidence: Mapping[str, pd.DataFrame] = _tables("evidence", SCORES)
    changed: Mapping[str, pd.DataFrame] = _of_genomes(
        "changed", ".evidence_changes.tsv", lambda path: read_table(path, CHANGED_GENES)
    )
    isoseq: Mapping[str, pd.DataFrame] = _tables("isoseq", SCORES)
    blast: Mapping[str, pd.DataFrame] = _tables("blast", SCORES)
    predicted: Mapping[str, pd.DataFrame] = _tables("predicted_genes", PREDICTED_GENES)
    reads: Mapping[str, pd.DataFrame] = _tables("isoseq_reads", READS)
    transcripts: Mapping[str, pd.DataFrame] = _tables("isoseq_transcripts", TRANSCRIPTS)
    agreement: Mapping[str, pd.DataFrame] = _tables("isoseq_agreement", {"predictor": str})
    plausibility: Mapping[str, pd.DataFrame] = _tables("plausibility", PLAUSIBILITY)
    noncoding: Mapping[str, pd.DataFrame] = _tables("noncoding", NONCODING)
    noncoding_scores: Mapping[str, pd.DataFrame] = _of_genomes(
        "noncoding_scores", ".noncoding.tsv", lambda path: read_table(path, SCORES)
    )
    figures: Mapping[str, list[KeptFigure]] = _of_genomes("figures", "", read_figures)
    splits: pd.DataFrame | None = field(default=None, metadata=_of_run("splits", _table))
    leakage: pd.DataFrame | None = field(default=None, metadata=_of_run("leakage", _table))
    tokenizer: Json | None = field(default=None, metadata=_of_run("tokenizer", read_json))
    pretrain: Json | None = field(default=None, metadata=_of_run("pretrain", read_json))
    load_report: Json | None = field(default=None, metadata=_of_run("load_report", read_json))
    pretrain_metrics: pd.DataFrame | None = field(default=None, metadata=_of_run("pretrain_metrics", _metrics))
    structure_metrics: pd.DataFrame | None = field(default=None, metadata=_of_run("structure_metrics", _metrics))
    regulatory: pd.DataFrame | None = field(default=None, metadata=_of_run("regulatory", _label_table))
    attribution: pd.DataFrame | None = field(default=None, metadata=_of_run("attribution", _label_table))
    motifs: pd.DataFrame | None = field(default=None, metadata=_of_run("motifs", _table))
    logos: list[KeptFigure] | None = field(default=None, metadata=_of_run("logos", read_figures))
    filters: pd.DataFrame | None = field(default=None, metadata=_of_run("filters", _table))
    filter_logos: list[KeptFigure] | None = field(default=None, metadata=_of_run("filter_logos", read_figures))
    promoters: pd.DataFrame | None = field(default=None, metadata=_of_run("promoters", _points))
    promoter_scores: pd.DataFrame | None = field(default=None, metadata=_of_run("promoter_scores", _label_table))
    levels: Mapping[str, PredictedLevels] = _of_genomes("levels", ".tsv", _levels)
    measured: Mapping[str, pd.DataFrame] = _of_genomes("measured", ".measured.tsv", _measured)
    expression: pd.DataFrame | None = field(default=None, metadata=_of_run("expression", _label_table))
    expression_attribution: pd.DataFrame | None = field(
        default=None, metadata=_of_run("expression_attribution", _label_table)
    )
    expression_profile: pd.DataFrame | None = field(
        default=None, metadata=_of_run("expression_profile", lambda path: read_table(path, PROFILE))
    )
    own_figures: list[KeptFigure] = field(default_factory=list)
    links: Mapping[str, list[tuple[str, str]]] = field(default_factory=dict)
    costs: pd.DataFrame | None = None

    @property
    def trains(self) -> bool:
        """See :func:`trains`."""
        return trains(self.config)


#: Files that a genome's section links to: name of the input, its suffix, and what it is called.
LINKED = (
    ("igv", "/igv_session.xml", "IGV session"),
    ("jbrowse", "/jbrowse/config.json", "JBrowse 2 configuration"),
    ("predicted", ".gff3", "predicted genes, GFF3"),
    ("from_dna", ".dna.gff3", "the same from DNA alone, GFF3"),
    ("all_genes", ".all.gff3", "with RNA genes and mobile elements, GFF3"),
)


def trains(config: Mapping[str, Any]) -> bool:
    """True if a configuration trains the model that it predicts with, instead of using a released one."""
    return config.get("predict", {}).get("model") == "trained"


def read_inputs(
    files: Mapping[str, Any],
    genomes: Iterable[GenomeInfo],
    config: Json,
    page: str | Path = "results/report/report.html",
    benchmarks: str | Path | None = None,
) -> ReportInputs:
    """Read the report's input files.

    Args:
        files: paths by name of the rule's input: one, a list, or none; other inputs are not read.
        genomes: the genomes, in the order of the configuration.
        config: the validated configuration.
        page: path of the report; links are relative to it.
        benchmarks: the folder of Snakemake's benchmark files; it may be None or missing.
    """
    genomes = list(genomes)

    def paths(name: str) -> list[str]:
        given = files.get(name) or []
        return [given] if isinstance(given, str) else list(given)

    shards = config.get("predict", {}).get("shards")
    links: dict[str, list[tuple[str, str]]] = {}
    for name, suffix, text in LINKED:
        for path in paths(name):
            target = os.path.relpath(path, Path(page).parent)
            links.setdefault(Path(str(path).removesuffix(suffix)).name, []).append((target, text))
    from_files = [item for item in fields(ReportInputs) if item.metadata]
    read = {item.name: item.metadata["read"](paths(item.metadata["input"])) for item in from_files}
    costs = read_costs(benchmarks, [info.name for info in genomes], shards) if benchmarks else None
    return ReportInputs(genomes=genomes, config=config, links=links, costs=costs, **read)
