"""CD-HIT: its output read, its limits respected, its result the same however it is run."""

import random

import pytest

from phytoscribe.errors import ConfigError, ToolError
from phytoscribe.splits.clusters import (
    LOWEST_IDENTITY,
    ClusterSettings,
    Member,
    _run_cd_hit,
    cluster_proteins,
    largest_word_size,
    parse_clstr,
)

RESIDUES = "ACDEFGHIKLMNPQRSTVWY"
SETTINGS = ClusterSettings()


def random_protein(rng, length):
    return "M" + "".join(rng.choices(RESIDUES, k=length - 1))


def mutated(rng, protein, identity):
    return "".join(residue if rng.random() < identity else rng.choice(RESIDUES) for residue in protein)


@pytest.fixture(scope="module")
def families():
    """40 families of 1 to 5 proteins, 90 % identical to their founder: (id, sequence) records, shuffled."""
    rng = random.Random(7)
    records = []
    for family in range(40):
        founder = random_protein(rng, rng.randint(80, 400))
        records += [(f"a:f{family}.{copy}", mutated(rng, founder, 0.9)) for copy in range(rng.randint(1, 5))]
    rng.shuffle(records)
    return records


def partition(table):
    return sorted(sorted(group) for group in table.groupby("cluster")["protein"].agg(list))


def test_families_are_found_and_numbered_in_order_of_first_member(families):
    table = cluster_proteins(families, SETTINGS)
    assert table["protein"].tolist() == [name for name, _ in families]
    assert table["cluster"].drop_duplicates().tolist() == list(range(40))
    family = table["protein"].str.split(".").str[0]
    assert (table.groupby(family)["cluster"].nunique() == 1).all()
    assert table["identity"].between(50, 100).all()
    assert set(table["representative"]) <= set(table["protein"])


def test_threads_and_input_order_do_not_change_the_clusters(families):
    once = cluster_proteins(families, SETTINGS, threads=1)
    assert once.equals(cluster_proteins(families, SETTINGS, threads=2, memory_mb=800))
    assert partition(once) == partition(cluster_proteins(families[::-1], SETTINGS))


def test_a_fragment_joins_the_longer_protein_that_holds_it():
    rng = random.Random(1)
    whole = random_protein(rng, 500)
    table = cluster_proteins(
        [("whole", whole), ("piece", whole[200:300]), ("else", random_protein(rng, 300))], SETTINGS
    )
    assert table["cluster"].tolist() == [0, 0, 1]


def test_proteins_shorter_than_a_word_are_kept():
    records = [("a", "MK"), ("long", random_protein(random.Random(2), 90)), ("b", "MK"), ("c", "M"), ("d", "MKLV")]
    table = cluster_proteins(records, SETTINGS)
    assert table["protein"].tolist() == ["a", "long", "b", "c", "d"]
    assert table["cluster"].tolist() == [0, 1, 0, 2, 3]


def test_no_proteins_give_an_empty_table():
    assert cluster_proteins([], SETTINGS).empty


@pytest.mark.parametrize("size", sorted(LOWEST_IDENTITY))
def test_every_word_size_works_from_its_lowest_identity_on(size, tmp_path):
    source = tmp_path / "p.faa"
    source.write_text(">a\n" + random_protein(random.Random(3), 60) + "\n")
    lowest = LOWEST_IDENTITY[size]
    assert largest_word_size(lowest) == size
    _run_cd_hit(source, tmp_path / "clusters", ClusterSettings(lowest, 0.8, size), 1, 400)
    assert parse_clstr(tmp_path / "clusters.clstr").keys() == {"a"}
    with pytest.raises(ConfigError):
        ClusterSettings(lowest - 0.01, 0.8, size)


def test_a_failing_program_is_reported_with_its_words(tmp_path):
    with pytest.raises(ToolError, match=r"cd-hit .*failed with exit code 1: .*Failed to open"):
        _run_cd_hit(tmp_path / "missing.faa", tmp_path / "clusters", SETTINGS, 1, 400)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ((0.5, 0.8, 5), r"split\.word_size.*use a word size of 3"),
        ((0.3, 0.8, 2), r"split\.identity: 0\.3"),
        ((0.5, 80, 3), r"split\.coverage: 80"),
        ((0.5, 0.8, 7), r"split\.word_size: 7"),
    ],
)
def test_settings_that_cd_hit_cannot_use_are_refused_by_key(settings, message):
    with pytest.raises(ConfigError, match=message):
        ClusterSettings(*settings)


def test_a_missing_program_is_one_message(monkeypatch, families):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolError, match=r"cd-hit is not on PATH, .*; install it with"):
        cluster_proteins(families, SETTINGS)


def test_clstr_is_read_with_odd_names_and_empty_spans(tmp_path):
    path = tmp_path / "x.clstr"
    path.write_text(
        ">Cluster 0\n0\t700aa, >a:g...1... *\n1\t90aa, >b:Potri.001G0100... at 11:55:301:345/57.71%\n"
        "2\t90aa, >b:2... at 1:1:379:1/80.00%\n>Cluster 1\n0\t12aa, >c:3... *\n"
    )
    assert parse_clstr(path) == {
        "a:g...1": Member("a:g...1", 100.0, 1.0),
        "b:Potri.001G0100": Member("a:g...1", 57.71, 0.5),
        "b:2": Member("a:g...1", 80.0, 1.0),
        "c:3": Member("c:3", 100.0, 1.0),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (">Cluster 0\n0\t700aa, >a... at 1:9:1:9/99.00%\n", "0 representatives"),
        (">Cluster 0\n0\t70aa, >a... *\n1\t70aa, >b... *\n", "2 representatives"),
        (">Cluster 0\n0\t70aa, >a...\n", "line 2"),
    ],
)
def test_damaged_clstr_is_refused(tmp_path, text, message):
    path = tmp_path / "x.clstr"
    path.write_text(text)
    with pytest.raises(ToolError, match=message):
        parse_clstr(path)


def test_homologues_that_differ_in_their_last_residue_share_a_cluster():
    """CD-HIT gives such pairs an empty span; by its own option -aS they would fall apart."""
    rng = random.Random(5)
    founder = random_protein(rng, 150)[:-1]
    records = [(f"p{residue}", mutated(rng, founder, 0.95) + residue) for residue in RESIDUES]
    assert set(cluster_proteins(records, SETTINGS)["cluster"]) == {0}


def test_coverage_of_the_shorter_protein_is_asked():
    """180 residues shared, then 400 or more on one side, 120 that overhang on the other: 60 % of the shorter."""
    rng = random.Random(6)
    shared = random_protein(rng, 180)
    records = [("long", shared + random_protein(rng, 400))]
    overhang = random_protein(rng, 120)
    records += [("b", overhang + shared), ("c", mutated(rng, overhang, 0.9) + shared)]
    assert cluster_proteins(records, ClusterSettings(0.5, 0.4, 3))["cluster"].tolist() == [0, 0, 0]
    apart = cluster_proteins(records, ClusterSettings(0.5, 0.8, 3))
    assert apart["cluster"].tolist() == [0, 1, 1], "what covers too little of itself is clustered among itself"
