"""What AGAT made of an annotation: every gene that went in is found again, or its loss is a row of the repairs.

Two readings by :func:`~phytoscribe.annotation.cleaning.normalise.normalise` are compared, that of the source and that
of AGAT's output.  A fault of the source that the first reading had to mend, and the second had not, was mended by AGAT;
one that the second had to mend was left by it.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from phytoscribe.annotation.cleaning.agat_rows import (
    AFTER_AGAT,
    BY_AGAT,
    Names,
    SourceLines,
    rows_of_gene,
    rows_of_source,
)
from phytoscribe.annotation.cleaning.matching import Fate, Matching, match_genes
from phytoscribe.annotation.cleaning.repairs import RepairKind, RepairReport, shown_place
from phytoscribe.annotation.model import GeneModel
from phytoscribe.errors import ToolError

log = logging.getLogger(__name__)

#: AGAT 1.7.0 lost no gene of eleven real annotations.  What it does lose are oddities, such as trans-spliced genes and
#: genes of one id, a few to some tens in a genome.  More means that it did not understand the file, or was cut off.
LARGEST_SHARE_LOST = 0.01
#: ... which in a small file, or on a scaffold, is more than that share.
ALWAYS_ALLOWED = 10


@dataclass(slots=True)
class Account:
    """All that happened to an annotation, and how many of its genes and transcripts are gone.

    Attributes:
        kept: gene models to go on with.
        report: rows of both cleaners.
        genes: gene models in the source, by contig.
        transcripts: transcripts in the source.
        genes_lost: gene models that are nowhere in the result, or joined to another gene, by contig.
        transcripts_lost: transcripts that are nowhere in the result.
    """

    kept: list[GeneModel]
    report: RepairReport
    genes: Counter[str] = field(default_factory=Counter)
    transcripts: int = 0
    genes_lost: Counter[str] = field(default_factory=Counter)
    transcripts_lost: int = 0


def account_for(
    source_genes: list[GeneModel],
    source: RepairReport,
    genes: list[GeneModel],
    after: RepairReport,
    lines: SourceLines,
) -> Account:
    """Compare the reading of the source with that of AGAT's output.

    Args:
        source_genes: gene models as the builtin cleaner reads them from the source.
        source: what it repaired there.
        genes: gene models read from AGAT's output.
        after: what had to be repaired there.
        lines: where genes and transcripts stand in the source.

    Returns:
        The account.  Rows of the source's own losses stand as they are; all others end in "by AGAT" or "after AGAT".
    """
    matching = match_genes(source_genes, genes)
    names = Names(source, matching)
    twins = _twins(matching, source_genes)
    kept = [gene for gene in genes if gene.id not in twins]
    report = RepairReport(genes_in=source.genes_in, genes_out=len(kept))
    account = Account(kept, report, Counter(gene.contig for gene in source_genes))
    account.transcripts = sum(len(gene.transcripts) for gene in source_genes)
    report.rows.extend(rows_of_source(source, after, names))
    for match in matching.genes:
        fates = list(rows_of_gene(match, lines, names))
        account.genes_lost[match.gene.contig] += sum(row.kind is RepairKind.GENE_LOST for row in fates)
        account.transcripts_lost += sum(part.fate is Fate.LOST for part in match.transcripts)
        report.rows.extend(fates)
    for gene in matching.made:
        place = shown_place(gene.contig, gene.start, gene.end, gene.strand)
        if gene.id in twins:
            detail = f"a gene made by AGAT of the CDS of {twins[gene.id]}; {AFTER_AGAT}"
            report.add(RepairKind.DUPLICATE_LINE, gene.id, 0, detail, place)
        else:
            detail = f"of what is no gene of its own in the source; {BY_AGAT}"
            report.add(RepairKind.GENE_MADE, gene.id, 0, detail, place)
    _log_account(account, matching, len(twins))
    return account


def check_losses(path: str | Path, account: Account, version: str) -> None:
    """Refuse a result that lacks more than single genes.

    Raises:
        ToolError: no gene is left, more than a share of the genes or transcripts is lost, or a whole sequence is.
    """
    advice = "see AGAT's log in the rule's log, or set clean.backend: builtin"
    genes, lost = account.genes.total(), account.genes_lost.total()
    if genes and account.report.genes_out == 0:
        raise ToolError(f"{path}: AGAT {version} returned no gene at all for {genes} gene models; {advice}")
    for contig, count in account.genes.items():
        if count > ALWAYS_ALLOWED and account.genes_lost[contig] == count:
            raise ToolError(f"{path}: AGAT {version} returned none of the {count} genes of {contig}; {advice}")
    transcripts = account.transcripts
    for name, gone, total in [("genes", lost, genes), ("transcripts", account.transcripts_lost, transcripts)]:
        if gone > max(ALWAYS_ALLOWED, LARGEST_SHARE_LOST * total):
            examples = [row.id for row in account.report.rows if row.kind in _KINDS_OF_LOSS]
            raise ToolError(
                f"{path}: AGAT {version} lost {gone} of {total} {name} ({', '.join(examples[:3])}, ...); {advice}"
            )


def _twins(matching: Matching, source_genes: list[GeneModel]) -> dict[str, str]:
    """Genes that AGAT made of parts that have a gene already, and the transcript whose CDS they repeat.

    TAIR's CDS lines name a protein beside the mRNA as their parent, and AGAT makes a gene of each protein.
    """
    coding = {
        (gene.contig, gene.strand, transcript.cds): transcript.id
        for gene in source_genes
        for transcript in gene.coding_transcripts
    }
    twins = {}
    for gene in matching.made:
        repeated = [coding.get((gene.contig, gene.strand, transcript.cds)) for transcript in gene.transcripts]
        if repeated[0] and all(repeated):
            twins[gene.id] = repeated[0]
    return twins


_KINDS_OF_LOSS = frozenset({RepairKind.GENE_LOST, RepairKind.TRANSCRIPT_LOST})


def _log_account(account: Account, matching: Matching, twins: int) -> None:
    fates = Counter(part.fate for match in matching.genes for part in match.transcripts)
    odd = account.genes_lost.total() or fates[Fate.LOST] or fates[Fate.CHANGED] or matching.made
    level = logging.WARNING if odd else logging.INFO
    log.log(
        level,
        "AGAT: of %d gene models in the source %d are lost or joined to others; %d genes are new, %d of them twins "
        "that were removed; %d come out; transcripts: %s",
        account.genes.total(),
        account.genes_lost.total(),
        len(matching.made),
        twins,
        account.report.genes_out,
        ", ".join(f"{fates[fate]} {fate}" for fate in Fate),
    )
