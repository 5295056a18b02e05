"""The report's panel on alternative isoforms: what it shows, and that it is absent where nothing is added."""

import pytest
from isoforms_by_hand import BY_EVENT, EXONS, gene

from phytoscribe.evaluation.accuracy.gene_tables import Scope
from phytoscribe.evaluation.isoforms.table import evaluate_isoforms
from phytoscribe.reporting.blocks import Table
from phytoscribe.reporting.isoform_tables import isoform_blocks
from phytoscribe.tables import SCORES, read_table, write_table


@pytest.fixture
def panel(tmp_path):
    """The blocks of a prediction, by way of the file."""

    def made(*predictions):
        reference = [gene("r", EXONS, BY_EVENT["IR"], BY_EVENT["ES"])]
        table = evaluate_isoforms(dict(zip(("phytoscribe", "augustus"), predictions)), Scope.of(reference, [], ["c"]))
        write_table(table, tmp_path / "a.isoforms.tsv", SCORES)
        return isoform_blocks(read_table(tmp_path / "a.isoforms.tsv", SCORES))

    return made


def test_nothing_is_shown_where_nothing_is_added(panel):
    assert isoform_blocks(None) == []
    assert panel([gene("p", EXONS)], [gene("p", BY_EVENT["ES"])]) == panel([]) == []


def test_additions_stand_beside_the_reference(panel):
    ours = [gene("p", EXONS, BY_EVENT["IR"], BY_EVENT["A3SS"], scores=(0.9, 0.4, 0.1))]
    tables = [block for block in panel(ours, [gene("a", EXONS)]) if isinstance(block, Table)]
    additions, figures, reliability = tables
    rows = {row[0]: row[1:] for row in additions.rows}
    assert [title for title, _ in additions.groups] == ["", "PhytoScribe"]  # AUGUSTUS adds nothing
    assert rows["all"] == ["2", "0.500", "2", "0.500"]
    assert rows["intron retained (IR)"] == ["1", "1.000", "1", "1.000"]
    assert rows["another acceptor (A3SS)"] == ["1", "0.000", "0", "–"]
    assert "another donor (A5SS)" not in rows
    figures_by_name = {row[0]: row[1:] for row in figures.rows}
    assert figures.columns == ["", "PhytoScribe", "AUGUSTUS", "reference"]
    assert figures_by_name["P of additions"] == ["0.500", "–", "–"]
    assert figures_by_name["CDS per gene"] == ["3.000", "1.000", "3.000"]
    assert [row[2:] for row in reliability.rows] == [["0.100", "0.000"], ["0.400", "1.000"]]


def test_a_baseline_with_additions_is_shown_alone(panel):
    (additions, _) = [
        block for block in panel([gene("p", EXONS)], [gene("a", EXONS, BY_EVENT["ES"])]) if isinstance(block, Table)
    ]
    assert [title for title, _ in additions.groups] == ["", "AUGUSTUS"]
