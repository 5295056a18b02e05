"""Everything a report is made of, read from the files of the stages before; each part may be missing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from phytoscribe.errors import PhytoScribeError
from phytoscribe.reporting.drawing import KeptFigure, read_figures
from phytoscribe.reporting.result_tables import AGREEMENT, PLAUSIBILITY, PREDICTED_GENES, READS, TRANSCRIPTS, read_table
from phytoscribe.reporting.run_costs import read_costs
from phytoscribe.tables import read_scores

Json = dict[str, Any]
METRIC_COLUMNS = ("step", "name", "value")


@dataclass(frozen=True)
class GenomeInfo:
    """A genome of the configuration; ``scored_contigs`` is None where all of its contigs are scored."""

    name: str
    role: str
    lineage: str = "unknown"
    scored_contigs: Sequence[str] | None = None


@dataclass(frozen=True)
class ReportInputs:
    """Contents of the report; mappings are by genome name, and what was not made is absent or None."""

    genomes: list[GenomeInfo]
    config: Json = field(default_factory=dict)
    stats: Mapping[str, Json] = field(default_factory=dict)
    checks: Mapping[str, Json] = field(default_factory=dict)
    genes: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    isoseq: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    blast: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    predicted: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    reads: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    transcripts: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    agreement: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    plausibility: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    figures: Mapping[str, list[KeptFigure]] = field(default_factory=dict)
    own_figures: list[KeptFigure] = field(default_factory=list)
    links: Mapping[str, list[tuple[str, str]]] = field(default_factory=dict)
    bibliography: str = "citations.bib"
    costs: pd.DataFrame | None = None
    splits: pd.DataFrame | None = None
    leakage: pd.DataFrame | None = None
    tokenizer: Json | None = None
    pretrain: Json | None = None
    load_report: Json | None = None
    pretrain_metrics: pd.DataFrame | None = None
    structure_metrics: pd.DataFrame | None = None

    @property
    def trains(self) -> bool:
        """Whether the model that predicts was trained by this configuration, and is no released one."""
        return trains(self.config)


#: Files that a genome's section links to: name of the input, its suffix, and what it is called.
LINKED = (
    ("igv", "/igv_session.xml", "IGV session"),
    ("jbrowse", "/jbrowse/config.json", "JBrowse 2 configuration"),
    ("predicted", ".gff3", "predicted genes, GFF3"),
)


def trains(config: Mapping[str, Any]) -> bool:
    """Whether a configuration trains the model that it predicts with, and takes no released one."""
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
        files: paths by name, see the script ``make_report.py``; per genome lists, else one path; may be empty.
        genomes: the genomes, in the order of the configuration.
        config: the validated configuration.
        page: where the report will be; links are from there.
        benchmarks: the folder of Snakemake's benchmark files; None, or no such folder, for none.
    """
    genomes = list(genomes)

    def one(name: str) -> str | None:
        return files.get(name) or None

    def paths(name: str) -> list[str]:
        given = files.get(name) or []
        return [given] if isinstance(given, str) else list(given)

    def per_genome(name: str, suffix: str, read: Any) -> dict[str, Any]:
        return {Path(path).name.removesuffix(suffix): read(path) for path in paths(name)}

    def tables(name: str, columns: dict[str, type]) -> dict[str, pd.DataFrame]:
        return per_genome(name, f".{name}.tsv", lambda path: read_table(path, columns))

    shards = config.get("predict", {}).get("shards")
    links: dict[str, list[tuple[str, str]]] = {}
    for name, suffix, text in LINKED:
        for path in paths(name):
            target = os.path.relpath(path, Path(page).parent)
            links.setdefault(Path(str(path).removesuffix(suffix)).name, []).append((target, text))
    return ReportInputs(
        genomes=genomes,
        config=config,
        stats=per_genome("stats", ".stats.json", read_json),
        checks=per_genome("checks", ".check.json", read_json),
        genes=per_genome("genes", ".genes.tsv", read_scores),
        isoseq=per_genome("isoseq", ".isoseq.tsv", read_scores),
        blast=per_genome("blast", ".blast.tsv", read_scores),
        predicted=tables("predicted_genes", PREDICTED_GENES),
        reads=tables("isoseq_reads", READS),
        transcripts=tables("isoseq_transcripts", TRANSCRIPTS),
        agreement=tables("isoseq_agreement", AGREEMENT),
        plausibility=tables("plausibility", PLAUSIBILITY),
        figures={Path(folder).name: read_figures(folder) for folder in paths("figures")},
        links=links,
        costs=read_costs(benchmarks, [info.name for info in genomes], shards) if benchmarks else None,
        splits=_table(one("splits")),
        leakage=_table(one("leakage")),
        tokenizer=read_json(one("tokenizer")) if one("tokenizer") else None,
        pretrain=read_json(one("pretrain")) if one("pretrain") else None,
        load_report=read_json(one("load_report")) if one("load_report") else None,
        pretrain_metrics=_metrics(one("pretrain_metrics")),
        structure_metrics=_metrics(one("structure_metrics")),
    )


def read_json(path: str | Path) -> Json:
    """A JSON object.

    Raises:
        PhytoScribeError: the file is missing or no JSON object.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise PhytoScribeError(f"{path}: cannot be read as JSON ({error}); run its rule again") from error
    if not isinstance(content, dict):
        raise PhytoScribeError(f"{path}: a JSON object is expected; run its rule again")
    return content


def _table(path: str | None) -> pd.DataFrame | None:
    return None if path is None else pd.read_csv(path, sep="\t", keep_default_na=False)


def _metrics(path: str | None) -> pd.DataFrame | None:
    if path is None:
        return None
    metrics = pd.read_csv(path, sep="\t")
    if not set(METRIC_COLUMNS) <= set(metrics.columns):
        raise PhytoScribeError(f"{path}: columns {list(metrics.columns)} instead of {list(METRIC_COLUMNS)}")
    return metrics.loc[:, list(METRIC_COLUMNS)]
