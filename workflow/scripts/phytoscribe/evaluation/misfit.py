"""Warn that a model does not fit a genome: hardly any genes, or genes unlike those of the reference.

Which gene density is too low depends on the genome's size, because plants have similar numbers of genes.  Small genomes
have 60 and more per Mb; those of 1 to 10 Gb, such as maize, barley or wheat, 4 to 20; conifers, with 20 Gb and more,
1.5 and fewer.  No other sign that was tried distinguishes a failing model from a sparse genome: on *Volvox* and on
shuffled bases the released model calls about 0.8 % of the bases coding and makes hardly any genes of them, as it would
on much conifer sequence; and the few genes that it finds there may have high scores.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import pandas as pd

from phytoscribe.tables import shown_metrics

#: Below this many known bases it is chance that there is no gene: a gene of *A. thaliana* takes 4,000.
ENOUGH_FOR_A_GENE = 50_000
#: Fewest genes per Mb of genomes up to :data:`SMALL_GENOME`; a piece of 8 Mb of them has 80 genes and more.
LEAST_GENES_PER_MB = 10.0
#: From that size on a genome has 1,000 genes at least, from 1 to 10 Gb one per Mb, and beyond 10,000 at least.
SMALL_GENOME, FEWEST_GENES = 100e6, 1000
LARGE_GENOME, FEWEST_GENES_PER_MB, LARGEST = 1e9, 1.0, 10e9
#: Of the genes of a reference that a prediction has at least ...
LEAST_OF_REFERENCE = 1 / 3
#: ... and its locus F1; a fitting model is above 0.4, the released one on rice and castor bean above 0.25.
LEAST_LOCUS_F1 = 0.1
#: With fewer reference loci both are chance.
ENOUGH_LOCI = 10

CAUSES = (
    "the model is far from this species, or has learned too little; the FASTA is not the one meant, or its sequence is "
    "masked with N; it is not a plant's nuclear genome"
)
ADVICE = (
    "check the FASTA; then fine-tune the model with an annotation of this species or of a relative "
    "(finetune.from_model; docs/adding-a-species.md shows how), or name another model (predict.model)"
)


class Amount(NamedTuple):
    """Amount of sequence searched for genes.

    Attributes:
        bases: of the predicted contigs.
        gap_bases: number of N among these.
        genome_bases: of all contigs of the FASTA.
    """

    bases: int
    gap_bases: int
    genome_bases: int


def least_density(genome_bases: float) -> float:
    """Genes per Mb that a plant genome of this size has at least."""
    if genome_bases <= LARGE_GENOME:
        fewest = min(LEAST_GENES_PER_MB, FEWEST_GENES / max(genome_bases, SMALL_GENOME) * 1e6)
    else:
        fewest = FEWEST_GENES_PER_MB
    return fewest * min(1.0, LARGEST / max(genome_bases, 1.0))


def are_few(genes: int, amount: Amount) -> bool:
    """True if there are fewer genes than any plant genome of this size has on this many bases other than N."""
    known = amount.bases - amount.gap_bases
    if not genes:
        return known > ENOUGH_FOR_A_GENE
    return genes < least_density(amount.genome_bases) * known / 1e6


def few_genes(genes: int, amount: Amount) -> str:
    """The warning about too few genes, without the name of the genome; empty if there are enough."""
    if not are_few(genes, amount):
        return ""
    known, gaps = amount.bases - amount.gap_bases, amount.gap_bases / amount.bases
    density = least_density(amount.genome_bases)
    found = f"hardly any genes: {genes:,}" if genes else "not one gene"
    masked = f" ({gaps:.0%} of the sequence is N)" if gaps >= 0.01 else ""
    return (
        f"{found} on {known / 1e6:.2f} Mb of known bases{masked}, where a plant has {density:.2g} or more per Mb. "
        f"Likely causes: {CAUSES}. What to do: {ADVICE}. A stretch of a centromere or of a very large genome may have "
        "so few."
    )


class Agreement(NamedTuple):
    """Numbers of predicted genes and reference loci in the scored regions, and exact locus F1 (NaN if undefined)."""

    genes: int
    loci: int
    f1: float


def agreement(scores: pd.DataFrame, predictor: str = "phytoscribe") -> Agreement:
    """Read one predictor's values from a score table; zeros if it has no row."""
    wanted = {"predictor": predictor, "level": "locus", "ruler": "exact", "subset": "all"}
    rows = scores[(scores[list(wanted)] == pd.Series(wanted)).all(axis=1)].set_index("metric")
    precision, recall, f1 = shown_metrics(scores)
    if not {precision, recall, f1} <= set(rows.index):
        return Agreement(0, 0, math.nan)
    return Agreement(int(rows.loc[precision, "n"]), int(rows.loc[recall, "n"]), float(rows.loc[f1, "value"]))


def disagreement(genes: int, loci: int, f1: float) -> str:
    """The warning that a prediction hardly agrees with the reference; empty if it agrees, or if there are too few loci.

    Args:
        genes: number of genes predicted in the scored regions.
        loci: of the reference.
        f1: exact locus F1; NaN counts as 0.
    """
    if loci < ENOUGH_LOCI:
        return ""
    if genes < LEAST_OF_REFERENCE * loci:
        return f"{genes:,} genes were predicted where the reference has {loci:,}."
    if f1 >= LEAST_LOCUS_F1:
        return ""
    return f"hardly any gene is right: locus F1 is {0.0 if math.isnan(f1) else f1:.3f} over {loci:,} reference loci."


def unlike_reference(genes: int, loci: int, f1: float) -> str:
    """:func:`disagreement` with causes and advice."""
    found = disagreement(genes, loci, f1)
    return found and (
        f"{found} Likely causes: {CAUSES}; the annotation belongs to another assembly. What to do: {ADVICE}; see that "
        "FASTA and annotation are of one assembly."
    )
