"""rRNA genes by pybarrnap: profiles of Rfam families, searched with nhmmer (through pyhmmer).

pybarrnap: https://github.com/moshi4/pybarrnap, after Barrnap by T. Seemann.  nhmmer: Wheeler and Eddy 2013,
Bioinformatics 29:2487 (doi 10.1093/bioinformatics/btt403).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from functools import partial

from phytoscribe.errors import ToolError
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.names import organelle_of
from phytoscribe.noncoding.pieces import Rna, by_place, search

#: The versions that results were checked with.
PACKAGE = "pybarrnap==0.5.2"
#: Found in less than this share of the model's length, an rRNA gene is a fragment (pybarrnap's default).
COMPLETE = 0.8


def find_rrna(
    genome: Genome, contigs: Mapping[str, int], organelles: Collection[str], threads: int
) -> tuple[list[Rna], str]:
    """rRNA genes of ``contigs`` in order of place, and a line with the program, its version and its options.

    Organelles have ribosomes of bacterial kind, so their contigs are searched with the bacterial models.

    Args:
        organelles: contigs that the configuration calls organelles, in addition to those recognised by name.
        threads: the result does not depend on it.

    Raises:
        ToolError: pybarrnap is not installed.
    """
    try:
        import pybarrnap
    except ImportError as error:
        raise ToolError(
            f"noncoding.rRNA: barrnap needs the Python package pybarrnap, which cannot be imported ({error}); install "
            f"it with 'pip install {PACKAGE}' or 'conda install bioconda::pybarrnap', or run Snakemake with "
            "'--software-deployment-method conda'"
        ) from error
    logging.getLogger("pybarrnap").setLevel(logging.WARNING)
    found: list[Rna] = []
    for kingdom in ("euk", "bac"):
        of_kingdom = {
            name: length
            for name, length in contigs.items()
            if (name in organelles or organelle_of(name) is not None) == (kingdom == "bac")
        }
        found += search(genome, of_kingdom, partial(_by_pybarrnap, kingdom), threads)
    line = f"pybarrnap {pybarrnap.__version__}: kingdom euk, bac for organelles; E-value 1e-6 for each 2 Mb"
    return sorted(found, key=by_place(contigs)), line


def _by_pybarrnap(kingdom: str, sequences: Sequence[tuple[str, str]]) -> list[Rna]:
    from Bio.Seq import Seq
    from Bio.SeqRecord import SeqRecord
    from pybarrnap import Barrnap
    from pybarrnap.config import SEQTYPE2LEN

    records = [SeqRecord(Seq(sequence), id=name, name=name, description="") for name, sequence in sequences]
    found = []
    for hit in Barrnap(records, kingdom=kingdom, threads=1, lencutoff=COMPLETE).run().mdl_records:
        covered = hit.length / SEQTYPE2LEN[hit.query_name]
        attributes = {"product": hit.product, "Dbxref": hit.rfam_acc_dbxref}
        if covered < COMPLETE:
            attributes["Note"] = f"fragment: {covered:.0%} of the length of the gene".replace("%", " percent")
        found.append(Rna(hit.target_name, hit.start - 1, hit.end, hit.strand, "rRNA", hit.score, attributes=attributes))
    return found
