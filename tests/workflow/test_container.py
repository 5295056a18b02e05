"""The container: its definition beside the set-up that it repeats, and the image that `--sdm apptainer` takes."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from tiny_workflow import ROOT, start

DEFINITION = ROOT / "container/phytoscribe.def"
#: Stands in for Apptainer, which cannot be had from Debian: writes down the image, and runs the command outside.
APPTAINER = """#!/bin/bash
if [ "$1" = --version ]; then echo "apptainer version 1.3.4"; exit; fi
while [[ "$1" != *.sif ]]; do shift; done
echo "$1" >> "$CALLS"
shift
exec "$@"
"""


def sections() -> dict[str, list[str]]:
    """Lines of each section of the definition, by name."""
    parts = re.split(r"^%(\w+)\n", DEFINITION.read_text(), flags=re.MULTILINE)[1:]
    return {
        name: [line.strip() for line in text.splitlines() if line.strip()]
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


def with_apptainer(folder: Path) -> dict[str, str]:
    folder.mkdir()
    for name in ("apptainer", "singularity"):
        (folder / name).write_text(APPTAINER)
        (folder / name).chmod(0o755)
    path = os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])
    return {"PATH": path, "CALLS": str(folder / "calls")}


def test_the_definition_takes_its_steps_from_the_set_up():
    found = sections()
    places = dict(line.split() for line in found["files"])
    assert all((ROOT / source).is_file() for source in places)
    used = [line for line in found["post"] if line.startswith("bash ")]
    assert used == ["bash install_programs.sh", "bash make_environment.sh python3 /opt/phytoscribe/environment"]
    assert set(places) == {"requirements.lock", "tools/install_programs.sh", "tools/make_environment.sh"}
    assert any("/opt/phytoscribe/environment/bin" in line for line in found["environment"])
    version = re.search(r'__version__ = "(.*)"', (ROOT / "workflow/scripts/phytoscribe/__init__.py").read_text())
    assert f"Version {version.group(1)}" in found["labels"]


def test_without_an_image_one_message_says_how_to_build_it(house):
    done = start(house, "--sdm", "apptainer", "-n", "all")
    assert done.returncode == 1
    assert f"there is no image {house}/container/phytoscribe.sif; build it" in done.stdout
    assert "Traceback" not in done.stdout


def test_every_job_runs_in_the_image(house):
    variables = with_apptainer(house / "bin")
    image = house / "elsewhere.sif"
    image.touch()
    target = "resources/genomes/tiny/tiny.fa.fai"
    done = start(
        house, "--sdm", "apptainer", "--", target, environment=variables | {"PHYTOSCRIBE_CONTAINER": str(image)}
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert (house / target).stat().st_size
    assert Path(variables["CALLS"]).read_text().split() == [str(image)] * 2
