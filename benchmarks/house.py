"""Size and structure of a checkout: lines, files, long functions, many parameters, import levels, cycles.

python benchmarks/house.py                   this checkout
python benchmarks/house.py --before 9711739  with a revision of it beside
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = "workflow/scripts/phytoscribe"
sys.path.insert(0, str(ROOT / "workflow/scripts"))

from phytoscribe.sources import PACKAGE, imported_names  # noqa: E402

#: Parts of a checkout: the files of each.
PARTS = {
    "library": f"{LIBRARY}/**/*.py",
    "tools": "tools/**/*.py",
    "scripts": "workflow/scripts/*.py",
    "rules": "workflow/rules/*.smk",
    "benchmarks": "benchmarks/**/*.py",
    "tests": "tests/**/*.py",
}
LONGEST, MOST_PARAMETERS = 80, 9
Graph = Mapping[str, set[str]]
"""From a package to the packages that it imports."""


@dataclass(frozen=True)
class Function:
    """A function or method: ``file:line name``, lines from ``def`` to its end, and parameters with self."""

    place: str
    lines: int
    parameters: int


def functions_of(root: Path, files: Iterable[Path]) -> Iterator[Function]:
    """All functions, nested ones too."""
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                given = node.args
                count = len(given.posonlyargs) + len(given.args) + len(given.kwonlyargs)
                count += (given.vararg is not None) + (given.kwarg is not None)
                place = f"{file.relative_to(root)}:{node.lineno} {node.name}"
                yield Function(place, node.end_lineno - node.lineno + 1, count)


def package_of(library: Path, name: str) -> str | None:
    """The package (``training.data``), or the module at the top, that an imported dotted name is in; else None."""
    parts = name.split(".")
    if parts[0] != PACKAGE or len(parts) < 2:
        return None
    depth = 1
    while depth < len(parts) and library.joinpath(*parts[1 : depth + 1]).is_dir():
        depth += 1
    if depth > 1:
        return ".".join(parts[1:depth])
    return parts[1] if (library / f"{parts[1]}.py").is_file() else None


def imports_of(library: Path) -> dict[str, set[str]]:
    """The packages that each package imports, imports inside functions too; modules at the top stand for themselves."""
    graph: dict[str, set[str]] = {}
    for file in sorted(library.rglob("*.py")):
        folder = file.parent.relative_to(library)
        own = ".".join(folder.parts) or file.stem
        if own == "__init__":
            continue
        modules = {package_of(library, name) for name in imported_names(file)}
        graph.setdefault(own, set()).update(name for name in modules if name and name != own)
    return graph


def cycles_of(graph: Graph) -> list[set[str]]:
    """Groups of packages that import each other, directly or through others."""
    reached = {name: _reached(graph, name) for name in graph}
    groups = {frozenset(n for n in reached[name] if name in reached.get(n, ())) for name in graph}
    return [set(group) for group in sorted(groups, key=sorted) if group]


def levels_of(graph: Graph) -> dict[str, int]:
    """1 for a package that imports none, else one more than the highest it imports; none for those of a cycle."""
    circular = set().union(*cycles_of(graph))
    levels: dict[str, int] = {}
    while ready := [
        name
        for name in graph
        if name not in levels and name not in circular and all(n in levels or n in circular for n in graph[name])
    ]:
        levels.update({name: 1 + max((levels.get(n, 0) for n in graph[name]), default=0) for name in ready})
    return levels


def upward_imports(graph: Graph, order: Mapping[str, int]) -> list[str]:
    """``a -> b`` for each import of a package that does not stand below in ``order``, or stands nowhere in it."""
    return [
        f"{name} -> {other}"
        for name in sorted(graph)
        for other in sorted(graph[name])
        if order.get(other, len(order)) >= order.get(name, -1)
    ]


def _reached(graph: Graph, start: str) -> set[str]:
    found: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += graph.get(name, ())
    return found


def measure(root: Path) -> dict[str, str]:
    """All figures of a checkout, in the order of the table."""
    figures, functions = {}, []
    for part, pattern in PARTS.items():
        files = sorted(root.glob(pattern))
        lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
        figures[f"{part}: lines"], figures[f"{part}: files"] = f"{lines:,}", str(len(files))
        if part in ("library", "tools", "scripts"):
            functions += functions_of(root, files)
    graph = imports_of(root / LIBRARY)
    figures["functions (library, tools, scripts)"] = f"{len(functions):,}"
    figures[f"functions over {LONGEST} lines"] = _listed(f.place for f in functions if f.lines > LONGEST)
    figures[f"functions with more than {MOST_PARAMETERS} parameters"] = _listed(
        f.place for f in functions if f.parameters > MOST_PARAMETERS
    )
    levels = levels_of(graph)
    figures["import levels"] = str(max(levels.values(), default=0))
    figures["packages by level"] = "; ".join(
        f"{level}: {', '.join(sorted(n for n in levels if levels[n] == level))}"
        for level in sorted(set(levels.values()))
    )
    figures["import arrows between packages"] = str(sum(map(len, graph.values())))
    figures["cycles"] = _listed(" <-> ".join(sorted(group)) for group in cycles_of(graph))
    return figures


def _listed(items: Iterable[str]) -> str:
    found = sorted(items)
    return f"{len(found)}" + (f": {'; '.join(found)}" if found else "")


def measure_revision(revision: str) -> dict[str, str]:
    """Figures of a git revision of this repository, which is unpacked into a temporary folder."""
    archive = subprocess.run(["git", "archive", revision], cwd=ROOT, capture_output=True, check=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=BytesIO(archive)) as file:
            file.extractall(folder, filter="data")
        return measure(Path(folder))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", nargs="?", type=Path, default=ROOT, help="folder of a checkout; default: this one")
    parser.add_argument("--before", metavar="REVISION", help="a git revision to compare with")
    given = parser.parse_args()
    columns = {given.before: measure_revision(given.before)} if given.before else {}
    columns["now"] = measure(given.checkout.resolve())
    print(f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}", sep="\n")
    for name in columns["now"]:
        print(f"| {name} | {' | '.join(figures[name] for figures in columns.values())} |")


if __name__ == "__main__":
    main()
