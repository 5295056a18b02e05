"""Promoters as points: what the trunk of the structure model makes of them, and how much may be read into the picture.

Clusters in such a picture look like biology.  Two numbers stand beside it: how much of it is GC content, and whether
near promoters have more alike levels than those that are near by their words of four bases.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsRegressor

from phytoscribe.errors import PhytoScribeError
from phytoscribe.evaluation.regression import (
    LEAST_GENES,
    MEASURES,
    Values,
    bootstrap_weights,
    correlation,
    r_squared,
    value_and_interval,
)
from phytoscribe.expression.examples import GenomeFiles, read_examples, specificity
from phytoscribe.expression.features import LONGEST, Features, gc_of, kmer_roots
from phytoscribe.expression.windows import PROMOTER, WindowSettings
from phytoscribe.files import scratch_folder
from phytoscribe.splits.parts import PARTS, TEST, TRAIN, VALIDATE
from phytoscribe.tables import EMBEDDING
from phytoscribe.training.tasks.expression.task import with_trunk

logger = logging.getLogger(__name__)

#: Principal components that neighbours and UMAP are taken in, and neighbours of a promoter.
COMPONENTS, NEIGHBOURS = 20, 15
#: Training genes that a picture needs.
LEAST_TRAINING = 50
TRUNK, KMERS, DIFFERENCE = "trunk", "4-mers", "trunk minus 4-mers"
AXES, BOTH_AXES = ("axis_1", "axis_2"), "axes_1_2"
GC_R2, NEIGHBOUR_R2 = "gc_r2", "neighbour_r2"


@dataclass(frozen=True)
class Promoters:
    """Genes that take part in a split of genes with measured levels, with their promoters.

    Attributes:
        table: their lines of gene_windows.tsv.
        log: float64 (genes, tissues), log2(1 + TPM); NaN where nothing was measured.
        tissues: names.
        vectors: float32 (genes, channels), the trunk's features, mean over the promoter.
        kmers: float32 (genes, 256), square roots of the counts of 4-mers.
        gc: float64 (genes,), share of G and C.
    """

    table: pd.DataFrame
    log: npt.NDArray[np.float64]
    tissues: tuple[str, ...]
    vectors: Features
    kmers: Features
    gc: npt.NDArray[np.float64]

    def of_part(self, part: str) -> npt.NDArray[np.bool_]:
        return (self.table["part"] == part).to_numpy()


def read_promoters(
    table: pd.DataFrame, genomes: Sequence[GenomeFiles], upstream: int, model: Path, device: str, threads: int
) -> Promoters:
    """Read the promoters of all genes of the parts with the trunk of a structure model.

    Args:
        table: of all genomes (``results/splits/gene_windows.tsv``).
        upstream: bases of a promoter, which ends before the transcription start.
        model: folder of the structure model.
    """
    settings, found, vectors = WindowSettings(PROMOTER, upstream), [], []
    with scratch_folder() as scratch:
        for part in PARTS:
            genes = read_examples(table, genomes, settings, part)
            if len(genes.log):
                read = with_trunk(genes, genomes, model, device, threads, scratch / f"{part}.npy").trunk
                vectors.append(read.astype(np.float32).mean(axis=(1, 2)))
                found.append(genes)
                logger.info("%s: %d promoters", part, len(genes.log))
    if not found:
        raise PhytoScribeError("no gene of these genomes has a window and a measured level; is the annotation theirs?")
    bases = np.concatenate([genes.bases for genes in found])
    return Promoters(
        table=pd.concat([genes.table for genes in found], ignore_index=True),
        log=np.concatenate([genes.log for genes in found]),
        tissues=found[0].tissues,
        vectors=np.concatenate(vectors),
        kmers=kmer_roots(bases, regions=1)[:, -(4**LONGEST) :],
        gc=gc_of(bases, upstream)[:, 0].astype(np.float64),
    )


def principal_axes(features: Features, train: npt.NDArray[np.bool_]) -> Values:
    """Up to :data:`COMPONENTS` principal components of features in units of their spread, float64 (genes, components).

    Scale and components are those of the training genes.

    Raises:
        PhytoScribeError: there are too few of them.
    """
    if train.sum() < LEAST_TRAINING:
        raise PhytoScribeError(
            f"{train.sum()} training genes with a window and a measured level; {LEAST_TRAINING} are needed for a "
            "picture of promoters: hold less out (key split), or give a table of more genes"
        )
    own = features[train].astype(np.float64)
    scaled = (features - own.mean(axis=0)) / (own.std(axis=0) + 1e-6)
    components = min(COMPONENTS, features.shape[1], int(train.sum()))
    return PCA(components, svd_solver="full").fit(scaled[train]).transform(scaled)


def points_of(promoters: Promoters, seed: int) -> pd.DataFrame:
    """A line for each gene, columns of ``tables.EMBEDDING``: PCA, and UMAP (McInnes et al. 2018,
    doi:10.21105/joss.00861).

    ``level`` is log2(1 + TPM) of the first tissue; ``tau`` its :func:`~phytoscribe.expression.examples.specificity`.
    """
    # It compiles for seconds, which the scores do not need.
    from umap import UMAP

    axes = principal_axes(promoters.vectors, promoters.of_part(TRAIN))
    drawn = UMAP(n_neighbors=NEIGHBOURS, random_state=seed, n_jobs=1).fit_transform(axes)
    columns = {
        "level": promoters.log[:, 0],
        "tau": specificity(promoters.log),
        "gc": promoters.gc,
        "pca_1": axes[:, 0],
        "pca_2": axes[:, 1],
        "umap_1": drawn[:, 0],
        "umap_2": drawn[:, 1],
    }
    return promoters.table[["genome", "gene", "part"]].assign(**columns)[list(EMBEDDING)]


def score_points(promoters: Promoters, seed: int) -> pd.DataFrame:
    """The two numbers, for the trunk and for counts of 4-mers, columns of ``evaluation.regression.MEASURES``.

    ``gc_r2`` is the share of the variance of the first two axes that a line on GC content explains, over all genes.
    ``neighbour_r2`` is that of the level of the first tissue which the mean of the :data:`NEIGHBOURS` nearest training
    genes explains, over test genes, or those for validation where there are no others.  Intervals: bootstrap over
    clusters.
    """
    train = promoters.of_part(TRAIN)
    axes = {TRUNK: principal_axes(promoters.vectors, train), KMERS: principal_axes(promoters.kmers, train)}
    rows = [*_gc_rows(promoters, axes, seed), *_neighbour_rows(promoters, axes, seed)]
    return pd.DataFrame(rows, columns=list(MEASURES))


def _gc_rows(promoters: Promoters, axes_of: Mapping[str, Values], seed: int) -> Iterator[tuple]:
    weights = bootstrap_weights(promoters.table["cluster"].tolist(), seed)
    for model, components in axes_of.items():
        axes = components[:, :2]
        shares = [correlation(promoters.gc, axis, weights) ** 2 for axis in axes.T]
        both = np.average(shares, axis=0, weights=axes.var(axis=0))
        for label, values in zip((*AXES, BOTH_AXES), (*shares, both), strict=True):
            yield model, label, "all", GC_R2, *value_and_interval(values), len(axes), np.nan


def _neighbour_rows(promoters: Promoters, axes_of: Mapping[str, Values], seed: int) -> Iterator[tuple]:
    level, tissue = promoters.log[:, 0], promoters.tissues[0]
    known = np.isfinite(level)
    train = known & promoters.of_part(TRAIN)
    held_out = {part: known & promoters.of_part(part) for part in (TEST, VALIDATE)}
    part = next((part for part, genes in held_out.items() if genes.sum() >= LEAST_GENES), None)
    if part is None:
        logger.warning("fewer than %d held-out genes with a level: neighbours are not judged", LEAST_GENES)
        return
    judged = held_out[part]
    weights = bootstrap_weights(promoters.table["cluster"][judged].tolist(), seed)
    found = {}
    for model, axes in axes_of.items():
        told = KNeighborsRegressor(NEIGHBOURS).fit(axes[train], level[train]).predict(axes[judged])
        found[model] = r_squared(level[judged], told, weights)
    found[DIFFERENCE] = found[TRUNK] - found[KMERS]
    for model, values in found.items():
        yield model, tissue, part, NEIGHBOUR_R2, *value_and_interval(values), int(judged.sum()), np.nan
