"""Which held-out loci count as known to training, on a small split."""

from __future__ import annotations

import pandas as pd
import pytest
from release_tables import ReleaseGenome, clustered_with_training, held_out_titles

PARTS = {"Chr1": "train", "Chr2": "validation", "Chr5": "test"}
CONTIGS = ["Chr1", "Chr2", "Chr5", "Chr5"]
LOCI = pd.DataFrame({"genome": "a", "contig": CONTIGS, "part": [PARTS[name] for name in CONTIGS]})
LOCI = LOCI.assign(protein=[f"a:{number}" for number in range(4)])


@pytest.mark.parametrize(
    ("species", "titles"),
    [
        ("athaliana", ["*A. thaliana* validation", *["*A. thaliana* test, Chr5"] * 2]),
        ("bnapus", ["*B. napus* validation", *["*B. napus* test"] * 2]),
    ],
)
def test_test_contigs_of_a_thaliana_are_shown_one_by_one(species, titles):
    genome = ReleaseGenome("a", species, PARTS, {}, 0, (), {})
    assert held_out_titles(LOCI[LOCI["part"] != "train"], [genome]) == titles


def test_a_locus_is_known_where_its_cluster_has_a_training_locus(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert clustered_with_training(LOCI) is None
    clusters = LOCI.assign(cluster=[0, 1, 0, 2], representative="a:0", identity=100.0)
    (tmp_path / "results/splits").mkdir(parents=True)
    columns = ["protein", "cluster", "representative", "identity"]
    clusters[columns].to_csv(tmp_path / "results/splits/clusters.tsv", sep="\t", index=False)
    assert clustered_with_training(LOCI) == {"a:0", "a:2"}
