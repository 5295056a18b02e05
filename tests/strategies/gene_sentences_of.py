"""Hypothesis strategies of genes that have a sentence: any type, any isoforms, on random sequence."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.decoding.isoform_edits import Direction, longest_cds
from phytoscribe.sentences.frames import open_frame
from phytoscribe.sentences.shapes import chain_with, shape_of

TYPES = ("protein_coding", "tRNA", "rRNA", "lncRNA", "mobile_element", "pseudogene", "odd type <%> é", "ncRNA_gene")


@st.composite
def genes_with_sequence(draw: st.DrawFn) -> tuple[GeneModel, Direction, np.ndarray]:
    """A gene model, a window that holds it, and the window's bases in the direction of transcription."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.integers(40, 160))
    # Rich in start codons and poor in stops, so that many frames are open.
    text = "".join(generator.choice(["ATG", "GCC", "GT", "AG", "A", "C", "TGA", "TAA", "N"], size // 2))[:size]
    codes = np.array(["ACGTN".index(base) for base in text], dtype=np.uint8)
    gene_type, strand = draw(st.sampled_from(TYPES)), draw(st.sampled_from("+-"))
    shape = shape_of(gene_type)
    before = draw(st.integers(0, 30))
    direction = Direction(strand, before, before + codes.size)
    chains = []
    for _ in range(draw(st.integers(1, 5)) if shape.alternatives else 1):
        introns = draw(st.integers(0, 4 if shape.most_introns is None else shape.most_introns))
        places = st.lists(st.integers(0, codes.size), min_size=2 + 2 * introns, max_size=2 + 2 * introns, unique=True)
        start, *middle, end = sorted(draw(places))
        introns = list(zip(middle[::2], middle[1::2], strict=True))
        if chains and draw(st.booleans()):
            # One of another isoform's introns less.
            start, end = chains[0][0][0], chains[0][-1][1]
            introns = [(left[1], right[0]) for left, right in zip(chains[0], chains[0][1:], strict=False)][1:]
        chains.append(chain_with(start, end, introns))
    isoforms = []
    for exons in chains:
        cds = longest_cds(exons, codes) if shape.codes else ()
        if shape.may_code and draw(st.integers(0, 2)) == 0:
            starts = [i for i in range(codes.size - 2) if text[i : i + 3] == "ATG"]
            cds = open_frame(exons, draw(st.sampled_from(starts)), codes) if starts and draw(st.booleans()) else ()
        isoforms.append((exons, cds))
    transcripts = [
        Transcript(f"g.{k}", direction.outward(exons), direction.outward(cds), "mRNA" if cds else "transcript")
        for k, (exons, cds) in enumerate(isoforms)
    ]
    return GeneModel("g", "c", strand, tuple(transcripts), biotype=gene_type), direction, codes
