"""What is scored: which contigs, which reference loci, which predicted genes.

With a split by contigs or species the scored contigs hold loci of one part only, and every predicted gene on them
counts.  With a split by clusters they also hold training loci; then only predictions within the held-out intervals
(scored loci with ``flank`` bases on each side) count, as the rest of the contig was seen in training.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.errors import ConfigError
from phytoscribe.evaluation.exact import Mask, score_genes
from phytoscribe.evaluation.intervals import IntervalIndex, read_bed
from phytoscribe.evaluation.tables import COLUMNS

log = logging.getLogger(__name__)

#: Rejected for these reasons, a transcript says nothing about the coding gene that a prediction may find there.
NOT_CODING = frozenset({"no_cds", "not_protein_coding"})
NO_TRAIN_HOMOLOGUE = "no_train_homologue"


@dataclass(frozen=True)
class Scope:
    """One genome's reference, ready for scoring any number of predictors.

    Attributes:
        reference: scored reference loci.
        ignored: known loci that are no reference: of another part of the split, or without an intact reading frame.
        contigs: scored contigs.
        mask: intervals by contig that count on neither side.
        subsets: further subsets of the reference, by gene id.
        held_out: intervals outside which no prediction counts; None if all of the scored contigs are held out.
    """

    reference: Sequence[GeneModel]
    ignored: Sequence[GeneModel]
    contigs: Collection[str]
    mask: Mask
    subsets: Mapping[str, Collection[str]] = field(default_factory=dict)
    held_out: IntervalIndex | None = None

    @classmethod
    def of(
        cls,
        reference: Sequence[GeneModel],
        broken: Sequence[GeneModel],
        contigs: Collection[str],
        mask_path: str | None = None,
        splits_path: str | None = None,
        genome: str = "",
        part: str = "test",
        flank: int = 500,
    ) -> Scope:
        """Scope of one genome; without ``splits_path`` every accepted locus on ``contigs`` is scored."""
        mask = read_bed(mask_path) if mask_path else {}
        on_contigs = [gene for gene in reference if gene.contig in contigs]
        known = {gene.id for gene in on_contigs}
        without_reference = [gene for gene in broken if gene.id not in known]
        if not splits_path:
            return cls(on_contigs, without_reference, contigs, mask)
        splits = pd.read_csv(splits_path, sep="\t", dtype={"genome": str, "contig": str, "locus": str})
        rows = splits[(splits["genome"] == genome) & splits["contig"].isin(set(contigs))]
        chosen = rows[rows["part"] == part]
        ids = set(chosen["locus"])
        scored = [gene for gene in on_contigs if gene.id in ids]
        other = [gene for gene in on_contigs if gene.id not in ids]
        mixed = bool((~rows["part"].isin([part, "excluded"])).any())
        if not scored:
            log.warning("%s: no locus of part %r on the scored contigs", genome, part)
        log.info("%s: %d loci scored, %d known but not scored", genome, len(scored), len(other))
        return cls(
            scored,
            [*other, *without_reference],
            contigs,
            mask,
            {NO_TRAIN_HOMOLOGUE: set(chosen.loc[~chosen["has_train_homologue"].astype(bool), "locus"])},
            _flanked(scored, flank) if mixed else None,
        )

    def countable(self, predicted: Iterable[GeneModel]) -> list[GeneModel]:
        """Predicted genes that lie where predictions are scored."""
        if self.held_out is None:
            return list(predicted)
        return [gene for gene in predicted if self.held_out.overlaps(gene.contig, gene.start, gene.end)]


def score_predictors(predictions: Mapping[str, Sequence[GeneModel]], scope: Scope) -> pd.DataFrame:
    """Scores of every predictor in one table with the columns of :mod:`phytoscribe.evaluation.tables`."""
    tables = []
    for predictor, genes in predictions.items():
        counted = scope.countable(genes)
        log.info("%s: %d genes, %d of them where predictions are scored", predictor, len(genes), len(counted))
        scores = score_genes(scope.reference, counted, scope.mask, scope.contigs, scope.subsets, scope.ignored)
        tables.append(scores.assign(predictor=predictor))
    return pd.concat(tables, ignore_index=True).loc[:, list(COLUMNS)]


def chosen_contigs(wanted: Sequence[str] | None, lengths: Mapping[str, int]) -> list[str]:
    """The scored contigs in FASTA order; all if ``wanted`` is None.

    Raises:
        ConfigError: a wanted contig is not in the FASTA.
    """
    unknown = [name for name in wanted or () if name not in lengths]
    if unknown:
        raise ConfigError(
            f"contigs {', '.join(unknown)} in config.yaml are not in the FASTA, which has "
            f"{', '.join(list(lengths)[:5])}{', ...' if len(lengths) > 5 else ''}; use names as in the FASTA"
        )
    return [name for name in lengths if wanted is None or name in set(wanted)]


def broken_loci(rejected: pd.DataFrame) -> list[GeneModel]:
    """Loci of coding transcripts that the annotation check rejected, each transcript as one block over its span.

    Args:
        rejected: the check's table, with columns gene, contig, start0, end, strand, reason (0-based half-open).
    """
    coding = rejected[~rejected["reason"].isin(NOT_CODING) & rejected["strand"].isin(["+", "-"])]
    loci = []
    for (gene, contig, strand), rows in coding.groupby(["gene", "contig", "strand"], sort=True):
        spans = sorted(set(zip(rows["start0"].astype(int), rows["end"].astype(int), strict=True)))
        blocks = tuple(Transcript(f"{gene}.{number}", (span,), (span,)) for number, span in enumerate(spans, start=1))
        loci.append(GeneModel(str(gene), str(contig), str(strand), blocks))
    return loci


def _flanked(genes: Iterable[GeneModel], flank: int) -> IntervalIndex:
    tracks: dict[str, list[tuple[int, int]]] = {}
    for gene in genes:
        tracks.setdefault(gene.contig, []).append((max(0, gene.start - flank), gene.end + flank))
    return IntervalIndex(tracks)
