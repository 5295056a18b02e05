"""Modules that a script reaches, from its import statements."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoscribe.sources import PACKAGE, WITHOUT_RESULTS, imported_names, modules_reached, result_modules

SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"


@pytest.fixture
def scripts(tmp_path):
    files = {
        "phytoscribe/__init__.py": "",
        "phytoscribe/errors.py": "class Wrong(Exception): ...",
        "phytoscribe/genome/__init__.py": "",
        "phytoscribe/genome/fasta.py": "import numpy as np\nfrom phytoscribe.errors import Wrong",
        "phytoscribe/labels/__init__.py": "",
        "phytoscribe/labels/states.py": "from phytoscribe.labels import encode",
        "phytoscribe/labels/encode.py": "from phytoscribe.labels.states import X\nimport torch.nn as nn",
        "phytoscribe/unused.py": "import pandas",
        "run.py": "def main():\n    from phytoscribe.genome.fasta import Genome\n    import pysam",
        "circle.py": "from phytoscribe.labels import states",
    }
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def names(files, root):
    return [str(file.relative_to(root / "phytoscribe")) for file in files]


def test_imports_inside_functions_and_of_modules_are_followed(scripts):
    reached = modules_reached(scripts / "run.py", scripts)
    assert names(reached, scripts) == ["__init__.py", "errors.py", "genome/__init__.py", "genome/fasta.py"]
    assert {"numpy", "pysam"} <= set().union(*map(imported_names, [scripts / "run.py", *reached]))


def test_circles_end(scripts):
    reached = names(modules_reached(scripts / "circle.py", scripts), scripts)
    assert reached == ["__init__.py", "labels/__init__.py", "labels/encode.py", "labels/states.py"]


def test_plumbing_reruns_nothing(scripts):
    assert "errors.py" not in names(result_modules(scripts / "run.py", scripts), scripts)


def test_modules_that_are_called_plumbing_are_there():
    for name in WITHOUT_RESULTS:
        path = SCRIPTS / PACKAGE / name
        assert path.is_dir() if name.endswith("/") else path.is_file(), name


def test_a_genome_is_fetched_again_only_for_an_edit_that_could_change_it():
    package = SCRIPTS / PACKAGE
    result = {str(file.relative_to(package)) for file in result_modules(SCRIPTS / "download_genome.py", SCRIPTS)}
    assert {"genome/fasta.py", "intake/sources.py", "intake/phytozome/client.py"} <= result
    assert not {"programs.py", "configuration/genomes.py"} & result
    assert not [name for name in result if name.startswith("intake/transfer")]
