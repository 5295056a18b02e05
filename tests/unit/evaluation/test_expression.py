"""Scores of predicted expression on planted genes: what each simple model can and cannot find."""

import numpy as np
import pandas as pd
import pytest

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.errors import PhytoScribeError
from phytoscribe.evaluation.expression import (
    FAMILY_ROW,
    GC_ROW,
    MEAN_ROW,
    PROMOTER_ROW,
    STRUCTURE_ROW,
    baselines_of,
    predicted_of,
    subsets_of,
)
from phytoscribe.expression.examples import Examples, GenomeFiles
from phytoscribe.expression.windows import WindowSettings

SETTINGS = WindowSettings("gene", 100, 50)


def genes_of(seed: int, count: int) -> Examples:
    """Genes whose level follows the number of their exons, and whose contrast follows GC of the promoter."""
    generator = np.random.default_rng(seed)
    exons, share = generator.integers(1, 6, count), generator.random(count)
    bases = generator.integers(0, 4, (count, 2, 150)).astype(np.uint8)
    for row in range(count):
        bases[row, 0, :100] = generator.choice(
            4, 100, p=np.array([1 - share[row], share[row], share[row], 1 - share[row]]) / 2
        )
    noise = generator.normal(0, 0.2, (count, 2))
    log = 2 + exons[:, None] + 4 * np.outer(share - 0.5, [1, -1]) + noise
    models = []
    for row, number in enumerate(exons):
        parts = tuple((100 * k, 100 * k + 60) for k in range(number))
        cds = (
            parts if row % 2 else ((10, 60), *parts[1:-1], *([(parts[-1][0], parts[-1][1] - 10)] if number > 1 else []))
        )
        models.append(GeneModel(f"g{row}", "c", "+", (Transcript(f"t{row}", parts, cds),)))
    clusters = np.where(np.arange(count) % 3 == 0, np.arange(count) + 1000 * seed, np.nan)
    table = pd.DataFrame({"genome": "x", "gene": [g.id for g in models], "cluster": clusters})
    return Examples(bases, log, ("leaf", "root"), table, models)


@pytest.fixture(scope="module")
def parts():
    return genes_of(1, 400), genes_of(2, 80), genes_of(3, 200)


def test_each_model_finds_what_it_reads(parts):
    train, validate, test = parts
    found = baselines_of(train, validate, test, SETTINGS, 1)
    truth = test.log.mean(axis=1), test.log[:, 0] - test.log[:, 1]

    def r(model):
        told = found[model].mean(axis=1), found[model][:, 0] - found[model][:, 1]
        return [np.corrcoef(a, b)[0, 1] if b.std() > 1e-9 else 0.0 for a, b in zip(truth, told, strict=True)]

    level, contrast = r(STRUCTURE_ROW)
    assert level > 0.95
    assert contrast > 0.9, "GC is among its numbers"
    for model in (GC_ROW, PROMOTER_ROW):
        level, contrast = r(model)
        assert abs(level) < 0.3
        assert contrast > 0.8
    np.testing.assert_allclose(found[MEAN_ROW], np.repeat(train.log.mean(axis=0)[None], 200, axis=0))
    np.testing.assert_allclose(found[FAMILY_ROW], found[MEAN_ROW], err_msg="without homologues it knows nothing")


def test_subsets(parts):
    train, _, test = parts
    found = subsets_of(test, train)
    assert found["all"].all()
    assert found["no_homologue"].all()
    assert not subsets_of(test, test)["no_homologue"][::3].any()
    several = np.array([len(gene.transcripts[0].exons) > 1 for gene in test.genes])
    assert found["both_utrs"][~several].sum() == 0
    np.testing.assert_array_equal(found["both_utrs"], several & (np.arange(200) % 2 == 0))


def test_predictions_are_put_in_order_and_must_be_whole(parts, tmp_path):
    test, path = parts[2], tmp_path / "x.tsv"
    rows = pd.DataFrame({"gene": test.table["gene"], "leaf": np.exp2(test.log[:, 0]) - 1, "root": 3.0})
    path.write_text("# model: x\n" + rows[::-1].to_csv(sep="\t", index=False))
    files = [GenomeFiles("x", path, path, path, path)]
    found = predicted_of([path], files, test)
    np.testing.assert_allclose(found[:, 0], test.log[:, 0], atol=1e-9)
    np.testing.assert_allclose(found[:, 1], 2.0)
    rows[:-1].to_csv(path, sep="\t", index=False)
    with pytest.raises(PhytoScribeError, match=r"x\.tsv: the level of a test gene is missing; delete the file"):
        predicted_of([path], files, test)
    rows.drop(columns="root").to_csv(path, sep="\t", index=False)
    with pytest.raises(PhytoScribeError, match="tissue 'root' is missing"):
        predicted_of([path], files, test)
