"""Every benchmark that is a command finds the library by itself, or says in its first lines how to."""

import ast
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
COMMANDS = [path for path in sorted(BENCHMARKS.glob("*.py")) if '__name__ == "__main__"' in path.read_text()]


def finds_the_library(path: Path) -> bool:
    """Whether the path to the library is set before something of it is imported, by a script or what it imports."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Expr) and ast.unparse(node).startswith("sys.path.insert"):
            return True
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            other = BENCHMARKS / f"{name}.py"
            if name.partition(".")[0] == "phytoscribe":
                return False
            if other.exists() and "phytoscribe" in other.read_text():
                return finds_the_library(other)
    return True


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.stem)
def test_a_command_finds_the_library(path):
    told = ast.get_docstring(ast.parse(path.read_text())) or ""
    assert "PYTHONPATH" in told or finds_the_library(path)


def test_a_missing_path_is_seen(tmp_path):
    script = tmp_path / "x.py"
    script.write_text("import sys\nfrom phytoscribe.errors import PhytoScribeError\nsys.path.insert(0, 'y')\n")
    assert not finds_the_library(script)
