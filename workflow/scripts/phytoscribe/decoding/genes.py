"""Whole gene models of a contig from both strands' log probabilities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.decoding.untranslated import add_untranslated_regions
from phytoscribe.decoding.viterbi import CodingGene, decode_coding_genes
from phytoscribe.labels.states import CODING_STATES, INTRON_STATES


def decode_contig(
    contig: str,
    bases: npt.NDArray[np.uint8],
    plus: npt.NDArray,
    minus: npt.NDArray,
    settings: DecoderSettings,
) -> list[GeneModel]:
    """Gene models of one contig, sorted by position, with running ids ``1``, ``2``, ...

    Args:
        bases: uint8 (length,).
        plus, minus: log probabilities of each strand's states, (length, STATE_COUNT), contig orientation.
        settings: the model's decoder settings.
    """
    coding = decode_coding_genes(bases, plus, minus, settings)
    all_exons = add_untranslated_regions(coding, bases, plus, minus, settings)
    models = []
    for number, (gene, exons) in enumerate(zip(coding, all_exons, strict=True), start=1):
        score = gene_score(gene, plus if gene.strand == "+" else minus)
        transcript = Transcript(f"{number}.t1", exons, gene.cds, score=score)
        models.append(GeneModel(str(number), contig, gene.strand, (transcript,), score=score))
    return models


def gene_score(gene: CodingGene, log_probabilities: npt.NDArray) -> float:
    """Mean model probability, over the bases from start to stop codon, of being coding (CDS) or intron (introns)."""
    start, end = gene.cds[0][0], gene.cds[-1][1]
    probabilities = np.exp(np.asarray(log_probabilities[start:end], dtype=np.float32))
    coding = np.zeros(end - start, dtype=bool)
    for left, right in gene.cds:
        coding[left - start : right - start] = True
    as_coding = probabilities[:, list(CODING_STATES)].sum(axis=1)
    as_intron = probabilities[:, list(INTRON_STATES)].sum(axis=1)
    return float(min(1.0, np.where(coding, as_coding, as_intron).mean()))
