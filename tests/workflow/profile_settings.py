"""What a profile gives to Snakemake, and what it says about it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tiny_workflow import ROOT


def profile_settings(
    file: str | Path, arguments: list[str], environment: dict[str, str] | None = None
) -> dict[str, Any]:
    """What a profile gives when Snakemake is started with these arguments."""
    done = read_profile(file, arguments, environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def read_profile(
    file: str | Path, arguments: list[str] | None = None, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess:
    """A profile read in a process of its own: JSON on stdout, its messages on stderr."""
    code = (
        "import json, sys, yte; path = sys.argv.pop(1);"
        "print(json.dumps(yte.process_yaml(open(path), require_use_yte=True)))"
    )
    variables = {key: value for key, value in os.environ.items() if key != "SNAKEMAKE_PROFILE"}
    return subprocess.run(
        [sys.executable, "-c", code, str(ROOT / file), *(arguments or [])],
        env=variables | (environment or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
