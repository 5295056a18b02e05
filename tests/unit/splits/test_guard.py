"""The guard: nothing that stays in training shares a base or a cluster with what is held out."""

from hypothesis import given, settings
from hypothesis import strategies as st

from phytoscribe.splits.parts import guarded

PLACE = st.tuples(st.integers(0, 300), st.integers(1, 40)).map(lambda at: (at[0], at[0] + at[1]))
ITEM = st.tuples(
    st.sampled_from(["train", "train", "validate", "test", "unseen"]),
    st.sampled_from(["a", "b"]),
    st.lists(PLACE, min_size=1, max_size=2),
    st.none() | st.integers(0, 12),
)


def bases(item, distance=0):
    return {(item[1], base) for start, end in item[2] for base in range(start - distance, end + distance)}


def touching(one, other, distance) -> bool:
    homologous = one[3] is not None and one[3] == other[3]
    return homologous or bool(bases(one, distance) & bases(other))


@settings(max_examples=60, deadline=None)
@given(st.lists(ITEM, max_size=25), st.sampled_from([0, 0, 7]))
def test_no_base_and_no_cluster_on_both_sides(items, distance):
    reasons = guarded(*(list(column) for column in zip(*items, strict=True)), distance) if items else []
    for item, reason in zip(items, reasons, strict=True):
        held = {"train": ["test", "validate"], "validate": ["test"]}.get(item[0], [])
        wrong = [part for part in held for other in items if other[0] == part and touching(item, other, distance)]
        assert bool(reason) == bool(wrong), "left out if and only if it must be"
        if reason:
            assert reason.rpartition("_")[2] in wrong


def test_reasons_by_hand():
    parts = ["test", "validate", "train", "train", "train", "train", "validate", "train"]
    windows = [[(0, 10)], [(100, 110)], [(9, 20)], [(109, 130)], [(50, 60)], [(10, 100)], [(70, 80)], [(130, 140)]]
    clusters = [1, 2, None, 7, 1, 2, 1, None]
    assert guarded(parts, ["c"] * 8, windows, clusters) == [
        "", "", "overlaps_test", "overlaps_validate", "homologue_of_test", "overlaps_validate", "homologue_of_test", "",
    ]  # fmt: skip
    windows[5] = [(10, 70)]
    assert guarded(parts, ["c"] * 8, windows, clusters)[5] == "homologue_of_validate"
    assert guarded(parts, ["c"] * 5 + ["d"] * 3, windows, clusters)[5:] == [
        "homologue_of_validate",
        "homologue_of_test",
        "",
    ]
