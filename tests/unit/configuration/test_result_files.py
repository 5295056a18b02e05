"""Which files the rules of tracks and plausibility ask for, by what a genome has and the configuration wants."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from phytoscribe.configuration.genomes import Genomes
from phytoscribe.configuration.result_files import BIGWIGS, PlausibilityFiles, TrackFiles

GENOMES = [
    {"name": "cress", "role": "test", "genome": {"path": "a"}, "annotation": {"path": "b"}, "augustus": "arabidopsis"},
    {
        "name": "rape",
        "role": "train",
        "genome": {"path": "a"},
        "annotation": {"path": "b"},
        "repeats": {"path": "r.bed"},
    },
    {"name": "castor", "role": "predict", "genome": {"path": "a"}, "isoseq": [{"path": "c"}]},
    {
        "name": "kale",
        "role": "predict",
        "genome": {"path": "a"},
        "annotation": {"path": "b"},
        "evidence": {"rnaseq": ["SJ"], "isoseq": False, "proteins": []},
    },
]


CONFIG = {
    "genomes": GENOMES,
    "predict": {"model": "trained", "scope": "all", "tracks": True, "shards": 2},
    "split": {"mode": "cluster"},
    "evaluate": {"busco": {}},
    "noncoding": {"drop_in_repeats": False},
}


def configured(tracks: bool = True, busco: dict[str, str] | None = None):
    config = {**CONFIG, "predict": {**CONFIG["predict"], "tracks": tracks}, "evaluate": {"busco": busco or {}}}
    return TrackFiles(Genomes(config), config), PlausibilityFiles(Genomes(config), config)


def of(genome: str, **more: str) -> SimpleNamespace:
    return SimpleNamespace(genome=genome, **more)


def test_a_folder_holds_what_the_genome_has():
    tracks, _ = configured()
    folder = "results/tracks"
    assert tracks.annotations(of("cress")) == [
        f"{folder}/cress/{name}.gff3.gz" for name in ("genes", "reference", "augustus")
    ]
    assert tracks.annotations(of("castor")) == [f"{folder}/castor/genes.gff3.gz"]
    assert tracks.reads(of("castor")) == [f"{folder}/castor/reads.bam"]
    assert tracks.reads(of("cress")) == []
    assert tracks.source(of("cress", annotation="reference")) == "results/clean/cress.gff3"
    assert tracks.shards(of("kale")) == [f"results/predictions/shards/kale/{n}.tracks" for n in ("000", "001")]
    assert len(tracks.targets()) == 2 * len(GENOMES)
    # Evidence, and what the prediction would be without it where a reference tells what that changes.
    assert tracks.annotations(of("kale")) == [f"{folder}/kale/{name}.gff3.gz" for name in ("genes", "dna", "reference")]
    assert tracks.source(of("kale", annotation="dna")) == "results/predictions/kale.dna.gff3"
    assert tracks.junctions(of("kale")) == [f"{folder}/kale/junctions.bed.gz"]
    assert tracks.junctions(of("castor")) == []
    evidence = {"rnaseq": [], "isoseq": False, "proteins": ["p.faa"]}
    config = {**CONFIG, "genomes": [{**GENOMES[2], "evidence": evidence}]}
    tracks = TrackFiles(Genomes(config), config)
    assert tracks.annotations(of("castor")) == [f"{folder}/castor/{name}.gff3.gz" for name in ("genes", "proteins")]
    assert tracks.junctions(of("castor")) == []


def test_reads_help_to_predict_or_judge_but_never_both():
    entries = [{**item, "junctions": {"path": f"{item['name']}.tab"}} for item in GENOMES[:3]] + GENOMES[3:]
    genomes = Genomes({"genomes": entries})
    assert {name: genomes.ranking_junctions(name) for name in genomes.names if genomes.ranking_junctions(name)} == {
        "castor": ["castor.tab"]
    }
    assert {name: genomes.judging_junctions(name) for name in genomes.names if genomes.judging_junctions(name)} == {
        "cress": ["cress.tab"],
        "rape": ["rape.tab"],
    }
    assert genomes.with_training_junctions == ["rape"]


@pytest.mark.parametrize("wanted", [True, False])
def test_probabilities_are_there_only_on_demand(wanted):
    tracks, _ = configured(tracks=wanted)
    expected = [pattern.format(genome="kale") for pattern in BIGWIGS] if wanted else []
    assert tracks.bigwigs(of("kale")) == expected
    assert len(BIGWIGS) == 12


def test_a_prediction_is_compared_with_other_genomes_of_the_split():
    _, files = configured()
    own = "results/clean/{}.shapes.tsv"
    assert files.shapes(of("cress")) == [own.format("rape")]
    assert files.shapes(of("kale")) == [own.format("cress"), own.format("rape")]


def test_repeats_are_read_where_they_are_given():
    _, files = configured()
    assert files.repeats(of("rape")) == ["r.bed"]
    assert files.repeats(of("cress")) == []


def test_busco_runs_only_with_a_lineage():
    _, files = configured()
    assert files.busco(of("kale")) == files.lineage() == []
    _, files = configured(busco={"lineage": "odb/brassicales_odb12"})
    assert files.lineage() == ["odb/brassicales_odb12/dataset.cfg"]
    assert files.busco(of("kale")) == ["results/evaluation/busco/kale.json"]
