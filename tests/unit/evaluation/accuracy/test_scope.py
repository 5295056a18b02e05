"""What is scored in each kind of split, and what is no reference."""

from dataclasses import replace

import pandas as pd
import pytest
from gene_scores import score_predictors

from phytoscribe.annotation.checking.tables import TranscriptRow, read_transcripts
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.errors import ConfigError, PhytoScribeError
from phytoscribe.evaluation.accuracy.gene_tables import Scope, evaluate_predictors
from phytoscribe.genome.fasta import chosen_contigs
from phytoscribe.splits.table import SPLIT_COLUMNS
from phytoscribe.tables import counts_near_loci, shown_metrics


def gene(name, start, contig="c", transcripts=1):
    chain = ((start, start + 60), (start + 100, start + 160))
    return GeneModel(
        name, contig, "+", tuple(Transcript(f"{name}.{i}", chain, chain) for i in range(1, transcripts + 1))
    )


def splits(*rows):
    """Rows of (locus, part, has_train_homologue) on contig c."""
    full = [("g", "c", 0, 1, "+", locus, 0, part, known) for locus, part, known in rows]
    return pd.DataFrame(full, columns=list(SPLIT_COLUMNS))


def rejected(*rows):
    """Rows of the check's table from (transcript, start, reason), on contig c."""
    return [
        TranscriptRow(name[:-2], name, "c", start, start + 160, "+", "rejected", reason, "")
        for name, start, reason in rows
    ]


GENES = [gene("a", 1000), gene("b", 3000), gene("u12", 5000), gene("broken", 7000)]
REJECTED = rejected(("u12.1", 5000, "at_ac_splice_site"), ("broken.1", 7000, "in_frame_stop"))


def recall_and_precision(scope, predicted, subset="all"):
    table = score_predictors({"p": predicted}, scope)
    rows = table[(table["level"] == "locus") & (table["subset"] == subset)].set_index("metric")["value"]
    return rows["recall"], rows[scope.metric("precision")]


def test_contig_split_scores_every_intact_locus():
    scope = Scope.of(GENES, REJECTED, ["c"], splits=splits(("a", "test", True), ("b", "test", False)))
    assert [g.id for g in scope.reference] == ["a", "b", "u12"]
    assert [g.id for g in scope.ignored] == ["broken"]
    assert scope.held_out is None
    assert recall_and_precision(scope, GENES) == (1, 1)
    assert recall_and_precision(scope, [*GENES, gene("far", 90_000)]) == (1, 0.75)
    assert recall_and_precision(scope, [GENES[1]], "no_train_homologue") == (1, 1)


def test_a_prediction_beside_the_mask_counts_though_its_locus_is_hidden():
    wrong = GeneModel("w", "c", "+", (Transcript("w.1", ((1000, 1060),), ((1000, 1060),)),))
    part = Scope.of(GENES[:2], REJECTED, ["c"], mask={"c": [(1120, 1130)]})
    assert recall_and_precision(part, [wrong, GENES[1]]) == (1, 0.5)
    whole = Scope.of(GENES[:2], REJECTED, ["c"], mask={"c": [(1000, 1160)]})
    assert recall_and_precision(whole, [wrong, GENES[1]]) == (1, 1)


def test_a_table_that_is_none_of_rejected_transcripts_is_named(tmp_path):
    (tmp_path / "r.tsv").write_text("transcript\tcontig\nx\tc\n")
    with pytest.raises(
        PhytoScribeError, match=r"r\.tsv, line 1: not a table of check_annotation.*columns are not gene, tr"
    ):
        read_transcripts(tmp_path / "r.tsv")
    with pytest.raises(PhytoScribeError, match=r"no\.tsv: "):
        read_transcripts(tmp_path / "no.tsv")


def test_cluster_split_scores_only_near_held_out_loci():
    table = splits(("a", "test", False), ("b", "train", False), ("u12", "validate", False))
    scope = Scope.of(GENES, REJECTED, ["c"], splits=table, flank=500)
    assert [g.id for g in scope.reference] == ["a"]
    assert recall_and_precision(scope, [*GENES, gene("far", 90_000)]) == (1, 1)
    assert recall_and_precision(scope, [*GENES, gene("beside", 1200)]) == (1, 0.5)


def test_an_isoform_that_reaches_the_scored_region_moves_no_figure_of_one_isoform():
    table = splits(("a", "test", False), ("b", "train", False), ("u12", "validate", False))
    scope = Scope.of(GENES, REJECTED, ["c"], splits=table, flank=500)
    beside = gene("beside", 2000)
    longer = ((1100, 1700), (2100, 2160))
    isoform = replace(beside, transcripts=(*beside.transcripts, Transcript("beside.2", longer, longer)))

    def figures(predicted, ruler):
        scores = evaluate_predictors({"p": [GENES[0], predicted]}, scope).scores
        return scores[(scores["predictor"] == "p") & (scores["ruler"] == ruler)].reset_index(drop=True)

    pd.testing.assert_frame_equal(figures(isoform, "one_isoform"), figures(beside, "one_isoform"))
    assert not figures(isoform, "exact").equals(figures(beside, "exact"))


def test_precision_that_does_not_see_false_genes_between_loci_has_a_name_of_its_own():
    parts = {"contig": splits(("a", "test", True), ("b", "test", False))}
    parts["cluster"] = splits(("a", "test", False), ("b", "train", False), ("u12", "validate", False))
    usual, near = {"precision", "f1", "fp"}, {"precision_near_loci", "f1_near_loci", "fp_near_loci"}
    for mode, table in parts.items():
        scope = Scope.of(GENES, REJECTED, ["c"], splits=table)
        scores = evaluate_predictors({"p": [*GENES, gene("far", 90_000)]}, scope).scores
        found = set(scores["metric"])
        wanted, other = (near, usual) if mode == "cluster" else (usual, near)
        assert wanted <= found
        assert not other & found
        assert {"recall", "tp", "fn", "right", "novel"} <= found
        assert set(score_predictors({"p": GENES}, scope)["metric"]) <= found
        assert counts_near_loci(scores) is (mode == "cluster")
        assert set(shown_metrics(scores)) == (wanted - {"fp", "fp_near_loci"}) | {"recall"}


def test_without_splits_all_loci_count():
    scope = Scope.of(GENES, REJECTED, ["c"])
    assert len(scope.reference) == 3
    assert set(score_predictors({"p": GENES}, scope)["subset"]) == {"all"}


def test_a_broken_isoform_does_not_take_its_gene_along():
    scope = Scope.of([gene("a", 0, transcripts=2)], rejected(("a.2", 0, "no_stop")), ["c"])
    assert [t.id for t in scope.reference[0].transcripts] == ["a.1"]


def test_a_transcript_lost_in_cleaning_does_not_take_its_namesake_along():
    lost = rejected(("a.1", 9000, "mixed_strands"))
    assert [g.id for g in Scope.of([gene("a", 0)], lost, ["c"]).reference] == ["a"]


def test_contigs_in_fasta_order_and_by_their_names():
    lengths = {"c2": 5, "c1": 5, "c3": 5}
    assert list(chosen_contigs(lengths, ["c1", "c2"])) == ["c2", "c1"]
    assert list(chosen_contigs(lengths, None)) == ["c2", "c1", "c3"]
    with pytest.raises(ConfigError, match="chr9"):
        chosen_contigs(lengths, ["chr9"])
