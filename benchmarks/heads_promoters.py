"""Promoters as points on all genes of the benchmark: how much of the picture is GC content, and what neighbours know.

    python benchmarks/heads_promoters.py RUN DATA WORK FOLDER --model resources/models/brassicales

RUN, DATA and WORK as for heads_train.py. FOLDER gets trunk.npy, the trunk's features of each promoter (kept, and made
where it is not there), promoter_embedding.tsv and promoter_embedding.scores.tsv; heads_page.py --promoters FOLDER puts
the rows into heads_expression.md.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import numpy as np
import torch
from heads_data import SETTINGS, load_genes
from heads_expression import targets_of
from heads_train import NAMES

from phytoscribe.attribution.embedding import Promoters, points_of, score_points
from phytoscribe.evaluation.regression import MEASURES
from phytoscribe.expression.features import LONGEST, gc_of, kmer_roots
from phytoscribe.expression.window_table import used
from phytoscribe.files import atomic_path
from phytoscribe.prediction.expression import read_trunk_bins
from phytoscribe.prediction.trunk_cells import trunk_reader
from phytoscribe.splits.parts import PARTS
from phytoscribe.tables import EMBEDDING, write_table

SEED = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("run", "data", "work", "folder"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--target", default="leaf")
    parser.add_argument("--model", type=Path, required=True)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    genes = load_genes(given.run, given.work)
    level = targets_of(given.data, genes)[given.target].iloc[:, :1].to_numpy()
    rows = used(genes.table, PARTS).index.to_numpy()
    rows = rows[np.isfinite(level[rows, 0])]
    bases, kept = genes.windows[rows, :1, : SETTINGS.upstream], given.folder / "trunk.npy"
    if not kept.exists():
        reader = trunk_reader(given.model, "cpu", 1, NAMES)
        with atomic_path(kept) as path, path.open("wb") as handle:
            np.save(handle, read_trunk_bins(reader.network, bases, reader.global_ids))
    promoters = Promoters(
        table=genes.table.loc[rows].reset_index(drop=True),
        log=level[rows],
        tissues=(given.target,),
        vectors=np.load(kept).astype(np.float32).mean(axis=(1, 2)),
        kmers=kmer_roots(bases, regions=1)[:, -(4**LONGEST) :],
        gc=gc_of(bases, SETTINGS.upstream)[:, 0].astype(np.float64),
    )
    scores = score_points(promoters, SEED)
    print(scores.to_string())
    write_table(scores, given.folder / "promoter_embedding.scores.tsv", MEASURES)
    write_table(points_of(promoters, SEED), given.folder / "promoter_embedding.tsv", EMBEDDING)


if __name__ == "__main__":
    main()
