"""The evidence of a genome: its table, the file of its weights, and what the schema cannot say of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from phytoscribe.models import EVIDENCE_FILE

Config = Mapping[str, Any]


def junction_table(genome: str) -> str:
    """The table of a genome's junctions."""
    return f"results/evidence/{genome}.junctions.tsv"


def weights_file(model: str) -> str:
    """The weights of evidence: of the model's folder, or fitted here."""
    return f"{'results/models/evidence' if model == 'trained' else model.rstrip('/')}/{EVIDENCE_FILE}"


def evidence_mistakes(config: Config) -> Iterator[str]:
    """Evidence of nothing, and evidence that nothing can weigh; reads no file."""
    weighed = [item for item in config["genomes"] if item.get("evidence")]
    for item in weighed:
        place, evidence = f"genomes[{item['name']}].evidence", item["evidence"]
        if not evidence["rnaseq"] and not evidence["isoseq"]:
            yield f"{place}: names no evidence; list files under rnaseq, or set isoseq: true"
        if evidence["isoseq"] and not item["isoseq"]:
            yield f"{place}.isoseq: the genome has no Iso-Seq reads; add `isoseq: [{{path: ...}}]` to it"
    if weighed and config["predict"]["model"] == "trained" and all(item["role"] == "predict" for item in weighed):
        yield (
            f"genomes[{weighed[0]['name']}].evidence: predict.model is 'trained', and how much evidence weighs is "
            "learned from genes, but no genome with a part for validation has evidence; give evidence for one, or name "
            "the folder of a released model in predict.model"
        )


def evidence_file_mistakes(config: Config) -> Iterator[str]:
    """Files that are not there, and a model without weights."""
    weighed = [item for item in config["genomes"] if item.get("evidence")]
    for item in weighed:
        for number, path in enumerate(item["evidence"]["rnaseq"], start=1):
            place = f"genomes[{item['name']}].evidence.rnaseq[{number}]: {path}"
            if not os.path.isfile(path):
                wrong = "is a folder" if os.path.isdir(path) else "no such file"
                yield f"{place}: {wrong} (relative paths start where Snakemake runs)"
            elif not os.access(path, os.R_OK):
                yield f"{place}: no permission to read it"
    model = config["predict"]["model"]
    if weighed and model != "trained" and os.path.isdir(model) and not os.path.isfile(Path(model) / EVIDENCE_FILE):
        yield (
            f"genomes[{weighed[0]['name']}].evidence: {model} lacks {EVIDENCE_FILE}, which says how much evidence "
            "weighs; use a model that brings it, or leave evidence out"
        )
