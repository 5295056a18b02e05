"""One protein per locus, for paralog clustering and the leakage search."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from itertools import groupby
from urllib.parse import quote

import pandas as pd

from phytoscribe.annotation.model import GeneModel, sort_genes
from phytoscribe.annotation.sequences import STOP, protein_of
from phytoscribe.errors import GffError
from phytoscribe.genome.fasta import Genome
from phytoscribe.splits.table import LOCUS_COLUMNS

logger = logging.getLogger(__name__)


def protein_id(genome: str, locus: str) -> str:
    """Unique name of a locus' protein over all genomes; without white space, which would end a FASTA name."""
    return f"{genome}:{quote(locus, safe='.:|+-_()')}"


def extract_proteins(
    name: str, genes: Iterable[GeneModel], genome: Genome
) -> tuple[list[tuple[str, str]], pd.DataFrame]:
    """Extract the proteins of a genome's loci and the table of these loci, in order along the contigs.

    Args:
        name: the genome's name in the configuration.
        genes: accepted gene models; those without CDS have no protein and are left out.
        genome: its open sequence.

    Returns:
        FASTA records (protein id, sequence without the final stop) and a table with the columns
        :data:`~phytoscribe.splits.table.LOCUS_COLUMNS`; ``start``/``end`` span all transcripts of the locus.

    Raises:
        GffError: a CDS of the locus holds no complete codon.
    """
    records: list[tuple[str, str]] = []
    rows = []
    ordered = sort_genes(genes, genome.contigs)
    for contig, on_contig in groupby(ordered, key=lambda gene: gene.contig):
        bases = genome.bases(contig)
        for gene in on_contig:
            transcript = gene.representative
            if transcript is None:
                continue
            sequence = protein_of(transcript, bases).removesuffix(STOP)
            if not sequence:
                raise GffError(f"{name}: transcript {transcript.id}: its CDS codes for no amino acid")
            identifier = protein_id(name, gene.id)
            records.append((identifier, sequence))
            place = (name, contig, gene.start, gene.end, gene.strand, gene.id)
            rows.append((*place, transcript.id, identifier, len(sequence)))
    logger.info("%s: %d genes, %d loci with a protein", name, len(ordered), len(rows))
    return records, pd.DataFrame(rows, columns=list(LOCUS_COLUMNS))
