"""Figures of a checkpoint on validation regions."""

from __future__ import annotations

import numpy as np
import pytest

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.decoding.gene_regions import DecodedRegion
from phytoscribe.labels.encode import label_contig
from phytoscribe.labels.states import NON_CODING_LABEL, STATE_COUNT
from phytoscribe.training.tasks.structure.selection import cross_entropy


def test_cross_entropy_is_taken_where_a_state_is_known():
    """Three genes: the UTRs of two overlap, one lies in an intron of another; and a masked interval."""
    host = Transcript("a", ((10, 60), (150, 220)), ((30, 60), (150, 180)))
    nested = Transcript("b", ((80, 110),), ((80, 110),))
    neighbour = Transcript("c", ((200, 290),), ((230, 260),))
    genes = [GeneModel(t.id, "r", "+", (t,)) for t in (host, nested, neighbour)]
    labels = label_contig(genes, "+", 300)
    known = np.ones(300, dtype=bool)
    known[80:110] = known[200:220] = known[290:] = False
    assert (labels.states[200:220] == NON_CODING_LABEL).all()
    tables = np.log(np.random.default_rng(1).dirichlet(np.ones(STATE_COUNT), (2, 300)))
    expected = [tables[0, at, labels.states[at]] for at in np.flatnonzero(known)] + list(tables[1, :290, 0])
    assert cross_entropy([DecodedRegion(np.zeros(300, np.uint8), *tables, genes, [(290, 300)])]) == pytest.approx(
        -np.mean(expected)
    )
