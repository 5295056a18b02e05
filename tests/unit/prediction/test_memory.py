"""Memory that threads free is shared and given back, and changes nothing."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest
from eager_model import predictor_of

import phytoscribe
from phytoscribe.prediction.pool import FreedMemory


def test_giving_back_memory_changes_nothing(model_folder, real_bases):
    memory = FreedMemory()
    memory.INTERVAL = 1
    predictor = predictor_of(model_folder)
    assert predictor.genes("x", real_bases, lambda _: memory.tidy()) == predictor.genes("x", real_bases)


#: Eight threads that are alive at the same time make and free 32 MiB each, one after the other.
THREADS_IN_TURN = """
import sys, threading
sys.path.insert(0, sys.argv[1])
import numpy as np
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from phytoscribe.prediction.pool import FreedMemory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

def work(_):
    together.wait()
    with one:
        arrays = [np.ones(1 << 20, np.uint8) for _ in range(32)]
        del arrays

memory, together, one = FreedMemory(), threading.Barrier(8), threading.Lock()
memory.INTERVAL = 1
before = resident()
with ThreadPoolExecutor(8) as pool:
    list(pool.map(work, range(8)))
    kept = resident() - before
    memory.tidy()
    print(kept, resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
def test_threads_share_what_has_been_freed():
    scripts = Path(phytoscribe.__file__).parents[1]
    command = [sys.executable, "-c", THREADS_IN_TURN, str(scripts)]
    kept, after = map(float, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    # Kept for the next arrays, once and not once a thread; and given back when it is time.
    assert 25 < kept < 80
    assert after < 10
