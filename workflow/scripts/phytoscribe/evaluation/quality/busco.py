"""BUSCO, https://busco.ezlab.org: the share of near-universal single-copy genes that were predicted.

BUSCO runs on the protein of each gene's first transcript, with a lineage folder that the user provides, and without the
network.  Proteins of further isoforms would count as duplicated genes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from phytoscribe.errors import ConfigError, ToolError
from phytoscribe.files import atomic_path, open_text, scratch_folder
from phytoscribe.programs import require, run

#: Keys of ``results`` in BUSCO's ``short_summary.*.json`` (5.4 to 6.0), by the names used here.
FIELDS = {
    "complete": "Complete percentage",
    "single_copy": "Single copy percentage",
    "duplicated": "Multi copy percentage",
    "fragmented": "Fragmented percentage",
    "missing": "Missing percentage",
    "searched": "n_markers",
}


#: Ends the id of a gene's first transcript in a prediction.
FIRST = ".t1"


def first_proteins(proteins: str | Path, target: str | Path) -> None:
    """Write the records of a prediction's protein FASTA that are of first transcripts."""
    with open_text(proteins) as source, Path(target).open("w", encoding="utf-8") as handle:
        kept = False
        for line in source:
            if line.startswith(">"):
                kept = line.split(maxsplit=1)[0].endswith(FIRST)
            if kept:
                handle.write(line)


def run_busco(proteins: str | Path, lineage: str | Path, name: str, threads: int, summary: str | Path) -> None:
    """Run BUSCO in protein mode on a prediction's proteins, one for each gene, and keep its summary as JSON.

    Raises:
        ConfigError: ``lineage`` is not the folder of a BUSCO lineage.
        ToolError: BUSCO is missing or fails.
    """
    folder = Path(lineage).resolve()
    if not (folder / "dataset.cfg").is_file():
        raise ConfigError(
            f"evaluate.busco.lineage: {lineage} is no unpacked BUSCO lineage (it has no dataset.cfg); fetch one with "
            "'busco --download brassicales_odb12' and give the folder busco_downloads/lineages/<name>"
        )
    program = require("busco", "evaluate.busco")
    with scratch_folder() as scratch:
        first_proteins(proteins, scratch / "proteins.faa")
        run([
            program, "--in", scratch / "proteins.faa", "--mode", "proteins", "--lineage_dataset", folder, "--out", name,
            "--out_path", scratch, "--cpu", str(threads), "--offline", "--force",
        ])  # fmt: skip
        found = sorted((scratch / name).glob("short_summary.specific.*.json"))
        if len(found) != 1:
            raise ToolError(f"busco wrote {len(found)} summaries short_summary.specific.*.json instead of one")
        read_summary(found[0])
        with atomic_path(summary) as temporary:
            temporary.write_bytes(found[0].read_bytes())


def read_summary(path: str | Path) -> dict[str, float]:
    """Percentages of complete, single-copy, duplicated, fragmented and missing BUSCOs, and the number searched.

    Raises:
        ToolError: the file is not a summary of BUSCO 5.4 or later.
    """
    try:
        results: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))["results"]
        return {name: float(results[key]) for name, key in FIELDS.items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ToolError(f"{path}: no JSON summary of BUSCO 5.4 or later ({error!r}); run BUSCO again") from error
