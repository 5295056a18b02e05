"""The report calls genes held out only where it knows so: of a model that this configuration has trained."""

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml
from gene_scores import score_genes

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.configuration.genomes import Genomes
from phytoscribe.reporting.inputs import GenomeInfo, ReportInputs
from phytoscribe.reporting.summary import ROLES, overview_section, summary_section, warnings

ROOT = Path(__file__).parents[3]
RELEASED = "resources/models/brassicales"
GENE = GeneModel("a", "c", "+", (Transcript("a.1", ((0, 60),), ((0, 60),)),))
LEARNED = "The model learned from this species."


def inputs_of(*infos, model=RELEASED, species="athaliana", scored=True):
    """A report of genomes of which one gene was predicted, and scored or not."""
    scores = score_genes([GENE], [GENE]).assign(predictor="phytoscribe")
    stats = {
        "contigs": 1, "bases": 5000, "genes": 1, "genes_per_megabase": 200.0,
        "header": {"read as": f"<species:{species}> <lineage:unknown>"},
    }  # fmt: skip
    return ReportInputs(
        genomes=list(infos),
        config={"predict": {"model": model}},
        stats={info.name: stats for info in infos},
        genes={info.name: scores for info in infos} if scored else {},
    )


def shown(inputs):
    return repr(summary_section(inputs).blocks)


@pytest.mark.parametrize("role", list(ROLES))
def test_a_released_model_is_headed_as_one_and_warned_of_where_it_knows_the_species(role):
    info = GenomeInfo("athaliana", role, "Brassicales")
    inputs = inputs_of(info)
    text = shown(inputs)
    assert "Brassicales, scored with a released model" in text
    assert not [words for words in ROLES.values() if words in text]
    assert "Of 1 reference loci" in text
    assert warnings(info, inputs) == [
        f"{LEARNED} Unless all contigs here are its test contigs (see its README), the scores are not those of unseen "
        "genes."
    ]
    assert "Before quoting the scores, look up in the model's README" in text
    assert "Clear up the warnings" not in text, "nothing is wrong with the genes"
    assert "has no species of this name" not in text, "its species is known, if not its lineage"


@pytest.mark.parametrize("role", list(ROLES))
def test_the_role_speaks_of_a_model_that_was_trained_here(role):
    inputs = inputs_of(GenomeInfo("athaliana", role), model="trained")
    assert f"unknown, {ROLES[role]}" in shown(inputs)
    assert LEARNED not in shown(inputs)


def test_no_warning_without_scores_or_of_a_species_that_the_model_does_not_know():
    info = GenomeInfo("athaliana", "predict")
    assert LEARNED not in shown(inputs_of(info, scored=False))
    assert "annotated with a released model" in shown(inputs_of(info, scored=False))
    assert LEARNED not in shown(inputs_of(info, species="unknown"))
    assert "has no species of this name" in shown(inputs_of(info, species="unknown"))


def test_scores_by_reads_alone_are_warned_of_too():
    info = GenomeInfo("athaliana", "predict")
    unscored = inputs_of(info, scored=False)
    columns = ["predictor", "level", "ruler", "subset", "metric", "value", "n"]
    reads = pd.DataFrame(
        [("phytoscribe", "transcript", "cds_chain", "expressed", "supported", 1.0, 4)], columns=columns
    )
    with_reads = ReportInputs(genomes=[info], config=unscored.config, stats=unscored.stats, isoseq={info.name: reads})
    assert LEARNED in shown(with_reads)


def test_many_contigs_are_counted_and_not_listed():
    info = GenomeInfo("athaliana", "train", scored_contigs=[f"c{number}" for number in range(40)])
    assert "Unless the 40 scored contigs are its test contigs" in warnings(info, inputs_of(info))[0]


def test_the_example_scores_contigs_that_the_model_was_tested_on():
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    assert config["predict"]["model"] == RELEASED
    readme = (ROOT / RELEASED / "README.md").read_text()
    tested = re.search(r"Test, which chose nothing[^:]*: (.*?);", readme, re.DOTALL).group(1)
    (info,) = (GenomeInfo(**genome) for genome in Genomes(config).reported)
    assert {*info.scored_contigs} < {*re.findall(r"\w+", tested)}
    (warning,) = warnings(info, inputs_of(info))
    assert f"Unless the scored contigs ({', '.join(info.scored_contigs)}) are its test contigs" in warning


def test_the_overview_has_roles_only_where_they_mean_something():
    infos = [GenomeInfo("athaliana", "train"), GenomeInfo("bnapus", "test")]
    released, trained = (
        overview_section(inputs_of(*infos, model=model))[0].blocks[1] for model in (RELEASED, "trained")
    )
    assert "role" not in released.columns
    assert trained.columns[:2] == ("", "role")
    assert [row[1] for row in trained.rows] == ["train", "test"]
    for table in (released, trained):
        assert {len(row) for row in table.rows} == {len(table.columns)}
