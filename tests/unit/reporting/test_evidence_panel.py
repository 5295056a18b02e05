"""The report's panel on evidence: the two predictions side by side, and what differs."""

from __future__ import annotations

from isoforms_by_hand import BY_EVENT, EXONS, gene

from phytoscribe.evaluation.accuracy.changed_genes import evaluate_evidence
from phytoscribe.evaluation.accuracy.gene_tables import Scope
from phytoscribe.reporting.blocks import Heading, Paragraph, Table
from phytoscribe.reporting.genome_section import genome_section
from phytoscribe.reporting.inputs import GenomeInfo, read_inputs
from phytoscribe.tables import CHANGED_GENES, SCORES, write_table

INFO = GenomeInfo("a", "predict")


def panel(files):
    blocks = genome_section(INFO, read_inputs(files, [INFO], {})).details
    titles = [block.text if isinstance(block, Heading) else "" for block in blocks]
    if "What the evidence changed" not in titles:
        return []
    start = titles.index("What the evidence changed")
    end = next((n for n in range(start + 1, len(blocks)) if titles[n]), len(blocks))
    return blocks[start:end]


def test_both_predictions_stand_side_by_side_against_the_annotation_alone(tmp_path):
    predictions = [gene("e", EXONS)], [gene("d", BY_EVENT["ES"])]
    scores, changed = evaluate_evidence(*predictions, Scope.of([gene("r", EXONS)], [], ["c"]))
    files = {"evidence": tmp_path / "a.evidence.tsv", "changed": tmp_path / "a.evidence_changes.tsv"}
    write_table(scores, files["evidence"], SCORES)
    write_table(changed, files["changed"], CHANGED_GENES)
    blocks = panel({name: [str(path)] for name, path in files.items()})
    levels, differing = (block for block in blocks if isinstance(block, Table))
    assert [title for title, _ in levels.groups] == ["", "from DNA", "with evidence"]
    rows = {row[0]: row[1:] for row in levels.rows}
    assert rows["locus"] == ["1", "0.000", "0.000", "0.000", "1.000", "1.000", "1.000"]
    assert [row[1:] for row in differing.rows] == [["1", "–"], ["0", "–"], ["0", "0"], ["0", "0"]]
    (note,) = (block.text for block in blocks if isinstance(block, Paragraph) and not block.quiet)
    assert "would be circular" in note
    assert "a.evidence_changes.tsv" in note


def test_a_genome_without_evidence_has_no_panel():
    assert panel({}) == []
