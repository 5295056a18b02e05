"""How figures of the reports look: the same letters and lines in all of them, the same bytes for the same numbers."""

from __future__ import annotations

INK, RULE = "#26302b", "#d9ddd6"
STYLE = {
    "svg.hashsalt": "phytoscribe",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans"],
    "font.size": 10,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
