"""How figures of the reports look: the same letters, lines and colours in all, the same bytes for the same numbers.

Colours are of the Okabe-Ito palette, which colour-blind readers tell apart; what they mean is also said by a marker, a
place or a word.
"""

from __future__ import annotations

INK, RULE, SOFT = "#26302b", "#d9ddd6", "#8a948e"
STYLE = {
    "svg.hashsalt": "phytoscribe",
    # Names of contigs and genes may hold dollar signs, and no figure has a formula.
    "text.parse_math": False,
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "font.family": "sans-serif",
    # Comes with matplotlib, so widths are the same everywhere; Verdana is as wide where a reader lacks it.
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica"],
    "font.size": 10,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "legend.fontsize": 9,
}
#: A predictor as the report names it, in the order of its tables and figures.
PREDICTORS = {
    "phytoscribe": "PhytoScribe",
    "augustus": "AUGUSTUS",
    "longest_isoform": "longest isoform",
    "reference": "reference",
}
_COLORS = {"phytoscribe": "#009E73", "augustus": "#D55E00", "longest_isoform": "#CC79A7", "reference": "#5c6670"}
_MARKERS = {"phytoscribe": "o", "augustus": "s", "longest_isoform": "^", "reference": "D"}
READS, READS_OTHER_STRAND = "#56B4E9", "#c9d6de"


def color_of(predictor: str) -> str:
    return _COLORS.get(predictor, INK)


def marker_of(predictor: str) -> str:
    return _MARKERS.get(predictor, "v")


def name_of(predictor: str) -> str:
    return PREDICTORS.get(predictor, predictor.replace("_", " "))
