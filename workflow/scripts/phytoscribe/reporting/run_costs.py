"""Time and memory of the rules, from the files of Snakemake's ``benchmark`` directive."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from phytoscribe.errors import PhytoScribeError
from phytoscribe.reporting.drawing import Drawing
from phytoscribe.reporting.style import RULE, STYLE, color_of

GROUP = "costs"
#: The rule that writes the report: what is on disk of it is of the report before this one.
OWN_RULE = "report"
#: The rule with a file for each part of a genome.
SHARDED_RULE = "predict_shard"
COLUMNS = ("rule", "jobs", "seconds", "longest", "cpu_seconds", "memory_mb")


def read_costs(folder: str | Path, genomes: Iterable[str], shards: int | None = None) -> pd.DataFrame:
    """Costs by rule, the most expensive first: columns :data:`COLUMNS`.

    A file is ``{rule}.tsv``, or ``{rule}/{genome}.tsv``, ``{rule}/{genome}.{shard}.tsv``; those of other genomes, and
    of shards that there are no longer, are of earlier runs and left out.  ``seconds`` is the sum over the jobs,
    ``longest`` the longest of them, ``memory_mb`` the largest resident memory; memory that was not measured, as the
    job was too short, is NaN.

    Args:
        folder: of the benchmark files.
        genomes: names of the genomes of this configuration.
        shards: parts that each genome is predicted in (``predict.shards``); None to count all there are.

    Raises:
        PhytoScribeError: a file is no benchmark.
    """
    wanted = set(genomes)
    rows = []
    for path in sorted(Path(folder).rglob("*.tsv")):
        parts = path.relative_to(folder).with_suffix("").parts
        if parts[0] == OWN_RULE or (len(parts) > 1 and not _is_current(parts, wanted, shards)):
            continue
        try:
            table = pd.read_csv(path, sep="\t", na_values=["-"])
            seconds, memory, cpu = (float(table[column].iloc[-1]) for column in ("s", "max_rss", "cpu_time"))
        except (KeyError, IndexError, ValueError) as error:
            raise PhytoScribeError(f"{path}: no benchmark file ({error}); delete it") from error
        rows.append((parts[0], seconds, cpu, memory))
    jobs = pd.DataFrame(rows, columns=["rule", "seconds", "cpu_seconds", "memory_mb"])
    found = jobs.groupby("rule").agg(
        jobs=("seconds", "size"),
        longest=("seconds", "max"),
        seconds=("seconds", "sum"),
        cpu_seconds=("cpu_seconds", "sum"),
        memory_mb=("memory_mb", "max"),
    )
    return found.reset_index().sort_values(["seconds", "rule"], ascending=[False, True])[list(COLUMNS)]


def _is_current(parts: Sequence[str], genomes: Collection[str], shards: int | None) -> bool:
    """Whether ``(rule, genome)`` or ``(rule, genome.shard)`` is of a job that this configuration has."""
    rule, (genome, _, shard) = parts[0], parts[1].partition(".")
    if genome not in genomes:
        return False
    return rule != SHARDED_RULE or shards is None or not shard.isdigit() or int(shard) < shards


def costs_figures(costs: pd.DataFrame) -> Iterator[Drawing]:
    """Time and memory of each rule as bars; nothing without any."""
    if costs.empty:
        return
    yield _bars(costs, "seconds", "Time by rule, sum of its jobs", "seconds")
    yield _bars(costs, "memory_mb", "Largest memory by rule", "MB")


def _bars(costs: pd.DataFrame, column: str, title: str, unit: str) -> Drawing:
    values = costs[column].fillna(0)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.4, 0.8 + 0.23 * max(3, len(costs))))
        axes = figure.subplots()
        drawn = axes.barh(range(len(costs)), values, color=color_of("phytoscribe"), height=0.66)
        axes.bar_label(drawn, [f"{value:,.0f}" if value >= 1 else "< 1" for value in values], padding=3, fontsize=8)
        axes.set_yticks(range(len(costs)), costs["rule"])
        axes.set_ylim(len(costs) - 0.4, -0.6)
        axes.set_xlabel(unit)
        axes.margins(x=0.16)
        axes.grid(axis="x", color=RULE, linewidth=0.7)
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
    top = costs.loc[values.idxmax()]
    seen = f"Bars, {unit} by rule; most: {top['rule']}, {values.max():,.0f} {unit}."
    return Drawing(f"costs_{column}", GROUP, title, seen, figure, costs[["rule", "jobs", column]])
