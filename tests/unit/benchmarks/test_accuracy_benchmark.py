"""The parts of benchmarks/accuracy.py that decide what is scored and shown; the run itself needs data and hours."""

from pathlib import Path

import numpy as np
import pytest
from gene_scores import GeneError

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.evaluation.accuracy.counts import scorable
from phytoscribe.evaluation.accuracy.error_classes import ErrorClass

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


def test_every_tenth_scaffold_is_held_out_in_turn():
    from accuracy_sets import TEST, VALIDATION, held_out_scaffolds

    names = [f"s{number:03}" for number in range(1, 45)]
    shuffled = [names[index] for index in np.random.default_rng(1).permutation(len(names))]
    assert held_out_scaffolds(shuffled, VALIDATION) == ["s010", "s030"]
    assert held_out_scaffolds(shuffled, TEST) == ["s020", "s040"]


#: The contigs of the folders that both train and are held out, but for *B. napus*.
CONTIGS = {
    "athaliana": ["Chr1", "Chr2", "Chr3", "Chr3_1065466_1464870", "Chr4", "Chr5", "Chr5_25975502_26975502", "ColHiFi"],
    "athaliana_chr5": [
        "Chr5_269756_16999950",
        "Chr5_16999951_19500000",
        "Chr5_19500001_24002300",
        "Chr5_24002301_25975501",
    ],
    "ptrichocarpa_chr01": ["Ptrichocarpa_Chr01_1_5200000", "Ptrichocarpa_Chr01_5200001_6200000"],
    "osativa_more": ["Osativa_Chr1_1_1000400", "Osativa_Chr2_1_1000000", "Osativa_Chr3piece_1_2000001"],
    "bnapus": [f"s{number:03}" for number in range(1, 45)],
    "athaliana_more": ["Chr1_5_9", "Chr2_5_9", "Chr5_17000000_17000900"],
}


@pytest.mark.parametrize("folder", CONTIGS)
def test_a_contig_is_in_one_part_at_most(folder):
    from accuracy_sets import HELD_OUT, TEST, VALIDATION, scored_contigs, training_contigs

    contigs = CONTIGS[folder]
    parts = [training_contigs(folder, contigs)]
    if folder in HELD_OUT or folder == "bnapus":
        parts += [scored_contigs(folder, contigs, part) for part in (VALIDATION, TEST)]
        for part, names in HELD_OUT.get(folder, {}).items():
            assert set(scored_contigs(folder, contigs, part)) == set(names)  # none is misspelt
    assert len({contig for part in parts for contig in part}) == sum(map(len, parts))


def test_what_trains():
    from accuracy_sets import training_contigs

    found = {folder: training_contigs(folder, contigs) for folder, contigs in CONTIGS.items()}
    assert found["athaliana"] == []  # the whole of chromosome 1 is in a folder of its own
    assert found["athaliana_chr5"] == ["Chr5_269756_16999950", "Chr5_19500001_24002300"]
    assert found["osativa_more"] == ["Osativa_Chr3piece_1_2000001"]
    assert found["athaliana_more"] == ["Chr2_5_9"]
    assert len(found["bnapus"]) == 40


def test_what_a_part_scores():
    from accuracy_sets import SCORED_IN, SETS, TEST, VALIDATION

    assert set(SCORED_IN[VALIDATION]) == {"athaliana", "bnapus", "ptrichocarpa", "osativa_chr1"}
    parts = {entry.name: entry.scored_part(TEST) for entry in SETS}
    assert {name for name, part in parts.items() if part == VALIDATION} == {"ptrichocarpa", "osativa_chr1"}
    shown = {entry.name for entry in SETS if "validation" in entry.title.lower()}
    assert shown == {"ptrichocarpa", "osativa_chr1"}


def test_the_reference_is_the_workflows(tmp_path):
    """The example as a species folder: the loci are those that the rules score."""
    from accuracy_sets import read_species

    (tmp_path / "data").mkdir()
    (tmp_path / "data/athaliana").symlink_to(BENCHMARKS.parent / "resources/example/athaliana")
    contigs = ["Chr5", "Chr5_25975502_26975502"]
    species = read_species(tmp_path / "data", {"athaliana": contigs}, tmp_path / "cache")
    assert list(species.contigs) == contigs
    scope = species.scope(contigs, frozenset({"AT5G01010"}))
    assert len(scorable(scope.reference, scope.mask)) == 360  # as results/evaluation/athaliana.genes.tsv counts them
    assert {"AT5G01010"} == next(iter(scope.subsets.values()))
    assert not {gene.id for gene in scope.reference} & {gene.id for gene in scope.ignored}
    assert "Chr5" in species.mask


def test_models_have_labels_of_their_own():
    from accuracy_models import named_models, released_model

    folder = str(released_model())
    assert [model.name for model in named_models([], {})] == ["phytoscribe"]
    assert [model.name for model in named_models([f"new={folder}", f"old={folder}"], {})] == [
        "phytoscribe new",
        "phytoscribe old",
    ]
    for given, message in (
        ([folder, folder], "label of its own"),
        ([f"a b={folder}"], "a label has"),
        ([f"new={BENCHMARKS}"], "is no model"),
    ):
        with pytest.raises(SystemExit, match=message):
            named_models(given, {})


def test_figures_look_for_what_is_there():
    import pandas as pd
    from accuracy_measure import COLUMNS, value_of

    row = ("athaliana", "all", "phytoscribe", "locus", "exact", "all", "f1", 0.7, 10)
    table = pd.DataFrame([row], columns=list(COLUMNS))
    assert value_of(table, predictor="phytoscribe", level="locus", metric="f1") == 0.7
    assert np.isnan(value_of(table, predictor="augustus"))


def test_wilson_interval_holds_the_share_and_narrows():
    from accuracy_figure import wilson_interval

    low, high = wilson_interval(np.array([0.0, 0.5, 1.0]), np.array([10, 10, 10]))
    assert low == pytest.approx([0, 0.2366, 0.7225], abs=1e-3)
    assert high == pytest.approx([0.2775, 0.7634, 1], abs=1e-3)


def gene(name, start, strand="+"):
    chain = ((start, start + 60), (start + 100, start + 160))
    return GeneModel(name, "c", strand, (Transcript(f"{name}.1", chain, chain),))


def test_the_atlas_takes_some_of_every_kind():
    from accuracy_atlas import spread

    errors = [GeneError(gene(str(n), 1000 * n), ErrorClass.MISSED, ()) for n in range(20)]
    errors += [GeneError(gene(str(n), 1000 * n), ErrorClass.MERGED, ()) for n in range(20, 30)]
    chosen = spread(errors, 6)
    assert [error.error for error in chosen] == [ErrorClass.MISSED] * 4 + [ErrorClass.MERGED] * 2
    assert spread(errors[:3], 6) == errors[:3]


@pytest.mark.parametrize("strand", "+-")
def test_the_atlas_reads_probabilities_at_the_bases_of_the_model(strand):
    from accuracy_atlas import describe

    from phytoscribe.labels.states import STATE_COUNT, State

    length = 400
    states, sites = np.full((length, STATE_COUNT), -9.0), np.zeros((length, 2), np.float16)
    ends, intron = (100, 259), (160, 199)
    start, stop = ends if strand == "+" else ends[::-1]
    donor, acceptor = intron if strand == "+" else intron[::-1]
    states[start, State.START] = states[stop, State.STOP] = np.log(0.25)
    sites[donor, 0] = sites[acceptor, 1] = 0.75
    lines = list(describe(GeneError(gene("g", 100, strand), ErrorClass.MISSED, ()), states, sites))
    assert lines[0] == f"c:101-260 {strand}"
    assert [line.split() for line in lines[-4:]] == [
        ["R.", "start", str(start + 1), "0.250"],
        ["R.", "donor", str(donor + 1), "0.750"],
        ["R.", "acceptor", str(acceptor + 1), "0.750"],
        ["R.", "stop", str(stop + 1), "0.250"],
    ]


def test_equal_mass():
    from phytoscribe.evaluation.accuracy.calibration import equal_mass_bins

    probabilities = np.linspace(0.5, 1.0, 100)
    table = equal_mass_bins(probabilities, probabilities > 0.7)
    assert table["n"].tolist() == [10] * 10
    assert equal_mass_bins([0.5] * 7, [True] * 7)["n"].tolist() == [7]
    assert equal_mass_bins([], []).empty


def test_any_isoform_makes_a_locus_right():
    from accuracy_measure import right_loci

    def gene(*chains):
        return GeneModel("g", "c", "+", tuple(Transcript("t", chain, chain) for chain in chains))

    short, long = ((0, 30),), ((0, 60),)
    assert right_loci([gene(short), gene(((3, 60),))], [gene(long, short)]).tolist() == [True, False]
