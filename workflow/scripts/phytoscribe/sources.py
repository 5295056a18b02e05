"""Which modules of the library a Python file reaches, read from the import statements alone.

Snakemake reruns a rule when its script changes, not when a module changes that the script imports.  The rules
therefore list the modules reached as inputs, so that no list has to be kept by hand.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = "phytoscribe"
#: The folder that holds the package.
SCRIPTS = Path(__file__).parents[1]
#: Modules and folders that cannot change a result, so that their edits rerun nothing: messages, logging, renaming
#: files, calling programs, where compiled code is kept, and downloads, which arrive whole and checked or not at all.
WITHOUT_RESULTS = (
    "compiled.py",
    "errors.py",
    "files.py",
    "programs.py",
    "session.py",
    "sources.py",
    "intake/transfer/",
)


def modules_reached(script: str | Path, scripts: str | Path = SCRIPTS) -> list[Path]:
    """Library files that ``script`` imports, directly or through other library files; sorted.

    Args:
        script: a Python file.
        scripts: the folder that holds the package ``phytoscribe``.
    """
    root = Path(scripts)
    found: set[Path] = set()
    waiting = [Path(script)]
    while waiting:
        new = _imported_files(waiting.pop(), root) - found
        found |= new
        waiting.extend(new)
    return sorted(found)


def result_modules(script: str | Path, scripts: str | Path) -> list[Path]:
    """The modules of :func:`modules_reached` whose changes can affect what the script writes."""
    package = Path(scripts) / PACKAGE
    reached = modules_reached(script, scripts)
    return [file for file in reached if not str(file.relative_to(package)).startswith(WITHOUT_RESULTS)]


@cache
def _imported_files(file: Path, root: Path) -> frozenset[Path]:
    """Library files that a Python file itself imports: asked for by every rule, at every start of Snakemake."""
    return frozenset(found for name in imported_names(file) for found in _files_of(name, root))


@cache
def imported_names(file: Path) -> frozenset[str]:
    """Dotted names of all absolute imports in a Python file, those inside functions too.

    For ``from a.b import c`` both ``a.b`` and ``a.b.c`` are given: ``c`` may be a module.
    """
    names: set[str] = set()
    for node in _statements(ast.parse(file.read_text(encoding="utf-8"), filename=str(file))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(names)


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """All statements, nested ones too, without a look at their expressions: those are nine tenths of a tree."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.stmt):
            yield node
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting.extend(getattr(node, block, ()))


@cache
def _files_of(name: str, root: Path) -> list[Path]:
    """Files that an import of the dotted name runs: the module, and the ``__init__.py`` of each package above it."""
    parts = name.split(".")
    if parts[0] != PACKAGE:
        return []
    candidates = [root.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)]
    candidates.append(root.joinpath(*parts).with_suffix(".py"))
    return [file for file in candidates if file.is_file()]
