"""What a failed rule tells: one message where the user can fix it, a traceback where the program is at fault."""

import errno
from pathlib import Path
from types import SimpleNamespace

import pytest

from phytoscribe.errors import ConfigError, DownloadError
from phytoscribe.session import run_script, warn


@pytest.fixture
def job(tmp_path):
    return SimpleNamespace(log=[str(tmp_path / "logs" / "rule.log")], rule="some_rule")


def failing(error):
    def main(_):
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ConfigError("config: wrong; mend it"), "config: wrong; mend it"),
        (OSError(errno.ENOSPC, "No space left on device"), "an output: No space left on device; make room"),
        (PermissionError(errno.EACCES, "Permission denied", "/a/b"), "/a/b: Permission denied; change the permissions"),
    ],
)
def test_what_a_user_can_fix_is_one_message(job, capsys, error, message):
    with pytest.raises(SystemExit) as stopped:
        run_script(failing(error), job)
    assert stopped.value.code == 1
    terminal = capsys.readouterr().err
    assert terminal.startswith(f"PhytoScribe, rule some_rule: {message}")
    assert terminal.count("\n") == 1
    log = Path(job.log[0]).read_text()
    assert message in log
    assert "Traceback" not in log


@pytest.mark.parametrize("left", [0, 1])
def test_a_failure_reaches_the_terminal_at_the_last_attempt(job, capsys, left):
    job.resources = SimpleNamespace(attempts_left=left)
    with pytest.raises(SystemExit) as stopped:
        run_script(failing(DownloadError("x: is not there (404)")), job)
    assert stopped.value.code == 1
    assert ("x: is not there (404)" in capsys.readouterr().err) is (left == 0)
    assert ("x: is not there (404); Snakemake tries again" in Path(job.log[0]).read_text()) is (left > 0)


@pytest.mark.parametrize("error", [ValueError("oops"), OSError(errno.EBADF, "Bad file descriptor")])
def test_a_fault_of_the_program_keeps_its_traceback(job, error):
    with pytest.raises(type(error)):
        run_script(failing(error), job)
    assert "Traceback" in Path(job.log[0]).read_text()


def test_a_warning_is_in_the_log_and_on_the_terminal(job, capfd):
    run_script(lambda _: warn("alga: hardly any genes"), job)
    assert capfd.readouterr().err == "PhytoScribe, warning: alga: hardly any genes\n"
    assert "WARNING phytoscribe: alga: hardly any genes" in Path(job.log[0]).read_text()
