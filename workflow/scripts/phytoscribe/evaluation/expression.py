"""Score predicted expression on held-out genes, beside simple models that learn from the same genes.

Every table has these rows: the mean of training, GC, gene structure alone, k-mers of the promoter and of the whole
window, and the mean of training homologues, which a split without leaks leaves at the mean of training.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from phytoscribe.errors import PhytoScribeError
from phytoscribe.evaluation.regression import HighLow, Values, bootstrap_weights, measures
from phytoscribe.expression.baselines import boosted_trees, chosen_ridge, family_means
from phytoscribe.expression.examples import Examples, GenomeFiles, log_levels, read_examples
from phytoscribe.expression.features import gc_of, has_both_utrs, kmer_roots, structure_numbers
from phytoscribe.expression.windows import WindowSettings
from phytoscribe.splits.parts import TEST, TRAIN, VALIDATE

logger = logging.getLogger(__name__)

HEAD = "head"
BASELINES = MEAN_ROW, GC_ROW, STRUCTURE_ROW, PROMOTER_ROW, WINDOW_ROW, FAMILY_ROW = (
    "mean", "gc", "structure", "promoter_kmers", "window_kmers", "family_mean",
)  # fmt: skip
#: Genes of the test part by what is known of them.
ALL, NO_HOMOLOGUE, BOTH_UTRS = "all", "no_homologue", "both_utrs"


def score_expression(
    table: pd.DataFrame,
    genomes: Sequence[GenomeFiles],
    predictions: Sequence[Path],
    settings: WindowSettings,
    seed: int,
) -> pd.DataFrame:
    """Scores of the head and of all baselines on the test genes (columns of ``evaluation.regression.MEASURES``).

    Args:
        table: of all genomes (``results/splits/gene_windows.tsv``).
        predictions: ``results/expression/{genome}.tsv`` of the genomes, in their order.

    Raises:
        PhytoScribeError: no gene is for the test.
    """
    train, validate, test = (read_examples(table, genomes, settings, part) for part in (TRAIN, VALIDATE, TEST))
    if not len(test.log):
        raise PhytoScribeError(
            "no gene with a window and a measured level is for the test; hold out contigs under "
            "genomes[...].contigs.test, or use split.mode: cluster"
        )
    found = {HEAD: predicted_of(predictions, genomes, test)} | baselines_of(train, validate, test, settings, seed)
    weights = bootstrap_weights(test.table["cluster"].tolist(), seed)
    classes, subsets = HighLow.of(train.log), subsets_of(test, train)
    for name, mask in subsets.items():
        logger.info("test genes, %s: %d", name, mask.sum())
    tables = [measures(model, test.log, x, test.tissues, subsets, weights, classes) for model, x in found.items()]
    return pd.concat(tables, ignore_index=True)


def subsets_of(test: Examples, train: Examples) -> dict[str, npt.NDArray[np.bool_]]:
    """Test genes by subset."""
    learnt = set(train.table["cluster"].dropna())
    return {
        ALL: np.ones(len(test.log), dtype=bool),
        NO_HOMOLOGUE: ~test.table["cluster"].isin(learnt).to_numpy(),
        BOTH_UTRS: np.array([has_both_utrs(gene) for gene in test.genes]),
    }


def predicted_of(paths: Sequence[Path], genomes: Sequence[GenomeFiles], test: Examples) -> Values:
    """The head's log levels of the test genes, (genes, tissues).

    Raises:
        PhytoScribeError: a prediction lacks a tissue or a gene.
    """
    found = np.empty_like(test.log)
    for one, path in zip(genomes, paths, strict=True):
        rows = (test.table["genome"] == one.name).to_numpy()
        levels = pd.read_csv(path, sep="\t", comment="#", dtype={"gene": str}, keep_default_na=False, na_values=[""])
        lacking = [tissue for tissue in test.tissues if tissue not in levels.columns]
        own = levels.set_index("gene").reindex(test.table["gene"][rows])
        if lacking or own[list(test.tissues)].isna().any(axis=None):
            what = f"tissue {lacking[0]!r}" if lacking else "the level of a test gene"
            raise PhytoScribeError(f"{path}: {what} is missing; delete the file and run again")
        found[rows] = log_levels(own[list(test.tissues)].to_numpy(dtype=np.float64))
    return found


def baselines_of(
    train: Examples, validate: Examples, test: Examples, settings: WindowSettings, seed: int
) -> dict[str, Values]:
    """Log levels of the test genes by each simple model, (genes, tissues)."""
    parts = (train, validate, test)
    gc = [gc_of(part.bases, settings.upstream) for part in parts]
    found = {
        MEAN_ROW: np.repeat(np.nanmean(train.log, axis=0)[None], len(test.log), axis=0),
        GC_ROW: _ridge(gc, parts),
    }
    structure = [structure_numbers(part.genes, of_part) for part, of_part in zip(parts, gc, strict=True)]
    found[STRUCTURE_ROW] = boosted_trees(structure[0], train.log, seed)(structure[2])
    promoters = [kmer_roots(part.bases[:, :1, : settings.upstream]) for part in parts]
    found[PROMOTER_ROW] = _ridge(promoters, parts)
    found[WINDOW_ROW] = _ridge([kmer_roots(part.bases) for part in parts], parts)
    clusters = [part.table["cluster"].tolist() for part in parts]
    found[FAMILY_ROW] = family_means(train.log, clusters[0], clusters[2])
    return found


def _ridge(features: Sequence[npt.NDArray[np.float32]], parts: tuple[Examples, Examples, Examples]) -> Values:
    fitted, penalty = chosen_ridge((features[0], parts[0].log), (features[1], parts[1].log))
    logger.info("ridge of %d features: penalty %g", features[0].shape[1], penalty)
    return fitted(features[2])
