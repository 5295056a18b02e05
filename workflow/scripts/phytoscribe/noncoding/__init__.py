"""Genes that code for no protein and mobile elements: found by other programs, joined, counted and scored."""

import os
from collections.abc import Mapping
from typing import Any

#: Column 2 of the genes that each program finds.
SOURCES = {"aragorn": "ARAGORN", "trnascan": "tRNAscan-SE", "barrnap": "pybarrnap", "rfam": "Infernal"}
#: What cmpress writes beside the models; cmscan reads nothing else of the covariance models.
PRESSED = (".i1m", ".i1i", ".i1f", ".i1p")


def chosen_programs(config: Mapping[str, Any]) -> dict[str, str]:
    """Program, a key of :data:`SOURCES`, by the type of gene that a configuration has it find.

    ``ncRNA`` stands for all types that are not named.  A configuration need not have the section ``noncoding``.
    """
    section = config.get("noncoding", {})
    asked = {kind: section.get(key, "none") for kind, key in (("tRNA", "tRNA"), ("rRNA", "rRNA"), ("ncRNA", "rfam"))}
    # The key rfam holds the path of the models.
    return {kind: "rfam" if kind == "ncRNA" else value for kind, value in asked.items() if value != "none"}


def pressed_mistake(models: str) -> str:
    """What is wrong with a file of covariance models for cmscan, and what to do; empty if nothing is."""
    ending = next((ending for ending in PRESSED if models.endswith(ending)), "")
    if ending:
        return f"{models}: this is one of the files that cmpress wrote; name the models: {models.removesuffix(ending)}"
    missing = [models + ending for ending in PRESSED if not os.path.isfile(models + ending)]
    if not missing:
        empty = [file for file in (models + ending for ending in PRESSED) if not os.path.getsize(file)]
        return f"{empty[0]}: the file is empty; run: cmpress -F {models}" if empty else ""
    if os.path.isdir(models):
        return f"{models}: is a folder; name the file of models in it, Rfam.cm"
    if models.endswith(".gz"):
        plain = models.removesuffix(".gz")
        return f"{models}: is not unpacked; run: gunzip {models} && cmpress {plain} and name {plain}"
    if not os.path.isfile(models):
        return f"{models}: no such file (relative paths start where Snakemake runs)"
    with open(models, "rb") as handle:
        begin = handle.read(10)
    if not begin.startswith(b"INFERNAL1"):
        return f"{models}: these are no covariance models of Infernal 1.1, which begin with INFERNAL1; give Rfam.cm"
    given = f"{missing[0]} is missing" if len(missing) < len(PRESSED) else "none of its four index files is there"
    return f"{models}: is not pressed ({given}); run: cmpress -F {models}"
