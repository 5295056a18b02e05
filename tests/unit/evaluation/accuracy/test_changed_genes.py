"""What evidence changes: literal cases, and what must hold for any two predictions."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from predictions import pairs

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.evaluation.accuracy.changed_genes import evaluate_evidence
from phytoscribe.evaluation.accuracy.gene_tables import Scope
from phytoscribe.tables import CHANGED_GENES, read_table, write_table


def gene(name, *cds, strand="+"):
    return GeneModel(name, "c", strand, (Transcript(f"{name}.1", cds, cds),))


REFERENCE = [
    gene("spliced", (100, 160), (200, 260)),
    gene("single", (1000, 1090), strand="-"),
    gene("both", (2000, 2060)),
    gene("silent", (5000, 5300)),
    gene("neither", (7000, 7300)),
]
FROM_DNA = [
    gene("d1", (100, 160), (210, 260)),
    gene("d2", (1000, 1090), strand="-"),
    gene("d3", (2000, 2060)),
    gene("d4", (6000, 6300)),
    gene("d5", (7000, 7297)),
]
WITH_EVIDENCE = [
    gene("e1", (100, 160), (200, 260)),
    gene("e2", (1003, 1090), strand="-"),
    gene("e3", (2000, 2060)),
    gene("e4", (5000, 5300)),
    gene("e5", (6000, 6300), strand="-"),
    gene("e6", (7000, 7294)),
]


def changes(with_evidence, from_dna, reference=REFERENCE):
    contigs = {gene.contig for genes in (with_evidence, from_dna, reference) for gene in genes}
    return evaluate_evidence(with_evidence, from_dna, Scope.of(reference, [], contigs))


def test_loci_are_mended_and_broken_and_genes_gained_and_lost(tmp_path):
    scores, changed = changes(WITH_EVIDENCE, FROM_DNA)
    write_table(changed, tmp_path / "changes.tsv", CHANGED_GENES)
    again = read_table(tmp_path / "changes.tsv", CHANGED_GENES)
    assert [tuple(row) for row in again.itertuples(index=False)] == [
        ("mended", "c", "+", "101", "260", "spliced", "e1", "right", "d1", "one_junction"),
        ("broken", "c", "-", "1001", "1090", "single", "e2", "wrong_stop", "d2", "right"),
        ("mended", "c", "+", "5001", "5300", "silent", "e4", "right", "", "missed"),
        ("gained", "c", "+", "5001", "5300", "", "e4", "right", "", ""),
        ("gained", "c", "-", "6001", "6300", "", "e5", "intergenic", "", ""),
        ("lost", "c", "+", "6001", "6300", "", "", "", "d4", "intergenic"),
    ]
    right = scores.query("level == 'locus' and ruler == 'exact' and subset == 'all' and metric == 'tp'")
    assert dict(zip(right["predictor"], right["value"], strict=True)) == {"from_dna": 2, "with_evidence": 3}


@settings(max_examples=40, deadline=None)
@given(pairs(), pairs())
def test_changes_mirror_each_other_and_sum_up_to_the_difference_of_the_scores(one, other):
    """Loci of ``one``, and the predictions of both."""
    reference, before, after = one[0], one[1], other[1]
    scores, changed = changes(after, before, reference)
    counts = Counter(changed["change"])
    right = scores.query("level == 'reference_locus' and metric == 'right'")
    found = dict(zip(right["predictor"], right["value"], strict=True))
    assert counts["mended"] - counts["broken"] == found["with_evidence"] - found["from_dna"]
    mirrored = Counter(changes(before, after, reference)[1]["change"])
    assert [mirrored[name] for name in ("broken", "mended", "lost", "gained")] == [
        counts[name] for name in ("mended", "broken", "gained", "lost")
    ]
    assert not changes(before, before, reference)[1].size
