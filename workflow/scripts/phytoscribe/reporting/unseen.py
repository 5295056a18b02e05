"""Whether the genes that are scored are new to the model, as far as a run can tell.

A model that is trained here has not seen what roles and contigs of the configuration hold out.  A released one has
learned from other files: of those its folder names the species, but which of their contigs it has not seen, its README
says in words alone.
"""

from __future__ import annotations

import re

from phytoscribe.reporting.blocks import LISTED
from phytoscribe.reporting.inputs import GenomeInfo, ReportInputs

ROLES = {
    "train": "used for training",
    "validate": "held out for validation",
    "test": "held out for testing",
    "predict": "annotated only, no part of training",
}
UNKNOWN = "unknown"
_SPECIES = re.compile(r"<species:([^>]+)>")


def place_of(info: GenomeInfo, inputs: ReportInputs) -> str:
    """What a genome is to the model, in words; its role says so only of a model that is trained here."""
    if inputs.trains:
        return ROLES[info.role]
    return f"{'scored' if _is_scored(info, inputs) else 'annotated'} with a released model"


def read_as(info: GenomeInfo, inputs: ReportInputs) -> str | None:
    """The species that the model took a genome for, ``unknown`` if it has none of that name; None before prediction."""
    header = inputs.stats.get(info.name, {}).get("header", {})
    found = _SPECIES.search(str(header.get("read as", "")))
    return found.group(1) if found else None


def doubt(info: GenomeInfo, inputs: ReportInputs) -> str | None:
    """A warning where scores may be those of genes that a released model has learned from; else None."""
    if inputs.trains or not _is_scored(info, inputs) or read_as(info, inputs) in (None, UNKNOWN):
        return None
    contigs = info.scored_contigs or []
    if not contigs:
        scored = "all contigs here"
    elif len(contigs) <= LISTED:
        scored = f"the scored contigs ({', '.join(contigs)})"
    else:
        scored = f"the {len(contigs)} scored contigs"
    return (
        f"The model learned from this species. Unless {scored} are its test contigs (see its README), the scores are "
        "not those of unseen genes."
    )


def _is_scored(info: GenomeInfo, inputs: ReportInputs) -> bool:
    return info.name in inputs.genes or info.name in inputs.isoseq
