"""What a tokenizer makes of its corpus, for the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from phytoscribe.genome.sequence import encode
from phytoscribe.tokenizer.segments import Segmenter


def describe_tokenizer(folder: str | Path, corpus: str | Path, kind: str) -> dict[str, Any]:
    """Figures of the tokenizer saved in ``folder`` on the corpus; lengths in bases."""
    segmenter = Segmenter(folder)
    counts = np.zeros(segmenter.vocabulary_size, dtype=np.int64)
    with Path(corpus).open(encoding="ascii") as lines:
        for line in lines:
            ids, _ = segmenter.segment(encode(line.rstrip("\n")))
            counts += np.bincount(ids, minlength=counts.size)
    bases, tokens = int(counts @ segmenter.lengths), int(counts.sum())
    return {
        "kind": kind,
        "vocabulary": segmenter.vocabulary_size,
        "sequence_tokens": int((segmenter.lengths > 0).sum()),
        "corpus_bases": bases,
        "corpus_tokens": tokens,
        "mean_token_length": round(bases / tokens, 4) if tokens else None,
        "longest_token": int(segmenter.lengths.max()),
        "unused_sequence_tokens": int((counts[segmenter.nucleotide] == 0).sum()),
    }
