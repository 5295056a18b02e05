"""Read what a genome is scored against, from the input and the params of a rule."""

from __future__ import annotations

from typing import Any

from phytoscribe.annotation.checking.tables import read_transcripts
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel
from phytoscribe.evaluation.accuracy.gene_tables import Scope
from phytoscribe.genome.fasta import chosen_contigs, read_index
from phytoscribe.genome.intervals import read_bed
from phytoscribe.splits.table import SPLIT_COLUMNS, read_table


def read_scope(given: Any, params: Any) -> Scope:
    """The scope of a rule with the inputs ``fai``, ``reference``, ``rejected`` and, as far as they are given, ``mask``
    and ``splits``; its params are ``genome``, ``contigs``, ``part`` and ``flank``."""
    lengths = read_index(given.fai)
    splits = read_table(given.splits, SPLIT_COLUMNS) if given.get("splits") else None
    return Scope.of(
        annotation=read_gff3(given.reference, lengths),
        rejected=read_transcripts(given.rejected),
        contigs=list(chosen_contigs(lengths, params.contigs)),
        mask=read_bed(given.mask, lengths) if given.get("mask") else None,
        splits=None if splits is None else splits[splits["genome"] == params.genome],
        part=params.part,
        flank=params.flank,
    )


def read_predictions(given: Any) -> dict[str, list[GeneModel]]:
    """Genes by predictor, from the inputs ``predicted`` and, if it is given, ``augustus``."""
    lengths = read_index(given.fai)
    predictions = {"phytoscribe": read_gff3(given.predicted, lengths)}
    if given.get("augustus"):
        predictions["augustus"] = read_gff3(given.augustus, lengths)
    return predictions
