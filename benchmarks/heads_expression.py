"""What simple models and the head score on expression of A. thaliana, on the standing split.

    python benchmarks/heads_expression.py RUN DATA WORK [--heads FOLDER ...] [--only TARGET ...] [--keep]
        [--compare FOLDER FOLDER ...]

RUN is a run of config/release.yaml (its resources/genomes and results/clean), DATA the folder of shared data, WORK a
folder for what is made once and for the scores (scores.TARGET.tsv), of which heads_page.py makes the page. FOLDER holds
the predictions of a head, as heads_train.py writes them. `--keep` keeps the rows of simple models, and of heads that
are not given, from the scores of an earlier run. DIAMOND must be on PATH.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from heads_data import Genes, load_genes

from phytoscribe.evaluation.regression import (
    MEASURES,
    HighLow,
    bootstrap_weights,
    measures,
    r_squared,
    value_and_interval,
)
from phytoscribe.expression.baselines import Fitted, boosted_trees, chosen_ridge
from phytoscribe.expression.examples import log_levels
from phytoscribe.splits.parts import TEST, TRAIN, VALIDATE
from phytoscribe.tables import write_table

HERE = Path(__file__).parent
SEED = 1
#: Reads, scaled to the mean depth, that a gene needs in buds or leaves for a ratio.
LEAST_READS = 20.0
#: Columns of what a head has more than another.
PAIRS = ("target", "before", "after", "subset", "value", "low", "high", "n")


def matrix_of(path: Path, genes: Genes) -> pd.DataFrame:
    """A table of DATA in the order of the genes; NaN for those that it lacks."""
    return pd.read_csv(path, sep="\t", index_col="gene_id").reindex(genes.table["gene"])


def targets_of(data: Path, genes: Genes) -> dict[str, pd.DataFrame]:
    """Targets by name, each (genes, columns)."""
    leaf = matrix_of(data / "athaliana/expression.tsv.gz", genes).drop(columns="logMaxTPM")
    leaf.columns = [f"leaf_{number:02d}" for number in range(1, leaf.shape[1] + 1)]
    reads = _buds_and_leaves(data, genes)
    logs = log_levels(reads)
    ratio = (logs["bud"] - logs["leaf"]).where(reads.max(axis=1) >= LEAST_READS)
    base = matrix_of(data / "expression/athaliana_consreg_base_mean.tsv.gz", genes)
    rate = base.div(genes.table["exonic"].to_numpy(), axis=0)
    level = log_levels((rate / rate.sum() * 1e6).mean(axis=1))
    return {
        "leaf": pd.DataFrame({"leaf": log_levels(leaf.mean(axis=1))}),
        "consreg_level": pd.DataFrame({"level": level}),
        "bud_leaf": pd.DataFrame({"bud_leaf": ratio}),
        "response": matrix_of(data / "expression/athaliana_consreg_log2fc.tsv.gz", genes),
    }


def tissues_of(data: Path, genes: Genes) -> dict[str, pd.DataFrame]:
    """Log levels of the two tissues whose difference is a target, by its name: log2(1 + reads), (genes, 2)."""
    return {"bud_leaf": log_levels(_buds_and_leaves(data, genes))}


def _buds_and_leaves(data: Path, genes: Genes) -> pd.DataFrame:
    """Reads of a gene in buds and leaves, scaled to the mean depth, means of the samples."""
    counts = matrix_of(data / "expression/athaliana_bud_leaf_counts.tsv.gz", genes)
    depth = counts / (counts.sum() / counts.sum().mean())
    leaves = ["F1", "F2", "Col0-1", "Col0-2"]
    return pd.DataFrame({"bud": depth[["BF1", "BF2"]].mean(axis=1), "leaf": depth[leaves].mean(axis=1)})


def rows_of(genes: Genes, values: npt.NDArray[np.float64], part: str) -> npt.NDArray[np.int64]:
    """Genes of a part that the guard keeps there and that have a value of the target, (genes, columns)."""
    there = np.isfinite(values).any(axis=1) & (genes.table["reason"] == "").to_numpy()
    return np.flatnonzero(there & (genes.table["part"] == part).to_numpy())


def scored(genes: Genes, name: str, target: pd.DataFrame, heads: list[Path], kept: pd.DataFrame | None) -> pd.DataFrame:
    """All rows of one target.

    Args:
        kept: rows of an earlier run, of simple models too; None to fit these anew.
    """
    values = target.to_numpy(dtype=np.float64)
    rows = {part: rows_of(genes, values, part) for part in (TRAIN, VALIDATE, TEST)}
    train, validate, test = rows.values()
    print(f"{name}: genes " + ", ".join(f"{part} {len(found)}" for part, found in rows.items()), flush=True)
    predictions = {} if kept is not None else simple_predictions(genes, name, values, (train, validate, test))
    for folder in heads:
        predictions |= head_predictions(folder, name, genes.table.iloc[test])
    both = genes.table["both_utrs"].to_numpy(dtype=bool)[test]
    subsets = {"all": np.ones(len(test), dtype=bool), "both_utrs": both}
    weights = bootstrap_weights(range(len(test)), SEED)
    classes = HighLow.of(values[train]) if name in ("leaf", "consreg_level") else None
    columns = list(target.columns)
    found = [
        measures(model, values[test], given, columns, subsets, weights, classes) for model, given in predictions.items()
    ]
    if kept is not None:
        found = [kept[~kept["model"].isin(predictions)], *found]
    table = pd.concat(found, ignore_index=True)
    table = table[~table["measure"].str.contains("deviation|sign")]
    return table.assign(target=name)


def simple_predictions(
    genes: Genes, name: str, values: npt.NDArray[np.float64], rows: tuple[npt.NDArray[np.int64], ...]
) -> dict[str, npt.NDArray[np.float64]]:
    """Values of the test genes by simple models.

    Args:
        values: of all genes, (genes, columns).
        rows: genes for training, validation and test.
    """
    train, validate, test = rows
    predictions = {
        "mean of training": np.repeat(np.nanmean(values[train], axis=0)[None], len(test), axis=0),
    }
    for model, features in {"GC of 4 regions": genes.gc, "k-mers, promoter 1 kb": genes.promoter_kmers,
                            "k-mers, 3 kb": genes.kmers}.items():  # fmt: skip
        fitted, penalty = chosen_ridge((features[train], values[train]), (features[validate], values[validate]))
        print(f"{name}: {model}: penalty {penalty}", flush=True)
        predictions[model] = fitted(features[test])
    trees: Fitted = boosted_trees(genes.structure[train], values[train], SEED)
    predictions["structure alone, boosted trees"] = trees(genes.structure[test])
    return predictions


def head_predictions(folder: Path, name: str, table: pd.DataFrame) -> dict[str, npt.NDArray[np.float64]]:
    """Predictions of a head for a target, by name of the model; nothing if it has none for it."""
    path = folder / f"{name}.tsv"
    if not path.is_file():
        return {}
    found = pd.read_csv(path, sep="\t", index_col="gene").reindex(table["gene"])
    return {folder.name: found.to_numpy(dtype=np.float64)}


def compared(genes: Genes, name: str, target: pd.DataFrame, pairs: list[list[Path]]) -> pd.DataFrame:
    """What the second head of each pair has more of R2 on the test genes, mean over the columns of the target."""
    values = target.to_numpy(dtype=np.float64)
    test = rows_of(genes, values, TEST)
    both = genes.table["both_utrs"].to_numpy(dtype=bool)[test]
    weights, rows = bootstrap_weights(range(len(test)), SEED), []
    for pair in pairs:
        found = [head_predictions(folder, name, genes.table.iloc[test]).get(folder.name) for folder in pair]
        if any(given is None for given in found):
            continue
        for subset, own in (("all", np.ones(len(test), dtype=bool)), ("both_utrs", both)):
            more = []
            for column in range(values.shape[1]):
                rated = own & np.isfinite(values[test, column])
                truth = values[test[rated], column]
                before, after = (r_squared(truth, given[rated, column], weights[:, rated]) for given in found)
                more.append(after - before)
            rows.append(
                (name, *(one.name for one in pair), subset, *value_and_interval(np.mean(more, axis=0)), own.sum())
            )
    return pd.DataFrame(rows, columns=list(PAIRS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--heads", type=Path, nargs="*", default=[])
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--compare", type=Path, nargs=2, action="append", default=[])
    given = parser.parse_args()
    genes = load_genes(given.run, given.work)
    reasons = genes.table.groupby(["part", genes.table["reason"].replace("", "kept")]).size()
    print(reasons.to_string(), flush=True)
    for name, target in targets_of(given.data, genes).items():
        if given.only and name not in given.only:
            continue
        path = given.work / f"scores.{name}.tsv"
        kept = pd.read_csv(path, sep="\t") if given.keep else None
        table = scored(genes, name, target, given.heads, kept)
        write_table(table, path, ["target", *MEASURES], decimals=4)
        pairs = compared(genes, name, target, given.compare)
        if len(pairs):
            write_table(pairs, given.work / f"pairs.{name}.tsv", PAIRS, decimals=4)
            print(pairs.round(3).to_string(index=False), flush=True)
        chosen = table[(table["label"] == table["label"].iloc[0])]
        print(
            chosen.pivot(index="model", columns=["subset", "measure"], values="value").round(3).to_string(), flush=True
        )


if __name__ == "__main__":
    main()
