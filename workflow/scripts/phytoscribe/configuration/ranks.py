"""What a training job asks a cluster for, from the section ``training`` of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def places_of_ranks(training: Mapping[str, Any]) -> dict[str, Any]:
    """Snakemake resources: all GPUs, and for several nodes what makes it a task on each and lets it call srun.

    With ``mpi`` the SLURM plugin leaves srun to the job.  It reads ``tasks`` twice, the second time as tasks of each
    GPU, which ``tasks_per_gpu`` of zero leaves out.
    """
    devices, nodes = training["devices"], training["nodes"]
    if nodes == 1:
        return {"gpu": devices}
    return {"gpu": devices * nodes, "nodes": nodes, "tasks": nodes, "tasks_per_gpu": 0, "mpi": "srun"}
