"""Genes that code for no protein and mobile elements: found by other programs, joined, counted and scored."""

from collections.abc import Mapping
from typing import Any

#: Column 2 of the genes that each program finds.
SOURCES = {"aragorn": "ARAGORN", "trnascan": "tRNAscan-SE", "barrnap": "pybarrnap", "rfam": "Infernal"}


def chosen_programs(config: Mapping[str, Any]) -> dict[str, str]:
    """Program, a key of :data:`SOURCES`, by the type of gene that a configuration has it find.

    ``ncRNA`` stands for all types that are not named.  A configuration need not have the section ``noncoding``.
    """
    section = config.get("noncoding", {})
    asked = {kind: section.get(key, "none") for kind, key in (("tRNA", "tRNA"), ("rRNA", "rRNA"), ("ncRNA", "rfam"))}
    # The key rfam holds the path of the models.
    return {kind: "rfam" if kind == "ncRNA" else value for kind, value in asked.items() if value != "none"}
