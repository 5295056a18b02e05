"""Clean one annotation with the configured cleaner: ``builtin``, or ``agat`` followed by ``builtin``.

Genes that AGAT loses are counted and listed; the run stops if there are more than a few.  To find them,
:func:`~phytoscribe.annotation.cleaning.normalise.normalise` reads both the source and AGAT's output.  Genes are matched
by id, or by a transcript with the same exons in a gene that AGAT renamed.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from phytoscribe import __version__
from phytoscribe.annotation.cleaning.agat import find_agat, run_agat
from phytoscribe.annotation.cleaning.normalise import normalise
from phytoscribe.annotation.cleaning.repairs import LOSSES, RepairKind, RepairReport, shown_place
from phytoscribe.annotation.gff_lines import read_rows
from phytoscribe.annotation.model import GeneModel
from phytoscribe.annotation.seqids import check_seqid_map
from phytoscribe.errors import ConfigError, GffError, ToolError
from phytoscribe.files import scratch_folder
from phytoscribe.genome.intervals import Interval

log = logging.getLogger(__name__)

#: AGAT 1.7.0 lost no gene of eleven real annotations.  What it does lose are oddities, such as trans-spliced genes and
#: genes of one id, a few to some tens in a genome.  More means that it did not understand the file, or was cut off.
LARGEST_SHARE_LOST = 0.01
#: ... which in a small file, or on a scaffold, is more than that share.
ALWAYS_ALLOWED = 10


class Cleaned(NamedTuple):
    """Sorted gene models, the list of changes, and the name and version of the cleaner."""

    genes: list[GeneModel]
    report: RepairReport
    cleaner: str


def clean(
    path: str | Path, contigs: Mapping[str, int], backend: str, seqid_map: Mapping[str, str | None] | None = None
) -> Cleaned:
    """Clean a GFF3 or GTF file with ``agat`` or ``builtin``; neither is ever silently replaced by the other.

    Args:
        path: the file, plain or gzipped.
        contigs: name to length, in the order in which the genes are sorted.
        backend: ``agat`` or ``builtin``.
        seqid_map: sequence name in the file to name in ``contigs``, or to None to leave the sequence out.

    Raises:
        ConfigError: another backend, or a ``seqid_map`` that would put genes on a wrong sequence.
        GffError: the source is unusable; the message names its line.
        ToolError: see :func:`clean_with_agat`.
    """
    if backend not in ("agat", "builtin"):
        raise ConfigError(f"config, clean.backend: {backend!r} is unknown; allowed are agat and builtin")
    check_seqid_map(path, contigs, seqid_map or {})
    cleaner = f"PhytoScribe {__version__} builtin cleaner"
    if backend == "builtin":
        genes, report = normalise(path, contigs, seqid_map)
    else:
        genes, report, version = clean_with_agat(path, contigs, seqid_map)
        cleaner = f"AGAT {version} and {cleaner}"
    log.info("%s: %d genes in, %d genes out, by %s", path, report.genes_in, report.genes_out, cleaner)
    for kind, count in sorted(report.counts.items()):
        log.log(logging.WARNING if kind in LOSSES else logging.INFO, "%s: %d", kind, count)
    for row in report.account():
        log.info("%s: %s", row.kind, row.detail)
    return Cleaned(genes, report, cleaner)


class Reading(NamedTuple):
    """Gene models of one file, and the repairs of the builtin cleaner."""

    genes: list[GeneModel]
    report: RepairReport


def clean_with_agat(
    path: str | Path, contigs: Mapping[str, int], seqid_map: Mapping[str, str | None] | None = None
) -> tuple[list[GeneModel], RepairReport, str]:
    """Clean a file with AGAT; returns its gene models, later losses and repairs, and AGAT's version.

    AGAT's output goes through :func:`~phytoscribe.annotation.cleaning.normalise.normalise`, which splits genes that lie
    on two strands, recomputes phases and swaps reversed start and end.  Until then sequences keep their names in the
    source, so that AGAT's messages match the user's file.

    Raises:
        GffError: the source itself is unusable; the message names its line.
        ToolError: AGAT is missing, fails, or loses more than a few genes.
    """
    program = find_agat()
    for _ in read_rows(path, contigs, swap_reversed=True, seqid_map=seqid_map):
        pass  # every line of the source is checked before AGAT sees it
    with scratch_folder("phytoscribe-agat-") as folder:
        run = run_agat(program, path, folder)
        try:
            result = Reading(*normalise(run.output, contigs, seqid_map))
        except GffError as error:
            problem = str(error).replace(str(run.output), "its output")
            raise ToolError(
                f"{path}: AGAT {run.version} wrote what cannot be read ({problem}); see its log in the rule's log, "
                "or set clean.backend: builtin"
            ) from error
    # Only now, so that the models are not in memory beside AGAT, which needs two gigabytes for a million lines.
    source = Reading(*normalise(path, contigs, seqid_map))
    return *compare_with_source(path, source, result, run.version), run.version


def compare_with_source(path: str | Path, source: Reading, result: Reading, version: str) -> Reading:
    """Compare AGAT's output with the source; returns the gene models to use and the rows for the table of repairs.

    The rows list losses that are due to the source itself, each gene that AGAT lost, renamed or duplicated, and the
    repairs that the builtin cleaner made to AGAT's output.  AGAT's own repairs are not listed.  ``path`` of the source
    and AGAT's ``version`` are for messages.

    Raises:
        ToolError: no gene is left, more than a share of the genes or transcripts is lost, or a whole sequence is.
    """
    ids, known = {gene.id for gene in result.genes}, {gene.id for gene in source.genes}
    new = [gene for gene in result.genes if gene.id not in known]
    renamed = _new_names([gene for gene in source.genes if gene.id not in ids], new)
    lost = [gene for gene in source.genes if gene.id not in ids and gene.id not in renamed]
    repeated = _repeated_genes(result.genes, known.union(renamed.values()))
    kept = [gene for gene in result.genes if gene.id not in repeated]
    report = RepairReport(genes_in=source.report.genes_in, genes=source.report.genes, transcripts=None)
    names = {one.id for gene in new for one in (gene, *gene.transcripts)}
    report.rows += [row for row in source.report.rows if row.kind in LOSSES and row.id not in names]
    made = {gene.id: "by AGAT" for gene in new if gene.id not in repeated.keys() | set(renamed.values())}
    for kind, genes, details, change in (
        (RepairKind.GENE_LOST, lost, {gene.id: "" for gene in lost}, -1),
        (RepairKind.RENAMED, source.genes, {old: f"now {name}" for old, name in renamed.items()}, 0),
        (RepairKind.DUPLICATE_LINE, result.genes, repeated, 0),
        (RepairKind.GENE_MADE, new, made, 1),
    ):
        for gene in genes:
            if gene.id in details:
                place = shown_place(gene.contig, gene.start, gene.end, gene.strand)
                report.add(kind, gene.id, 0, details[gene.id], place, genes=change)
    # Their line numbers are those of AGAT's output.
    report.rows += [row._replace(line=0) for row in result.report.rows if row.kind not in LOSSES]
    report.close(path, len(kept), 0)
    log.log(
        logging.WARNING if lost else logging.INFO,
        "AGAT: %d gene models in, %d out, %d lost, %d new; %d transcripts in, %d out",
        len(source.genes),
        len(kept),
        len(lost),
        len(made),
        *(sum(len(gene.transcripts) for gene in genes) for genes in (source.genes, kept)),
    )
    _check_losses(path, source.genes, kept, lost, version)
    return Reading(kept, report)


def _new_names(missing: list[GeneModel], new: list[GeneModel]) -> dict[str, str]:
    """Ids that AGAT gave genes of the source, by their former ids."""
    by_exons: dict[tuple[str, str, tuple[Interval, ...]], list[str]] = defaultdict(list)
    for gene in new:
        for transcript in gene.transcripts:
            by_exons[gene.contig, gene.strand, transcript.exons].append(gene.id)
    renamed: dict[str, str] = {}
    taken: set[str] = set()
    for gene in missing:
        there = (name for t in gene.transcripts for name in by_exons.get((gene.contig, gene.strand, t.exons), ()))
        name = next((name for name in there if name not in taken), None)
        if name is not None:
            taken.add(name)
            renamed[gene.id] = name
    return renamed


def _repeated_genes(genes: list[GeneModel], known: set[str]) -> dict[str, str]:
    """Details, by id, of the genes that AGAT made of parts that have a gene already.

    TAIR's CDS lines name a protein beside the mRNA as their parent, and AGAT makes a gene of each protein.
    """
    coding = {
        (gene.contig, gene.strand, transcript.cds): transcript.id
        for gene in genes
        if gene.id in known
        for transcript in gene.coding_transcripts
    }
    found = {}
    for gene in genes:
        of = [coding.get((gene.contig, gene.strand, transcript.cds)) for transcript in gene.transcripts]
        if gene.id not in known and all(of):
            found[gene.id] = f"a gene made by AGAT of the CDS of {of[0]}"
    return found


def _check_losses(
    path: str | Path, source: list[GeneModel], kept: list[GeneModel], lost: list[GeneModel], version: str
) -> None:
    advice = "see AGAT's log in the rule's log, or set clean.backend: builtin"
    if source and not kept:
        raise ToolError(f"{path}: AGAT {version} returned no gene at all for {len(source)} gene models; {advice}")
    lost_on = Counter(gene.contig for gene in lost)
    for contig, count in Counter(gene.contig for gene in source).items():
        if count > ALWAYS_ALLOWED and lost_on[contig] == count:
            raise ToolError(f"{path}: AGAT {version} returned none of the {count} genes of {contig}; {advice}")
    # AGAT removes isoforms that are equal, so each model counts once.
    before, after = _transcript_models(source), _transcript_models(kept)
    gone = [name for model, name in before.items() if model not in after]
    for name, count, total, examples in [
        ("genes", len(lost), len(source), [gene.id for gene in lost]),
        ("transcripts", len(before) - len(after), len(before), gone),
    ]:
        if count > max(ALWAYS_ALLOWED, LARGEST_SHARE_LOST * total):
            shown = ", ".join(examples[:3])
            raise ToolError(f"{path}: AGAT {version} lost {count} of {total} {name} ({shown}, ...); {advice}")


def _transcript_models(genes: list[GeneModel]) -> dict[tuple[object, ...], str]:
    """Contig, strand, exons and CDS of all transcripts, and one id of each."""
    return {(gene.contig, gene.strand, t.exons, t.cds): t.id for gene in genes for t in gene.transcripts}
