"""What the configuration says of genomes: their parts of the split, and which rules they enter."""

from __future__ import annotations

from example_configuration import SCHEMA, by_itself, message_of

from phytoscribe.configuration.genomes import Genomes
from phytoscribe.configuration.read import read_config


def test_self_training_takes_genomes_without_annotation_and_learns_little(example):
    del example["finetune"]
    config = {**example, **by_itself({**example, "finetune": {}})}
    filled = read_config(config, SCHEMA, look_around=False)
    genomes = Genomes(filled)
    assert genomes.self_trained == ["x"]
    assert "x" in genomes.split
    assert "x" not in (*genomes.annotated, *genomes.checked, *genomes.evaluated)
    assert [source["complete_utrs"] for source in genomes.training_sources()] == [True, False]
    finetune = filled["finetune"]
    assert (finetune["steps"], finetune["learning_rate"], finetune["self"]["trains"]) == (300, 0.0001, "frozen")
    config["finetune"]["steps"] = 600
    assert read_config(config, SCHEMA, look_around=False)["finetune"]["steps"] == 600
    config["finetune"]["mode"] = "full"
    assert "role 'train' needs an annotation" in message_of(config)


def genomes_of_two(**changes) -> Genomes:
    train = {
        "name": "a",
        "role": "train",
        "genome": {"path": "a.fa"},
        "annotation": {"path": "a.gff3"},
        "contigs": changes.pop("contigs", {"validate": ["c1"], "test": ["c2", "c3"]}),
    }
    other = {"name": "b", "role": "predict", "genome": {"path": "b.fa"}, "isoseq": [{"path": "r.fq"}]}
    settings = {"model": "trained", "scope": "test", "mode": "contig"} | changes
    config = {
        "genomes": [train, other],
        "predict": {"model": settings["model"], "scope": settings["scope"]},
        "split": {"mode": settings["mode"]},
    }
    return Genomes(read_config(config, SCHEMA, look_around=False))


def test_genomes_of_role_predict_are_outside_the_split():
    genomes = genomes_of_two()
    assert genomes.split == ["a"]
    assert set(genomes.roles()) == set(genomes.contig_parts()) == {"a"}


def test_scope_test_restricts_a_training_genome_alone():
    genomes = genomes_of_two()
    assert genomes.predicted_contigs("a") == ["c2", "c3"]
    assert genomes.predicted_contigs("b") is None
    assert genomes_of_two(scope="all").predicted_contigs("a") is None
    assert genomes_of_two(scope="all").scored_contigs("a") == ["c2", "c3"]


def test_mode_cluster_holds_out_no_contigs():
    genomes = genomes_of_two(mode="cluster", contigs={})
    assert genomes.contig_parts() == {}
    assert genomes.predicted_contigs("a") is None
    assert genomes.evaluated == ["a"]


def test_the_training_set_hears_what_an_annotation_leaves_out(example):
    kept = dict(example["genomes"][0])
    example["genomes"] = [kept | {"name": "a"}, kept | {"name": "b", "utrs": "incomplete", "isoforms": "incomplete"}]
    sources = Genomes(read_config(example, SCHEMA, look_around=False)).training_sources()
    complete = [(source["complete_utrs"], source["complete_isoforms"]) for source in sources]
    assert complete == [(True, True), (False, False)]


def test_limits_of_reads_are_for_genomes_with_reads(example):
    """Elsewhere a change of them would score the genome again for nothing."""
    example["genomes"].append({"name": "x", "role": "predict", "genome": {"path": "x.fa"}})
    genomes = Genomes(read_config(example, SCHEMA, look_around=False))
    assert genomes.read_limits("x") == {}
    assert genomes.read_limits("athaliana") == {"min_coverage": 0.9, "min_identity": 0.95, "min_mapping_quality": 1}


def test_genomes_without_reference_are_not_scored_against_one():
    genomes = genomes_of_two()
    assert genomes.evaluated == ["a"]
    assert genomes.with_isoseq == ["b"]
    assert genomes.with_baseline == []
