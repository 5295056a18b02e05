"""The HTML report: one file that needs nothing beside it and no network."""

from __future__ import annotations

from pathlib import Path

import jinja2

from phytoscribe import __version__
from phytoscribe.files import atomic_open
from phytoscribe.reporting.blocks import Section
from phytoscribe.reporting.inputs import ReportInputs
from phytoscribe.reporting.process_sections import (
    check_section,
    config_section,
    software_section,
    split_section,
    training_section,
)
from phytoscribe.reporting.score_sections import (
    isoseq_section,
    predictions_section,
    scores_section,
    summary_section,
)

TEMPLATE = Path(__file__).with_name("page.html.j2")


def write_report(inputs: ReportInputs, path: str | Path) -> None:
    """Write the report; it appears complete or not at all."""
    with atomic_open(path) as handle:
        handle.write(render([info.name for info in inputs.genomes], sections_of(inputs)))


def sections_of(inputs: ReportInputs) -> list[Section]:
    """The report's sections in their order: results first, then how they came about."""
    return [
        summary_section(inputs),
        scores_section(inputs),
        isoseq_section(inputs),
        predictions_section(inputs),
        check_section(inputs),
        split_section(inputs),
        training_section(inputs),
        software_section(),
        config_section(inputs),
    ]


def render(genomes: list[str], sections: list[Section]) -> str:
    """The page as text; everything that comes from data is escaped."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(version=__version__, genomes=genomes, sections=sections)
