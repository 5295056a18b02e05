"""The HTML report: a single file that needs no other files and no network, and is small enough for e-mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import jinja2

from phytoscribe import __version__
from phytoscribe.files import atomic_open
from phytoscribe.reporting.blocks import Block, Figures, Heading, Paragraph, Section, Table
from phytoscribe.reporting.genome_section import ANCHOR, genome_section
from phytoscribe.reporting.inputs import ReportInputs
from phytoscribe.reporting.process_sections import process_sections
from phytoscribe.reporting.summary import overview_section, summary_section

FOLDER = Path(__file__).parent
#: Bytes of the page that details of genomes may fill it up to.
PAGE_BYTES = 4_500_000
#: More genomes than this are folded, and named in the navigation only together.
UNFOLDED, NAMED = 2, 12
WHERE = "Figures are in the folder figures/ beside this page, tables in results/evaluation/."


def write_report(inputs: ReportInputs, path: str | Path) -> None:
    """Write the report, completely or not at all: results first, then how they were obtained."""
    folded = len(inputs.genomes) > UNFOLDED
    sections = [
        *overview_section(inputs),
        summary_section(inputs),
        *(replace(genome_section(info, inputs), folded=folded) for info in inputs.genomes),
        *process_sections(inputs),
    ]
    with atomic_open(path) as handle:
        handle.write(render([info.name for info in inputs.genomes], sections))


def render(genomes: Sequence[str], sections: Sequence[Section]) -> str:
    """Render the page as text; everything from data is escaped.

    Details of sections are left out if the page would exceed :data:`PAGE_BYTES`: every section gets an equal share of
    the space, and unused space goes to the sections after it.  A sentence says what was left out.
    """
    environment = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FileSystemLoader(FOLDER),
    )
    template = environment.get_template("page.html.j2")
    show = environment.get_template("blocks.html.j2").module.show  # type: ignore[attr-defined]
    shown = f"{', '.join(genomes[:NAMED])}{f' and {len(genomes) - NAMED} more' if len(genomes) > NAMED else ''}"

    def page(parts: Sequence[Section]) -> str:
        return template.render(
            version=__version__,
            title=shown,
            style=(FOLDER / "page.css").read_text(encoding="utf-8").strip(),
            sections=parts,
            links=_navigation(parts, set(genomes)),
        )

    room = PAGE_BYTES - len(page(sections).encode())
    fitted = []
    for number, section in enumerate(sections):
        waiting = sum(bool(later.details) for later in sections[number:])
        details, used = _fitting(section, room // waiting if section.details else 0, show)
        room -= used
        fitted.append(replace(section, blocks=[*section.blocks, *details], details=[]))
    return page(fitted)


def _navigation(sections: Sequence[Section], genomes: set[str]) -> list[tuple[str, str]]:
    """(anchor, title) of the sections; many genomes have one line together."""
    links: list[tuple[str, str]] = []
    together = len(genomes) > NAMED
    for section in sections:
        if not (together and section.name.removeprefix(ANCHOR) in genomes):
            links.append((section.name, section.title))
        elif links[-1][1] != "Genomes":
            links.append((section.name, "Genomes"))
    return links


def _fitting(section: Section, share: int, show: Callable[[Block], str]) -> tuple[list[Block], int]:
    """The details of a section that take at most ``share`` bytes together, and the bytes that they take."""
    kept: list[Block] = []
    left_out = {"table": 0, "figure": 0}
    used = 0

    def fits(block: Block) -> bool:
        nonlocal used
        size = len(str(show(block)).encode())
        enough = used + size <= share
        used += size if enough else 0
        return enough

    for block in section.details:
        if isinstance(block, Figures):
            items = [item for item in block.items if fits(Figures([item]))]
            left_out["figure"] += len(block.items) - len(items)
            kept += [Figures(items)] if items else []
        elif fits(block):
            kept.append(block)
        elif isinstance(block, Table):
            left_out["table"] += 1
    if any(left_out.values()):
        followed = zip(kept, [*kept[1:], Heading("")])
        kept = [block for block, after in followed if not (isinstance(block, Heading) and isinstance(after, Heading))]
        what = [f"{count} {name}{'s' if count > 1 else ''}" for name, count in left_out.items() if count]
        kept.append(Paragraph(f"Left out to keep this page small: {' and '.join(what)}. {WHERE}", quiet=True))
    return kept, used
