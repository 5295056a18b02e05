"""One figure of an annotation check: how much was accepted, why the rest was not, and how long introns and CDS are.

Colours are of the Okabe-Ito palette, which colour-blind readers tell apart; every bar has its number beside it.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from phytoscribe.annotation.checking.tables import IN_WORDS, STRUCTURAL_REASONS, Reason
from phytoscribe.reporting.style import INK, RULE, STYLE

ACCEPTED, FAULT, OTHER = "#009E73", "#D55E00", "#9A9A9A"
_STYLE = STYLE | {"axes.titlesize": 10, "axes.titlelocation": "left"}
Summary = Mapping[str, Any]


def check_figure(genome: str, summary: Summary, thresholds: Mapping[str, float]) -> str:
    """SVG of a check's counts; the same bytes for the same numbers.

    Args:
        genome: its name, for the title.
        summary: content of ``check.json``.
        thresholds: ``warn_above`` and ``stop_above``, shares of coding transcripts.
    """
    reasons = _reasons(summary)
    with mpl.rc_context(_STYLE):
        figure = _drawn(genome, summary, thresholds, reasons)
        text = io.StringIO()
        figure.savefig(text, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def _drawn(genome: str, summary: Summary, thresholds: Mapping[str, float], reasons: Mapping[Reason, int]) -> Figure:
    height = 0.26 * max(3, len(reasons))
    figure = Figure(figsize=(8.4, 4.3 + height), layout="constrained")
    axes = figure.subplot_mosaic(
        [["share", "share"], ["reasons", "reasons"], ["introns", "cds"]], height_ratios=[0.55, height, 2.0]
    )
    figure.suptitle(
        f"{genome}: {summary['genes_accepted']:,} of {summary['genes']:,} genes and "
        f"{summary['transcripts_accepted']:,} of {summary['transcripts']:,} transcripts accepted",
        x=0.01,
        ha="left",
        fontsize=12,
    )
    _share(axes["share"], summary, thresholds)
    _bars(axes["reasons"], reasons)
    limits = summary["limits"]
    introns = {"minimum_intron": limits["minimum_intron"], "maximum_intron": limits["maximum_intron"]}
    _lengths(axes["introns"], summary["lengths"], "introns", "intron length (bp)", introns)
    _lengths(axes["cds"], summary["lengths"], "cds", "CDS length (bp)", {})
    return figure


def _reasons(summary: Summary) -> dict[Reason, int]:
    """Transcripts by reason, and genes that came without any, in the order of the checks."""
    counts = {
        reason: summary["rejected_by_reason"].get(reason, 0) + summary["whole_genes_by_reason"].get(reason, 0)
        for reason in Reason
    }
    return {reason: count for reason, count in counts.items() if count}


def _share(axes: Axes, summary: Summary, thresholds: Mapping[str, float]) -> None:
    total, faulty = summary["coding_transcripts"], summary["coding_transcripts_rejected"]
    axes.set_title(f"coding transcripts: {faulty:,} of {total:,} have a fault")
    share = faulty / total if total else 0.0
    axes.barh([0], [share], color=FAULT, height=0.7)
    axes.barh([0], [1 - share if total else 0.0], left=[share], color=ACCEPTED, height=0.7)
    for key, limit in thresholds.items():
        axes.axvline(limit, color=INK, linewidth=1.2, linestyle="--")
        axes.annotate(
            f"{key} {limit:g}", (limit, -0.42), xytext=(3, -2), textcoords="offset points", va="top", fontsize=8
        )
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.42, 0.42)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.xaxis.tick_top()
    axes.set_yticks([])
    axes.tick_params(length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def _bars(axes: Axes, reasons: Mapping[Reason, int]) -> None:
    axes.set_title("left out, by reason")
    if not reasons:
        axes.text(0.0, 0.5, "nothing was left out", transform=axes.transAxes)
        axes.set_axis_off()
        return
    colors = [FAULT if reason in STRUCTURAL_REASONS else OTHER for reason in reasons]
    drawn = axes.barh(range(len(reasons)), list(reasons.values()), color=colors, height=0.68)
    axes.bar_label(drawn, [f"{count:,}" for count in reasons.values()], padding=3, fontsize=9)
    axes.set_yticks(range(len(reasons)), [IN_WORDS[reason] for reason in reasons])
    axes.invert_yaxis()
    axes.set_xlabel("transcripts (and genes without any)")
    axes.margins(x=0.1)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    for label, color in (("faulty structure", FAULT), ("no fault, but no use here", OTHER)):
        axes.barh([0], [0], color=color, label=label)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 0.98), ncols=2, frameon=False, fontsize=9, handlelength=1.2)


def _lengths(axes: Axes, lengths: Mapping[str, Any], key: str, label: str, limits: Mapping[str, int]) -> None:
    edges, counts = lengths["edges"], lengths[key]
    axes.set_title(f"accepted: {sum(counts):,} {'introns' if key == 'introns' else 'coding sequences'}", pad=16)
    axes.stairs(counts, edges, fill=True, color=ACCEPTED)
    axes.set_xscale("log")
    filled = [number for number, count in enumerate(counts) if count]
    low, high = (edges[filled[0]], edges[filled[-1] + 1]) if filled else (edges[0], edges[-1])
    for name, limit in limits.items():
        axes.axvline(limit, color=INK, linewidth=1.2, linestyle="--")
        axes.annotate(
            name.replace("_intron", ""),
            (limit, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
        low, high = min(low, limit), max(high, limit)
    axes.set_xlim(low * 0.7, high * 1.4)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.xaxis.set_minor_formatter(LogFormatter())  # the default one writes formulas
    axes.set_xlabel(label)
    axes.grid(axis="y", color=RULE, linewidth=0.7)
    axes.set_axisbelow(True)
