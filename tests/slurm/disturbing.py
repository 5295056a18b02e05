"""Training jobs on SLURM that are watched, and disturbed in the middle in every way that a cluster has.

They wait for most of their time, so tests begin them first (:func:`begin`) and ask for their outcome last.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from job_table import submitted_jobs
from slurm_chain import PROFILE, chain_config
from slurm_cluster import ask
from tiny_workflow import start, start_in_background, write_config

WEIGHTS = "results/models/pretrain/model.safetensors"
STEPS, CHECKPOINT_EVERY = 112, 8
#: Until a step is reached, or a job is in a state.
SECONDS = 1500
ENDED = ("COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL", "OUT_OF_MEMORY")


def make_training_house(folder: Path, prepared: Path, minutes: int | None = None, **ranks: int) -> Path:
    """A copy of a folder with all that training needs, set up to pretrain in ``STEPS`` steps.

    Args:
        minutes: limit of each job, which then comes without the profile's warning two minutes ahead.
        ranks: section ``training`` of the configuration.
    """
    shutil.copytree(prepared, folder, ignore=shutil.ignore_patterns("locks", "logs"))
    config = chain_config()
    config["pretrain"] |= {"steps": STEPS, "checkpoint_every": CHECKPOINT_EVERY, "batch_size": 4, "window": 4096}
    config["finetune"]["sequence_weight"] = 0  # which would ask for larger batches
    config["training"] = ranks
    write_config(folder, config)
    profile = folder / "profiles/slurm/profile.yaml"
    # Several of these train at a time, on few real cores.
    lines = profile.read_text().replace("pretrain_encoder: 8", "pretrain_encoder: 1").splitlines()
    if minutes:
        lines = [line.replace("runtime: 1440", f"runtime: {minutes}") for line in lines if "--signal=" not in line]
    profile.write_text("\n".join(lines))
    return folder


class Outcome(NamedTuple):
    """What became of a run: the state of each disturbed job, where each attempt began, and its weights."""

    states: list[str]
    began: list[int]
    weights: Path


def begin(pool: ThreadPoolExecutor, folder: Path, prepared: Path) -> dict[str, Future[Outcome]]:
    """Start all runs: disturbed and undisturbed, one process and one on each of two nodes."""
    nodes = {"devices": 1, "nodes": 2}
    return {
        # Two minutes: on a busy machine a job starts for the whole of the first.
        "one, disturbed": pool.submit(disturb_one_process, make_training_house(folder / "one", prepared, minutes=2)),
        "one": pool.submit(leave_alone, make_training_house(folder / "one_whole", prepared), "--cores", "1"),
        "nodes, disturbed": pool.submit(disturb_two_nodes, make_training_house(folder / "two", prepared, **nodes)),
        "nodes": pool.submit(leave_alone, make_training_house(folder / "two_whole", prepared, **nodes), *PROFILE),
    }


def leave_alone(folder: Path, *options: str) -> Outcome:
    """A run from start to end."""
    done = start(folder, *options, WEIGHTS)
    assert done.returncode == 0, done.stdout[-4000:]
    return Outcome([], [0], folder / WEIGHTS)


def disturb_one_process(folder: Path) -> Outcome:
    """Requeued, told to stop, killed, and stopped by its time limit, to which it is held up by force."""
    run = Training(folder, retries=6)
    states = []
    run.disturb(requeue)
    states.append(run.wait_for_end(run.disturb(send("USR1"))))
    states.append(run.wait_for_end(run.disturb(run.signals(".pretrain_encoder.py", signal.SIGKILL))))
    states.append(run.wait_for_end(run.disturb(run.signals(".pretrain_encoder.py", signal.SIGSTOP))))
    return run.finish(states)


def disturb_two_nodes(folder: Path) -> Outcome:
    """Told to stop, and killed on both nodes."""
    run = Training(folder, retries=4)
    states = [run.wait_for_end(run.disturb(send("TERM")))]
    states.append(run.wait_for_end(run.disturb(run.signals("phytoscribe.training.loop.launch", signal.SIGKILL))))
    return run.finish(states)


class Training:
    """A run of the profile that pretrains, in the background; its output is in ``snakemake.log``."""

    def __init__(self, folder: Path, retries: int) -> None:
        self.folder = folder
        self.log = folder / "snakemake.log"
        #: What each disturbed attempt had logged.
        self.attempts: list[str] = []
        self.process = start_in_background(folder, self.log, *PROFILE, "--retries", str(retries), "--", WEIGHTS)

    def disturb(self, how: Callable[[str], None], steps: int = 12) -> str:
        """Call ``how`` with the number of the job once it is some steps further than where it began."""
        job, text = self._wait(lambda: self._at(steps), f"no step {steps}")
        self.attempts.append(text)
        how(job)
        return job

    def wait_for_end(self, job: str) -> str:
        """The state in which SLURM ends the job."""
        return self._wait(lambda: state_of(job) in ENDED and state_of(job), f"job {job} does not end")

    def finish(self, states: list[str]) -> Outcome:
        """After the last attempt."""
        assert self.process.wait(SECONDS) == 0, self.said()
        texts = [*self.attempts, self._training_log()]
        began = [int(re.search(r"going on from step (\d+)", text).group(1)) for text in texts]
        return Outcome(states, began, self.folder / WEIGHTS)

    def signals(self, name: str, number: signal.Signals) -> Callable[[str], None]:
        """A signal to the training processes with ``name`` in their command, of which SLURM knows nothing."""

        def kill(job: str) -> None:
            found = self._processes(name)
            assert found, f"no process of {name}"
            signalled = 0
            for pid in found:
                # The launcher on one node may end because that on the other one just did.
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
                    signalled += 1
            assert signalled

        return kill

    def _processes(self, name: str) -> list[int]:
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                ours = Path(os.readlink(entry / "cwd")) == self.folder
            except OSError:
                continue  # it has ended
            if ours and name in command:
                found.append(int(entry.name))
        return found

    def said(self) -> str:
        return f"{self.log.read_text()[-3000:]}\n{self._training_log()[-3000:]}"

    def _at(self, steps: int) -> tuple[str, str] | None:
        job = next(iter(jobs_of(self.folder)), None)
        text = self._training_log()
        if self.attempts and text.startswith(self.attempts[-1][:200]):
            return None  # still that of the attempt before; its first line has another time
        began = re.search(r"going on from step (\d+)", text)
        done = re.findall(r"step (\d+)/", text)
        if job is None or began is None or not done or int(done[-1]) < int(began.group(1)) + steps:
            return None
        return job, text

    def _training_log(self) -> str:
        # Snakemake takes the log away as an attempt begins.
        file = self.folder / "logs/pretrain/encoder.log"
        return file.read_text() if file.exists() else ""

    def _wait(self, found: Callable, what: str):
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            if answer := found():
                return answer
            assert self.process.poll() is None, f"{what}\n{self.said()}"
            time.sleep(0.2)
        raise AssertionError(f"{what}\n{self.said()}")


def jobs_of(folder: Path) -> list[str]:
    """Running pretraining jobs of this folder."""
    lines = ask("squeue", "--noheader", "--states=RUNNING", "--format=%i %k %Z").splitlines()
    fields = [line.split() for line in lines]
    return [job for job, comment, place in fields if comment == "rule_pretrain_encoder" and Path(place) == folder]


def state_of(job: str) -> str:
    table = submitted_jobs(int(job) - 1)
    return table.loc[table["job"] == int(job), "state"].iloc[0]


def requeue(job: str) -> None:
    subprocess.run(["scontrol", "requeue", job], check=True, timeout=20)


def send(name: str) -> Callable[[str], None]:
    """``scancel --signal``, as a site's scripts do it before a limit."""

    def cancel(job: str) -> None:
        subprocess.run(["scancel", f"--signal={name}", job], check=True, timeout=20)

    return cancel
