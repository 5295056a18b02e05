"""Regions with made-up genes and made-up output of a network."""

from __future__ import annotations

import numpy as np

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.decoding.gene_regions import DecodedRegion
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.genome.sequence import encode
from phytoscribe.labels.states import STATE_COUNT, State

START = DecoderSettings(minimum_intron=20, minimum_cds=12, site_cutoff=None, codon_margin=0.0)


def random_table(generator: np.random.Generator, length: int) -> np.ndarray:
    values = generator.normal(0, 1.5, (length, STATE_COUNT))
    values[:, State.INTERGENIC] += 3.0
    return (values - np.logaddexp.reduce(values, axis=1)[:, None]).astype(np.float32)


def region_with_genes(seed: int, genes: int = 8) -> DecodedRegion:
    """Genes that a much too careful network half sees: their sites stand out, their bases little."""
    generator = np.random.default_rng(seed)
    text, models, marks = [], [], []
    position = 0

    def put(piece: str) -> int:
        nonlocal position
        text.append(piece)
        position += len(piece)
        return position

    for number in range(genes):
        put("".join(generator.choice(list("ACGT"), 120)))
        start = position
        first = put("ATGGCC" + "GCAGAC" * 5 + "GC")
        put("GTAAGT" + "".join(generator.choice(list("TTTA"), 30)) + "TTGCAG")
        second = position
        end = put("A" + "GCTGAC" * 6 + "TAA")
        cds = ((start, first), (second, end))
        models.append(GeneModel(str(number), "c", "+", (Transcript(f"{number}.t", cds, cds),)))
        phase = (first - start) % 3
        marks += [(start, State.START), (first - 1, State.LAST0 + (first - start - 1) % 3)]
        marks += [(second, State.FIRST0 + phase), (end - 1, State.STOP)]
    put("".join(generator.choice(list("ACGT"), 120)))
    bases = encode("".join(text))
    plus, minus = random_table(generator, bases.size), random_table(generator, bases.size)
    for at, state in marks:
        plus[at, state] += 4.0
    plus -= np.logaddexp.reduce(plus, axis=1)[:, None]
    return DecodedRegion(bases, plus, minus, models)
