"""One row per gene: what became of each reference locus and of each predicted gene.

The chains compared: of a right gene its longest right one; of a wrong locus that shares CDS bases with predictions the
most alike pair (:func:`phytoscribe.evaluation.accuracy.error_classes.closest_chains`) with the prediction that shares
most; of a locus that meets none its longest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from phytoscribe.annotation.model import GeneModel
from phytoscribe.evaluation.accuracy.counts import ALL
from phytoscribe.evaluation.accuracy.error_classes import ErrorClass, Meetings, closest_chains
from phytoscribe.evaluation.accuracy.gene_arrays import Codes, GeneColumns, flags
from phytoscribe.evaluation.accuracy.gene_matching import Row
from phytoscribe.tables import write_table

LOCUS_COLUMNS = (
    "predictor",
    "locus",
    "contig",
    "strand",
    "start",
    "end",
    "class",
    "predicted",
    "cds_exons",
    "predicted_cds_exons",
    "cds_length",
    "no_train_homologue",
)
PREDICTED_COLUMNS = (
    "predictor",
    "gene",
    "contig",
    "strand",
    "start",
    "end",
    "probability",
    "right",
    "class",
    "error",
    "cds_exons",
    "cds_length",
)
OVERLAP = "overlap"
RIGHT, MISSED, NOVEL, WRONG_STRUCTURE = "right", "missed", "novel", "wrong_structure"
LOCUS_FATES = (RIGHT, MISSED, "split", "merged", WRONG_STRUCTURE)
PREDICTED_FATES = (RIGHT, NOVEL, "split", "merged", WRONG_STRUCTURE)
_UNMET = frozenset({ErrorClass.MISSED, ErrorClass.WRONG_STRAND, ErrorClass.TRANSPOSON, ErrorClass.INTERGENIC})
_KEPT = frozenset({RIGHT, ErrorClass.SPLIT, ErrorClass.MERGED})


def reference_loci(met: Meetings, predictor: str, without_homologue: Collection[str] | None) -> pd.DataFrame:
    """A row of :data:`LOCUS_COLUMNS` for each scored locus; ``start`` counts from 1.

    Args:
        met: scored loci and the predicted genes that count.
        predictor: its name.
        without_homologue: ids of the loci without a homologue in training; None where there is no split.
    """
    loci, predicted = met.loci[: met.scored], met.predicted
    reference, guesses = met.comparison.reference, met.comparison.predicted
    chains, guessed = met.comparison.chains
    there = flags(guessed, int(max(chains.max(initial=-1), guessed.max(initial=-1))) + 1)[chains]
    compared = _best(reference, chains, there)[: met.scored]
    exons, lengths = reference.counts[compared], reference.lengths[compared]
    partner = _first_with(guesses, guessed, met.predicted_spans[0])
    classes, names, predicted_exons = [RIGHT] * len(loci), [""] * len(loci), [""] * len(loci)
    for number in np.flatnonzero(met.right_loci).tolist():
        names[number] = predicted[partner[int(chains[compared[number]])]].id
        predicted_exons[number] = str(exons[number])
    for number in np.flatnonzero(~met.right_loci).tolist():
        classes[number] = str(met.locus_error(number).error)
        if met.predictions_at[number]:
            other = predicted[met.predictions_at.closest(number)]
            chain, guess = closest_chains(loci[number], other)
            names[number], predicted_exons[number] = other.id, str(len(guess))
            exons[number], lengths[number] = len(chain), sum(end - start for start, end in chain)
    known = [""] * len(loci)
    if without_homologue is not None:
        known = ["yes" if gene.id in without_homologue else "no" for gene in loci]
    spans = [side[: met.scored] for side in met.locus_spans]
    values = (*_places(loci, *spans), classes, names, exons, predicted_exons, lengths, known)
    return pd.DataFrame(dict(zip(LOCUS_COLUMNS, ([predictor] * len(loci), *values))))


def predicted_genes(met: Meetings, predictor: str) -> pd.DataFrame:
    """A row of :data:`PREDICTED_COLUMNS` for each predicted gene that counts; ``start`` counts from 1.

    ``class`` is one of :data:`PREDICTED_FATES`, ``error`` the class of the error, empty for a right gene.
    """
    genes, guesses = met.predicted, met.comparison.predicted
    chains, guessed = met.comparison.chains
    in_reference = met.comparison.reference.gene < met.scored
    there = flags(chains[in_reference], int(max(chains.max(initial=-1), guessed.max(initial=-1))) + 1)[guessed]
    compared = _best(guesses, guessed, there)
    errors = ["" if right else str(met.prediction_error(n).error) for n, right in enumerate(met.right_predictions)]
    values = (
        *_places(genes, *met.predicted_spans),
        [gene.score for gene in genes],
        np.where(met.right_predictions, "yes", "no"),
        [fate(error, NOVEL) for error in errors],
        errors,
        guesses.counts[compared],
        guesses.lengths[compared],
    )
    return pd.DataFrame(dict(zip(PREDICTED_COLUMNS, ([predictor] * len(genes), *values))))


def fate(error: str, unmet: str) -> str:
    """The class of a gene in short; ``unmet`` is the word for one that meets none of the other side."""
    if not error:
        return RIGHT
    if error in _UNMET:
        return unmet
    return error if error in _KEPT else WRONG_STRUCTURE


def fate_rows(loci: pd.DataFrame, predicted: pd.DataFrame) -> list[Row]:
    """Counts of loci and predicted genes by :func:`fate`, as rows (level, ruler, subset, metric, value, n)."""
    rows: list[Row] = []
    for level, fates, classes in (
        ("reference_locus", [fate("" if c == RIGHT else c, MISSED) for c in loci["class"]], LOCUS_FATES),
        ("predicted_gene", list(predicted["class"]), PREDICTED_FATES),
    ):
        counts = Counter(fates)
        rows += [(level, OVERLAP, ALL, name, float(counts[name]), len(fates)) for name in classes]
    return rows


def write_genes(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table of genes, by rename; probabilities with three decimals."""
    write_table(table, path, decimals=3)


def _best(side: GeneColumns, chains: Codes, right: np.ndarray) -> Codes:
    """The transcript of each gene that is compared: the longest right one, or the longest; (genes,)."""
    order = np.lexsort([chains, -side.lengths, ~right, side.gene])
    return order[np.searchsorted(side.gene[order], np.arange(side.genes))]


def _first_with(side: GeneColumns, chains: Codes, starts: Codes) -> dict[int, int]:
    """The first gene by position that has each chain; ``starts`` are those of the genes."""
    order = np.lexsort([side.gene, starts[side.gene], chains])
    code, first = np.unique(chains[order], return_index=True)
    return dict(zip(code.tolist(), side.gene[order][first].tolist()))


def _places(
    genes: Sequence[GeneModel], starts: Codes, ends: Codes
) -> tuple[list[str], list[str], list[str], Codes, Codes]:
    """Ids, contigs, strands, starts from 1 and ends."""
    ids = [gene.id for gene in genes]
    return ids, [gene.contig for gene in genes], [gene.strand for gene in genes], starts + 1, ends
