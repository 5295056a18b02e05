"""Downloads by several runs: any sequence of faults, killed processes, processes at the same time."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phytozome_server import Fault
from transfers import BODY, MD5, PAGE, QUICK, left, ranges

from phytoscribe.errors import DownloadError
from phytoscribe.intake.transfer.transfer import Expected, fetch

LIBRARY = Path(__file__).parents[4] / "workflow" / "scripts"

FAULTS = st.one_of(
    st.builds(Fault, cut_after=st.integers(0, 6000)),
    st.builds(Fault, cut_after=st.integers(0, 6000), chunked=st.booleans(), no_ranges=st.booleans()),
    st.builds(Fault, status=st.sampled_from([401, 404, 409, 416, 429, 500, 503])),
    st.builds(Fault, body=st.sampled_from([PAGE, b'{"error": "no"}', b""])),
    st.just(Fault()),
)


@settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    runs=st.lists(st.tuples(st.lists(FAULTS, max_size=5), st.booleans()), min_size=1, max_size=3),
    ranges_known=st.booleans(),
    validators=st.booleans(),
    checksum=st.booleans(),
)
def test_any_sequence_of_faults(server, tmp_path_factory, runs, ranges_known, validators, checksum):
    """Whatever happens over several runs, with a file that changes between them: a whole version or nothing."""
    folder = tmp_path_factory.mktemp("any")
    versions = [b">a\n" + bytes([letter]) * 5000 for letter in b"AC"]
    server.ranges, server.validators = ranges_known, validators
    now = 0
    for number, (faults, changes) in enumerate([*runs, ([], False)]):
        now ^= changes
        server.plain["a.fa"] = versions[now]
        server.forget("plain")
        server.plan("plain", *faults)
        md5 = hashlib.md5(versions[now]).hexdigest() if checksum else None
        (folder / "a.fa").unlink(missing_ok=True)
        try:
            fetch(server.url("a.fa"), folder / "a.fa", Expected(md5=md5), QUICK, wait=lambda _seconds: None)
        except DownloadError:
            assert number < len(runs), "without a fault it must arrive"
            assert not (folder / "a.fa").exists()
            assert left(folder) in ([], [".a.fa.part", ".a.fa.part.json"])
        else:
            assert (folder / "a.fa").read_bytes() == versions[now]
            assert left(folder) == ["a.fa"]


def start(url: str, target: Path, **expected) -> subprocess.Popen:
    code = (
        "import logging, sys; logging.basicConfig(level='INFO')\n"
        "from phytoscribe.intake.transfer.transfer import Expected, fetch\n"
        f"fetch({url!r}, {str(target)!r}, Expected(**{expected!r}))"
    )
    return run_python(code)


def start_source(url: str, target: Path) -> subprocess.Popen:
    """As a rule fetches a file: through :func:`phytoscribe.intake.sources.local_copy`."""
    code = (
        "import logging, shutil, sys; logging.basicConfig(level='INFO')\n"
        "from phytoscribe.intake.sources import Downloads, Wanted, local_copy\n"
        f"wanted = Wanted('x', 'genome', {{'url': {url!r}, 'md5': {MD5!r}}}, {str(target)!r})\n"
        "with local_copy(wanted, Downloads()) as (path, _): shutil.copy(path, wanted.output)"
    )
    return run_python(code)


def run_python(code: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(LIBRARY)},
        stderr=subprocess.PIPE,
        text=True,
    )


def until(condition, seconds=30.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def test_after_kill_9_the_rest_comes_by_range_request(server, tmp_path, waits):
    server.plan("plain", Fault(block=60_000, pause=0.1))
    killed = start(server.url("a.fa"), tmp_path / "a.fa", md5=MD5)
    until(lambda: size_of(tmp_path / ".a.fa.part") >= 300_000)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    arrived = size_of(tmp_path / ".a.fa.part")
    assert left(tmp_path) == [".a.fa.part", ".a.fa.part.json"]
    again = start(server.url("a.fa"), tmp_path / "a.fa", md5=MD5)
    _, said = again.communicate(timeout=120)
    assert again.returncode == 0, said
    assert hashlib.md5((tmp_path / "a.fa").read_bytes()).hexdigest() == MD5
    assert ranges(server) == [None, f"bytes={arrived}-"]
    assert server.requests[1].sent == len(BODY) - arrived
    assert left(tmp_path) == ["a.fa"]


def test_two_processes_take_turns(server, tmp_path):
    server.plan("plain", Fault(block=60_000, pause=0.1))
    first = start_source(server.url("a.fa"), tmp_path / "a.fa")
    until(lambda: size_of(tmp_path / "..a.fa.1.source.part") > 0)
    second = start_source(server.url("a.fa"), tmp_path / "a.fa")
    said = [process.communicate(timeout=120)[1] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), said
    assert "another process is fetching it; waiting" in said[1]
    assert [request.sent for request in server.requests] == [len(BODY)] * 2, "one after the other"
    assert (tmp_path / "a.fa").read_bytes() == BODY
    assert left(tmp_path) == ["a.fa"]


def test_the_second_takes_over_when_the_first_dies(server, tmp_path):
    server.plan("plain", Fault(block=60_000, pause=0.1))
    first = start_source(server.url("a.fa"), tmp_path / "a.fa")
    until(lambda: size_of(tmp_path / "..a.fa.1.source.part") > 0)
    second = start_source(server.url("a.fa"), tmp_path / "a.fa")
    assert "another process is fetching" in second.stderr.readline()
    first.kill()
    first.communicate()
    said = second.communicate(timeout=120)[1]
    assert second.returncode == 0, said
    assert "going on from byte" in said
    assert (tmp_path / "a.fa").read_bytes() == BODY
    assert left(tmp_path) == ["a.fa"]
    assert sum(request.sent for request in server.requests) < 1.5 * len(BODY)
