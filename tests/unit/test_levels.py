"""Imports between packages point down one declared order; names and folders follow the house's rules."""

import re
from pathlib import Path

from house import LIBRARY, ROOT, cycles_of, imports_of, upward_imports

#: Packages from the bottom up; those of one line do not import each other.
ORDER = """
errors collector sources file_kinds
files session programs devices compiled
genome
annotation tables
labels
annotation.cleaning splits tokenizer intake.transfer
annotation.checking intake.phytozome
intake regulatory
models expression
models.cpu decoding
tracks evaluation training noncoding sentences
evaluation.accuracy evaluation.quality training.data training.loop
evaluation.long_reads training.tasks
prediction evaluation.isoforms
training.tasks.gene_classes training.tasks.isoforms training.tasks.masked_tokens training.tasks.structure
training.tasks.expression training.tasks.isoform_writer training.tasks.regulatory
attribution
configuration
reporting
"""
LEVELS = {name: level for level, line in enumerate(ORDER.strip().splitlines()) for name in line.split()}
#: Files of the library: may fall.
MOST_FILES = 320


def test_imports_point_down():
    graph = imports_of(ROOT / LIBRARY)
    assert not upward_imports(graph, LEVELS)
    assert sorted(set(graph) - set(LEVELS)) == [], "a new package needs a line in ORDER"


def test_every_imported_module_exists():
    # Scripts import inside of functions: a wrong name would show only when their rule runs.
    files = [*(ROOT / "workflow").rglob("*.py"), *(ROOT / "workflow").rglob("*.smk"), *ROOT.glob("benchmarks/*.py")]
    named = {
        (file.name, module)
        for file in files
        for module in re.findall(r"^\s*from (phytoscribe[\w.]*) import", file.read_text(encoding="utf-8"), re.M)
    }
    assert len(named) > 1000
    folder = (ROOT / LIBRARY).parent
    paths = {(name, module): folder / module.replace(".", "/") for name, module in named}
    assert not [key for key, path in paths.items() if not (path.is_dir() or path.with_suffix(".py").is_file())]


def test_a_cycle_and_an_upward_import_are_found(tmp_path):
    for name, text in {"low/a.py": "import phytoscribe.high.b", "high/b.py": "from phytoscribe.low import a"}.items():
        path = tmp_path / "phytoscribe" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    graph = imports_of(tmp_path / "phytoscribe")
    assert upward_imports(graph, {"low": 0, "high": 1}) == ["low -> high"]
    assert cycles_of(graph) == [{"low", "high"}]


def test_the_architecture_page_shows_this_order():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawn = page.split("```")[1].strip().splitlines()
    assert [line.split() for line in reversed(drawn)] == [line.split() for line in ORDER.strip().splitlines()]


def test_files_are_few_and_named_by_subject():
    files = list((ROOT / LIBRARY).rglob("*.py"))
    assert len(files) <= MOST_FILES
    assert not {file.stem for file in files} & {"utils", "helpers", "common", "misc"}


def test_folders_of_unit_tests_mirror_packages():
    units = Path(__file__).parent
    folders = {str(path.parent.relative_to(units)) for path in units.rglob("test_*.py")} - {".", "benchmarks"}
    assert [name for name in sorted(folders) if not (ROOT / LIBRARY / name).is_dir()] == []
