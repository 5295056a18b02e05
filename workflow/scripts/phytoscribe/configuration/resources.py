"""Cluster resources for the network's jobs: GPUs, or only processors if the configuration says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Rules of the network, and the section of the configuration that says where each computes.
SECTIONS = {
    "pretrain_encoder": "pretrain",
    "finetune_structure": "finetune",
    "predict_shard": "predict",
    "predict_first_shard": "predict",
    "train_isoforms": "predict",
    "train_gene_classes": "predict",
    "train_isoform_writer": "predict",
    "complete_annotation": "predict",
    "train_expression": "expression",
    "predict_expression": "expression",
    "explain_expression": "expression",
    "track_importance": "expression",
    "read_trunk": "predict",
    "embed_promoters": "predict",
    "train_regulatory": "regulatory",
    "predict_regulatory": "regulatory",
    "attribute_sites": "regulatory",
    "check_attribution": "regulatory",
}
#: The environment variable by which ``profiles/slurm`` learns :func:`rules_on_processors`.
ON_PROCESSORS = "PHYTOSCRIBE_ON_PROCESSORS"


def on_processors(section: Mapping[str, Any]) -> bool:
    """True if a section of :data:`SECTIONS` excludes GPUs, by ``device`` or by a precision that GPUs lack.

    ``device: auto`` uses a GPU if there is one, so its rule requests one.
    """
    return section["device"] in ("cpu", "mps") or section.get("precision") == "int8"


def rules_on_processors(config: Mapping[str, Any]) -> list[str]:
    """Network rules that need no GPU with this configuration."""
    return [rule for rule, section in SECTIONS.items() if on_processors(config[section])]


def place_of_prediction(predict: Mapping[str, Any]) -> dict[str, Any]:
    """Snakemake resources of a shard: a GPU, or nothing."""
    return {} if on_processors(predict) else {"gpu": 1}


def places_of_ranks(training: Mapping[str, Any], section: Mapping[str, Any]) -> dict[str, Any]:
    """Snakemake resources: all GPUs and, for several nodes, the settings for one task per node that can call srun.

    With ``mpi`` the SLURM plugin leaves srun to the job.  It reads ``tasks`` twice, the second time as tasks of each
    GPU, which ``tasks_per_gpu`` of zero leaves out.

    Args:
        training: section ``training`` of the configuration.
        section: ``pretrain`` or ``finetune``.
    """
    devices, nodes = training["devices"], training["nodes"]
    gpus = {} if on_processors(section) else {"gpu": devices * nodes}
    if nodes == 1:
        return gpus
    return {**gpus, "nodes": nodes, "tasks": nodes, "tasks_per_gpu": 0, "mpi": "srun"}
