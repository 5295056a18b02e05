"""The evidence of a genome: its tables, the files of their weights, and what the schema cannot say of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from phytoscribe.configuration.mistakes import unreadable
from phytoscribe.models import EVIDENCE_FILE, PROTEIN_EVIDENCE_FILE

Config = Mapping[str, Any]


def junction_table(genome: str) -> str:
    """The table of a genome's junctions."""
    return f"results/evidence/{genome}.junctions.tsv"


def protein_table(genome: str) -> str:
    """The table of the proteins that are aligned to a genome."""
    return f"results/evidence/{genome}.proteins.tsv"


def weights_file(model: str, file: str = EVIDENCE_FILE) -> str:
    """The weights of reads, or of proteins (:data:`PROTEIN_EVIDENCE_FILE`): of the model's folder, or fitted here."""
    return f"{'results/models/evidence' if model == 'trained' else model.rstrip('/')}/{file}"


def has_reads(evidence: Mapping[str, Any] | None) -> bool:
    """Whether a genome's evidence names reads."""
    return bool(evidence and (evidence["rnaseq"] or evidence["isoseq"]))


def has_proteins(evidence: Mapping[str, Any] | None) -> bool:
    """Whether a genome's evidence names proteins."""
    return bool(evidence and evidence["proteins"])


#: What is weighed: whether a genome has it, the file of its weights, and its name.
KINDS = ((has_reads, EVIDENCE_FILE, "reads"), (has_proteins, PROTEIN_EVIDENCE_FILE, "proteins"))


def evidence_mistakes(config: Config) -> Iterator[str]:
    """Evidence of nothing, and evidence that nothing can weigh; reads no file."""
    weighed = [item for item in config["genomes"] if item.get("evidence")]
    for item in weighed:
        place, evidence = f"genomes[{item['name']}].evidence", item["evidence"]
        if not has_reads(evidence) and not has_proteins(evidence):
            yield f"{place}: names no evidence; list files under rnaseq or proteins, or set isoseq: true"
        if evidence["isoseq"] and not item["isoseq"]:
            yield f"{place}.isoseq: the genome has no Iso-Seq reads; add `isoseq: [{{path: ...}}]` to it"
    for has, _, name in KINDS:
        own = [item for item in weighed if has(item["evidence"])]
        if own and config["predict"]["model"] == "trained" and all(item["role"] == "predict" for item in own):
            yield (
                f"genomes[{own[0]['name']}].evidence: predict.model is 'trained', and how much {name} weigh is learned "
                f"from genes, but no genome with a part for validation has evidence by {name}; give it for one, or "
                "name the folder of a released model in predict.model"
            )


def evidence_file_mistakes(config: Config) -> Iterator[str]:
    """Files that are not there, and a model without weights."""
    weighed = [item for item in config["genomes"] if item.get("evidence")]
    for item in weighed:
        for key in ("rnaseq", "proteins"):
            for number, path in enumerate(item["evidence"][key], start=1):
                yield from unreadable(f"genomes[{item['name']}].evidence.{key}[{number}]", path)
    model = config["predict"]["model"]
    if model == "trained" or not os.path.isdir(model):
        return
    for has, file, name in KINDS:
        own = [item for item in weighed if has(item["evidence"])]
        if own and not os.path.isfile(Path(model) / file):
            yield (
                f"genomes[{own[0]['name']}].evidence: {model} lacks {file}, which says how much {name} weigh; use a "
                "model that brings it, or leave this evidence out"
            )
