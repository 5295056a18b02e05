"""Start the processes of a training run, as ``training.devices`` and ``training.nodes`` request.

A single process is this one.  torchrun starts several processes on one node; for several nodes, srun starts one
torchrun on each.  Snakemake's SLURM plugin must then not run the job under srun itself (resource ``mpi``, set by the
training rules), because an inner step would find its node taken.  Each rank is ``python -m
phytoscribe.training.loop.launch JOB``; it counts the others and refuses to train if some are missing
(:class:`phytoscribe.training.loop.callbacks.AllRanks`).
"""

from __future__ import annotations

import logging
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from phytoscribe.errors import ConfigError, PhytoScribeError, ToolError

logger = logging.getLogger(__name__)

#: Where the torchruns of several nodes meet: a port of the first node, by the job's number, as jobs may share a node.
#: The range is below the one that systems deal out to whoever asks (from 32768 on Linux).
PORTS = range(20_000, 30_000)
#: Signals that torchrun hands on to its ranks, and the seconds that it then waits: a step, and saving a large model.
#: Of itself it would die of SIGUSR1, and kill its ranks 30 s after any other.
SIGNALS = "SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1"
PATIENCE = 900
#: The first rank validates while the others wait.
LONGEST_WAIT = timedelta(hours=12)
LIBRARY = Path(__file__).resolve().parents[3]


def run_on_ranks(work: Callable[[], None], ranks: Mapping[str, Any], run_folder: Path, threads: int) -> None:
    """Call ``work`` on each rank, or directly if there is only one.

    Args:
        work: must be picklable, such as a partial call of a module's function.
        ranks: section ``training`` of the configuration.
        run_folder: the job is written beside it, where all nodes can read it, and removed at the end.
        threads: of each rank.

    Raises:
        PhytoScribeError: the error of ``work`` on the first rank that failed.
    """
    devices, nodes = ranks["devices"], ranks["nodes"]
    if devices * nodes == 1:
        work()
        return
    run_folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=run_folder.parent, prefix=f"{run_folder.name}.job.") as folder:
        job = Path(folder) / "job.pickle"
        job.write_bytes(pickle.dumps(work))
        command = launch_command(job, devices, nodes, threads)
        logger.info("starting %d processes: %s", devices * nodes, " ".join(command))
        code = _run(command, threads)
        for failed in sorted(Path(folder).glob("error.*")):
            kind, message = pickle.loads(failed.read_bytes())
            raise kind(message)
        if code:
            raise ToolError(
                f"training in {devices * nodes} processes ended with exit code {code}; the log of this rule says why"
            )


def threads_of_ranks(cores: int, ranks: Mapping[str, Any]) -> int:
    """Threads for each rank, so that the ranks of a node share its cores.

    Args:
        cores: of the job on each node.
        ranks: section ``training`` of the configuration.

    Raises:
        ConfigError: several nodes have more ranks than cores; srun would refuse to start them.
    """
    devices, nodes = ranks["devices"], ranks["nodes"]
    if nodes > 1 and devices > cores:
        raise ConfigError(
            f"training.devices is {devices}, but the job has {cores} cores on each of its {nodes} nodes, and each "
            "process needs one; raise `set-threads` of this rule in profiles/slurm, or lower training.devices"
        )
    return max(1, cores // devices)


def launch_command(job: Path, devices: int, nodes: int, threads: int) -> list[str]:
    """The command that starts all ranks, with ``threads`` cores each.

    Raises:
        ConfigError: several nodes are requested outside a SLURM job that has them.
    """
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(devices), "--max-restarts", "0"]
    torchrun += ["--signals-to-handle", SIGNALS, "--shutdown-timeout", str(PATIENCE)]
    worker = ["-m", "phytoscribe.training.loop.launch", str(job)]
    if nodes == 1:
        return [*torchrun, "--standalone", *worker]
    if "SLURM_JOB_ID" not in os.environ or shutil.which("srun") is None:
        raise ConfigError(
            f"training.nodes is {nodes}, which needs a SLURM job; run with --profile profiles/slurm, or set it to 1"
        )
    number = os.environ["SLURM_JOB_ID"]
    meeting = ["--nnodes", str(nodes), "--rdzv-backend", "c10d", "--rdzv-id", number]
    meeting += ["--rdzv-endpoint", f"{socket.gethostname()}:{PORTS[int(number) % len(PORTS)]}"]
    # All flags are given: Snakemake's jobstep removes from the environment what srun would take them from.
    srun = ["srun", "--nodes", str(nodes), "--ntasks", str(nodes), "--ntasks-per-node", "1"]
    srun += ["--cpus-per-task", str(devices * threads), "--kill-on-bad-exit=1"]
    return [*srun, *torchrun, *meeting, *worker]


def _run(command: list[str], threads: int) -> int:
    """Run it with output to this process's log; a signal is handed on, and the end is waited for."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(LIBRARY), os.environ.get("PYTHONPATH")])),
        "OMP_NUM_THREADS": str(threads),
    }
    process = subprocess.Popen(command, env=environment, stdout=sys.stderr, stderr=sys.stderr)
    former = {
        number: signal.signal(number, lambda *_: process.send_signal(signal.SIGTERM))
        for number in (signal.SIGTERM, signal.SIGUSR1)
    }
    try:
        return process.wait()
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def run_rank(job: Path) -> None:
    """Run one rank: make the call in ``job``, and leave an error that a user can fix beside it for the launcher."""
    work = pickle.loads(job.read_bytes())
    own_device = int(os.environ["LOCAL_RANK"])
    # Where there are too few, training on GPUs refuses to start (runs.require_devices), and says so.
    if own_device < torch.cuda.device_count():
        torch.cuda.set_device(own_device)
    distributed.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=LONGEST_WAIT)
    rank = distributed.get_rank()
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO if rank == 0 else logging.WARNING,
        format=f"%(asctime)s %(levelname)s rank {rank} %(name)s: %(message)s",
        force=True,
    )
    logging.captureWarnings(True)
    try:
        work()
    except PhytoScribeError as error:
        logging.getLogger("phytoscribe").error("%s", error)
        (job.parent / f"error.{rank:04d}").write_bytes(pickle.dumps((type(error), str(error))))
        raise SystemExit(1) from None
    finally:
        distributed.destroy_process_group()


if __name__ == "__main__":
    run_rank(Path(sys.argv[1]))
