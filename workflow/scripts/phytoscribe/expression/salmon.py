"""Read what salmon found: ``quant.sf``, a transcript a line (Patro et al. 2017, doi:10.1038/nmeth.4197)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from phytoscribe.errors import PhytoScribeError
from phytoscribe.expression.matrix import read_matrix
from phytoscribe.genome.names import some_names

#: Share of the transcripts of a file that the annotation must know.
LEAST_FOUND = 0.5
_TPM = "TPM"


class Quantified(NamedTuple):
    """What one file says of the annotation's genes.

    Attributes:
        tpm: by gene, summed over its transcripts.
        transcripts, found: transcripts in the file, and those of them that the annotation has.
    """

    tpm: dict[str, float]
    transcripts: int
    found: int


def read_quantified(path: str | Path, gene_of: Mapping[str, str]) -> Quantified:
    """TPM of genes from a ``quant.sf``.

    Args:
        gene_of: the gene of every transcript of the annotation.

    Raises:
        PhytoScribeError: the file is none of salmon's, or the annotation knows less than half of its transcripts.
    """
    matrix = read_matrix(path, [_TPM])
    genes: dict[str, float] = defaultdict(float)
    unknown = []
    for transcript, (value,) in zip(matrix.ids, matrix.values.tolist(), strict=True):
        # Names as in a FASTA of NCBI or GENCODE, which salmon cuts at the first bar only if it is told to.
        gene = gene_of.get(transcript) or gene_of.get(transcript.split("|", 1)[0])
        if gene is None:
            unknown.append(transcript)
        else:
            genes[gene] += value
    found = len(matrix.ids) - len(unknown)
    if found < LEAST_FOUND * len(matrix.ids):
        known = set(gene_of.values())
        if sum(name in known for name in unknown) >= LEAST_FOUND * len(matrix.ids):
            raise PhytoScribeError(
                f"{path}: has a line for each gene ({some_names(unknown, 3)}), but transcripts are needed; give "
                "salmon's quant.sf, not quant.genes.sf"
            )
        raise PhytoScribeError(
            f"{path}: the annotation has {found:,} of its {len(matrix.ids):,} transcripts (it lacks "
            f"{some_names(unknown)}); salmon's index must be of the transcripts of this annotation"
        )
    return Quantified(dict(genes), len(matrix.ids), found)
