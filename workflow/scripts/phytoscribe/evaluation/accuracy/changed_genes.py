"""What evidence changes in a prediction: scores with it and from DNA alone, and the genes that differ.

Both predictions are of one model and one reading of its network.  Against the reference, a locus is ``mended`` if only
the prediction with evidence has it right, and ``broken`` if only that from DNA does.  A predicted gene is ``gained`` if
no gene from DNA shares a coding base of its strand with it, and a gene from DNA is ``lost`` if none with evidence does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from phytoscribe.annotation.model import GeneModel
from phytoscribe.evaluation.accuracy.gene_arrays import Axis, GeneColumns, flags, meetings
from phytoscribe.evaluation.accuracy.gene_tables import RIGHT, GeneEvaluation, Scope, evaluate_predictors
from phytoscribe.tables import CHANGED_GENES

#: Predictors of the tables.
FROM_DNA, WITH_EVIDENCE = "from_dna", "with_evidence"
MENDED, BROKEN, GAINED, LOST = "mended", "broken", "gained", "lost"


def evaluate_evidence(
    with_evidence: Sequence[GeneModel], from_dna: Sequence[GeneModel], scope: Scope
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of :data:`phytoscribe.tables.SCORES` of both predictors, and the table of :data:`CHANGED_GENES`.

    Args:
        with_evidence, from_dna: all genes of both predictions.
        scope: what is scored.
    """
    found = evaluate_predictors({FROM_DNA: from_dna, WITH_EVIDENCE: with_evidence}, scope)
    scores = found.scores[found.scores["predictor"].isin((FROM_DNA, WITH_EVIDENCE))]
    rows = [*_changed_loci(found), *_new_genes(found, with_evidence, from_dna)]
    return scores, pd.DataFrame(rows, columns=list(CHANGED_GENES))


def _changed_loci(found: GeneEvaluation) -> Iterator[dict[str, Any]]:
    """Rows of the loci that only one prediction has right, in their order."""
    loci = found.reference_loci
    before, after = (loci[loci["predictor"] == name].to_dict("records") for name in (FROM_DNA, WITH_EVIDENCE))
    for old, new in zip(before, after, strict=True):
        if (old["class"] == RIGHT) != (new["class"] == RIGHT):
            yield {
                "change": MENDED if new["class"] == RIGHT else BROKEN,
                **{name: new[name] for name in ("contig", "strand", "start", "end", "locus")},
                **{"gene": new["predicted"], "class": new["class"]},
                **{"gene_from_dna": old["predicted"], "class_from_dna": old["class"]},
            }


def _new_genes(
    found: GeneEvaluation, with_evidence: Sequence[GeneModel], from_dna: Sequence[GeneModel]
) -> Iterator[dict[str, Any]]:
    """Rows of the scored genes that meet none of the other prediction, in their order."""
    axis = Axis()
    new, old = (GeneColumns.of(genes, axis) for genes in (with_evidence, from_dna))
    met = meetings(new, old)
    sides = (
        (GAINED, WITH_EVIDENCE, "", with_evidence, flags(met[0], new.genes)),
        (LOST, FROM_DNA, "_from_dna", from_dna, flags(met[1], old.genes)),
    )
    for change, predictor, ending, genes, there in sides:
        alone = {genes[number].id for number in np.flatnonzero(~there).tolist()}
        table = found.predicted_genes
        for row in table[(table["predictor"] == predictor) & table["gene"].isin(alone)].to_dict("records"):
            yield {
                "change": change,
                **{name: row[name] for name in ("contig", "strand", "start", "end")},
                **dict.fromkeys(("locus", "gene", "class", "gene_from_dna", "class_from_dna"), ""),
                **{f"gene{ending}": row["gene"], f"class{ending}": row["error"] or RIGHT},
            }
