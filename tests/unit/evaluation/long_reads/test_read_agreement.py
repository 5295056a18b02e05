"""Agreement of alignment and BLAST: counts, kappa, and the joined table."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.errors import PhytoScribeError
from phytoscribe.evaluation.long_reads.transcript_classes import agreement, cohens_kappa, with_blast
from phytoscribe.tables import HITS as HIT_COLUMNS
from phytoscribe.tables import TRANSCRIPTS, read_table, write_table


def row(transcript, chain, whole, reads=1, predictor="p"):
    values = dict.fromkeys(TRANSCRIPTS, 0) | {"predictor": predictor, "transcript": transcript, "reads": reads}
    return values | {"cds_chain_in_read": chain, "cds_in_read": whole}


CLASSES = pd.DataFrame(
    [row("a", "yes", "yes"), row("b", "yes", "no"), row("c", "no", "no"), row("NA", "no", "no", reads=0)],
    columns=list(TRANSCRIPTS),
)
HITS = pd.DataFrame(
    [
        ("p", "a", "cds", "r1", 0.99, 1.0, "yes"),
        ("p", "a", "transcript", "r2", 0.99, 0.5, "no"),
        ("p", "b", "cds", "r1", 0.99, 0.94, "no"),
        ("p", "c", "cds", "r1", 0.95, 0.95, "no"),
        ("q", "b", "cds", "r1", 1.0, 1.0, "no"),
    ],
    columns=list(HIT_COLUMNS),
)


def joined_tables(folder):
    return with_blast(read_table(folder / "classes.tsv", TRANSCRIPTS), read_table(folder / "hits.tsv", HIT_COLUMNS))


def test_counts_of_a_literal_case(tmp_path):
    # Through files, as the rule does it: a transcript called NA is no missing value.
    write_table(CLASSES, tmp_path / "classes.tsv")
    write_table(HITS, tmp_path / "hits.tsv")
    joined = with_blast(
        read_table(tmp_path / "classes.tsv", TRANSCRIPTS), read_table(tmp_path / "hits.tsv", HIT_COLUMNS)
    )
    assert joined["transcript"].tolist() == ["a", "b", "c", "NA"]
    assert joined["blast_reciprocal"].tolist() == ["yes", "no", "no", "no"]
    assert joined["blast_coverage_transcript"].isna().tolist() == [False, True, True, True]
    counted = ["both", "minimap2_only", "blast_only", "neither", "n"]
    table = agreement(joined).set_index(["criterion", "subset"])
    assert table.loc[("chain", "all"), counted].tolist() == [1, 1, 1, 1, 4]
    assert table.loc[("chain", "expressed"), counted].tolist() == [1, 1, 1, 0, 3]
    assert table.loc[("whole_cds", "all"), counted].tolist() == [1, 0, 1, 2, 4]
    assert table.loc[("chain", "all"), ["agreement", "kappa"]].tolist() == [0.5, 0.0]
    assert table.loc[("whole_cds", "all"), "kappa"] == pytest.approx(0.5)


def test_ids_that_look_like_numbers_are_names(tmp_path):
    write_table(CLASSES.assign(transcript=["1.1", "1.10", "007", "7"]), tmp_path / "classes.tsv")
    write_table(HITS.assign(transcript=["1.10", "1.10", "1.1", "7", "7"]), tmp_path / "hits.tsv")
    joined = with_blast(
        read_table(tmp_path / "classes.tsv", TRANSCRIPTS), read_table(tmp_path / "hits.tsv", HIT_COLUMNS)
    )
    assert joined["transcript"].tolist() == ["1.1", "1.10", "007", "7"]
    assert joined["blast_identity"].tolist() == pytest.approx([0.99, 0.99, float("nan"), 0.95], nan_ok=True)


@pytest.mark.parametrize("classes", [CLASSES, CLASSES.iloc[:0]])
def test_without_any_hit_nothing_is_supported_by_blast(tmp_path, classes):
    write_table(classes, tmp_path / "classes.tsv")
    write_table(HITS.iloc[:0], tmp_path / "hits.tsv")
    table = agreement(joined_tables(tmp_path))
    assert len(table) == (4 if len(classes) else 0)
    assert not table[["both", "blast_only"]].to_numpy().any()


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(PhytoScribeError, match=r"hits\.tsv: no table .*; run its rule again"):
        read_table(tmp_path / "hits.tsv", HIT_COLUMNS)


def test_kappa_of_a_case_worked_by_hand():
    # 0.7 of agreement where chance gives 0.5: (0.7 - 0.5) / (1 - 0.5).
    assert cohens_kappa(20, 5, 10, 15) == pytest.approx(0.4)


@given(*[st.integers(0, 50)] * 4)
def test_kappa_has_no_side_and_knows_full_agreement(both, first, second, neither):
    kappa = cohens_kappa(both, first, second, neither)
    assert kappa == pytest.approx(cohens_kappa(both, second, first, neither), nan_ok=True)
    assert kappa == pytest.approx(cohens_kappa(neither, first, second, both), nan_ok=True)
    assert not kappa > 1 + 1e-9
    if both and neither:
        assert (kappa == pytest.approx(1)) == (first == second == 0)
