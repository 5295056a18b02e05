"""Transcripts that labels spell out: the inverse of ``label_transcript``."""

from __future__ import annotations

import numpy as np

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.genome.intervals import true_runs
from phytoscribe.labels.states import CODING_STATES, INTRON_STATES, State


def transcripts_from_labels(labels: np.ndarray, strand: str) -> list[Transcript]:
    """Transcripts of one strand's labels, in contig orientation.

    Genes must be apart by at least one intergenic base, as they are in the labels of single transcripts.
    """
    states = np.asarray(labels, dtype=np.uint8)
    if strand == "-":
        mirrored = [GeneModel("g", "c", "+", (t,)) for t in transcripts_from_labels(states[::-1], "+")]
        return [gene.reverse_complement(states.size).transcripts[0] for gene in reversed(mirrored)]
    genic = states != State.INTERGENIC
    exonic = genic & ~np.isin(states, (*INTRON_STATES, State.UTR5_INTRON, State.UTR3_INTRON))
    coding = np.isin(states, CODING_STATES)
    return [
        Transcript(f"t{number}", true_runs(exonic[left:right], left), true_runs(coding[left:right], left), strand="+")
        for number, (left, right) in enumerate(true_runs(genic), start=1)
    ]
