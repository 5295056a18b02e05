"""A real SLURM on this one machine: a controller, and three emulated nodes, two of them with two pretended GPUs each.

It needs Debian's packages and root, but neither systemd nor cgroups.  Everything lies in one folder, apart from links
in ``/etc/slurm``: the plugin's inner ``srun`` looks for its configuration nowhere else.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

SYSTEM_FOLDER = Path("/etc/slurm")
CONFIGURATION = ("slurm.conf", "gres.conf", "cgroup.conf")
DAEMONS = ("munged", "slurmctld", "slurmd")
COMMANDS = ("sbatch", "squeue", "scontrol", "scancel", "sinfo", "srun")
NODES = ("cpu1", "gpu1", "gpu2")
#: Seconds that a command which only asks or starts something may take.
SECONDS = 20

SLURM_CONF = """\
ClusterName=phytoscribe_tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# Credentials live as long as a requeued job waits before it starts again: two minutes if nothing is said.
AuthInfo=socket={folder}/run/munge.socket,cred_expire=10
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
ReturnToService=2
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd-%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd-%n.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/slurmd-%n
KillWait=3
# Finished jobs stay visible until the tests have counted them.
MinJobAge=3600
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,bf_interval=5,sched_interval=2,sched_min_interval=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
# Nodes may claim more cores and memory than this machine has, as much as the profile asks for.
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
GresTypes=gpu
DefMemPerCPU=500
NodeName=cpu1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=64 RealMemory=256000 State=UNKNOWN
NodeName=gpu1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=64 RealMemory=256000 Gres=gpu:2 State=UNKNOWN
NodeName=gpu2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[3]} CPUs=64 RealMemory=256000 Gres=gpu:2 State=UNKNOWN
PartitionName=cpu Nodes=cpu1 Default=YES MaxTime=2-00:00:00 DefaultTime=00:10:00 State=UP
PartitionName=gpu Nodes=gpu1,gpu2 Default=NO MaxTime=2-00:00:00 DefaultTime=00:10:00 State=UP
"""


def program(name: str) -> str | None:
    """Path of a program, also of those that only root's PATH has."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


def why_not() -> str | None:
    """Why SLURM cannot be started here, or None."""
    if os.geteuid() != 0:
        return "starting SLURM's daemons needs root"
    missing = [name for name in (*DAEMONS, *COMMANDS) if not program(name)]
    if missing:
        return f"SLURM is not installed (missing: {', '.join(missing)}); tools/install_programs.sh slurm brings it"
    for name in CONFIGURATION:
        link = SYSTEM_FOLDER / name
        if link.is_symlink() and is_abandoned(link):
            link.unlink()
        elif link.exists():
            return f"this machine has a SLURM already ({link}), which the tests leave alone"
    return None


def is_abandoned(link: Path) -> bool:
    """Whether a link is what an earlier run of these tests left behind, and nothing of that run is alive."""
    folder = Path(os.readlink(link)).parent
    return not folder.exists() or ((folder / "munge.key").exists() and not pids_of(folder))


def pids_of(folder: Path) -> list[int]:
    """Processes of the daemons by their pid files, in the order to stop them in."""
    names = [*(f"slurmd-{node}" for node in NODES), "slurmctld", "munged"]
    found = []
    for file in (folder / "run" / f"{name}.pid" for name in names):
        try:
            pid = int(file.read_text())
            command = Path(f"/proc/{pid}/comm").read_text().strip()
        except (OSError, ValueError):
            continue
        # A number that went to another program since then is not ours.
        if command in DAEMONS:
            found.append(pid)
    return found


class Cluster:
    """A running SLURM; :meth:`stop` ends it whatever happened before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self) -> None:
        """Start all daemons and wait for the nodes.

        Raises:
            RuntimeError: a node is not there in time.
            OSError: pretended GPUs cannot be made here.
        """
        for name in ("log", "run", "state"):
            (self.folder / name).mkdir()
        self._write_configuration()
        run, log = self.folder / "run", self.folder / "log"
        files = ("socket", "munge.socket"), ("pid-file", "munged.pid"), ("seed-file", "munged.seed")
        options = [f"--{option}={run / file}" for option, file in files]
        self._start(
            "munged", "--force", f"--key-file={self.folder}/munge.key", f"--log-file={log}/munged.log", *options
        )
        self._start("slurmctld")
        for node in NODES:
            self._start("slurmd", "-N", node)
        self._wait_for_nodes()

    def _write_configuration(self) -> None:
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        for number in range(2):
            # SLURM wants character devices; these are two more names of /dev/null.
            os.mknod(self.folder / f"nvidia{number}", 0o666 | 0o020000, os.makedev(1, 3))
        texts = (
            SLURM_CONF.format(folder=self.folder, host=socket.gethostname().partition(".")[0], ports=free_ports(4)),
            f"AutoDetect=off\nNodeName=gpu[1-2] Name=gpu File={self.folder}/nvidia[0-1]\n",
            "CgroupPlugin=cgroup/v1\n",
        )
        SYSTEM_FOLDER.mkdir(exist_ok=True)
        for name, text in zip(CONFIGURATION, texts, strict=True):
            (self.folder / name).write_text(text)
            (SYSTEM_FOLDER / name).symlink_to(self.folder / name)

    def _start(self, name: str, *arguments: str) -> None:
        with (self.folder / "log" / "start.log").open("a") as log:
            subprocess.run([program(name), *arguments], stdout=log, stderr=log, check=True, timeout=SECONDS)

    def _wait_for_nodes(self, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if ask("sinfo", "--noheader", "--Node", "--format=%t").split() == ["idle"] * len(NODES):
                return
            time.sleep(0.5)
        logs = "\n".join(file.read_text()[-1500:] for file in (self.folder / "log").glob("*.log"))
        raise RuntimeError(f"the nodes are not idle after {seconds} s\n{logs}")

    def stop(self) -> None:
        """End jobs and daemons by their pid files, and take the links away."""
        try:
            subprocess.run(["scancel", "--user=root"], timeout=SECONDS, check=False)
            time.sleep(2)
        except (OSError, subprocess.TimeoutExpired):
            pass  # the controller is not up: then nothing runs under it
        finally:
            for pid in pids_of(self.folder):
                end(pid)
            for name in CONFIGURATION:
                link = SYSTEM_FOLDER / name
                if link.is_symlink() and os.readlink(link) == str(self.folder / name):
                    link.unlink()


def end(pid: int, seconds: float = 10) -> None:
    """Ask a process to end; kill it where it does not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, number)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                os.kill(pid, 0)
                time.sleep(0.1)
        except ProcessLookupError:
            return


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def ask(*command: str) -> str:
    """What a command of SLURM prints; nothing where it fails."""
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS).stdout
