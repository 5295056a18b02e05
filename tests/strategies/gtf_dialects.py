"""GTF as AUGUSTUS and Ensembl write it, and GTF with nothing but parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gff_lines_of import Dialect, Written, first_bases, has_stop, in_transcript_order, kept, line, without_stop

from phytoscribe.annotation import GeneModel, Transcript


def augustus(genes: Sequence[GeneModel], contigs: Mapping[str, int]) -> Written:
    """``augustus --UTR=on --introns=on --stopCodonExcludedFromCDS=true``: bare ids in gene and transcript lines."""
    return _augustus(genes, with_utrs=True)


def augustus_without_utrs(genes: Sequence[GeneModel], contigs: Mapping[str, int]) -> Written:
    """``augustus --UTR=off``: no exon lines at all, and the stop codon inside the CDS."""
    return _augustus(genes, with_utrs=False)


def _augustus(genes: Sequence[GeneModel], with_utrs: bool) -> Written:
    out = Written(["# This output was generated with AUGUSTUS (version 3.5.0).", "# Predicted genes on both strands"])
    for number, gene in enumerate(genes, start=1):
        name = f"g{number}"
        transcripts = gene.transcripts
        if not with_utrs:
            transcripts = tuple(replace(transcript, exons=transcript.cds) for transcript in transcripts)
        gene = replace(gene, transcripts=transcripts)
        lines = [line(gene, "AUGUSTUS", "gene", (gene.start, gene.end), ".", name)]
        found = []
        for index, transcript in enumerate(transcripts, start=1):
            own_id = f"{name}.t{index}"
            lines.append(line(gene, "AUGUSTUS", "transcript", (transcript.start, transcript.end), ".", own_id))
            own = f'transcript_id "{own_id}"; gene_id "{name}";'
            for segment, kind, phase in _augustus_parts(gene, transcript, with_utrs):
                lines.append(line(gene, "AUGUSTUS", kind, segment, phase, own))
            found.append(replace(transcript, id=own_id))
        out.expected.append(replace(gene, id=name, transcripts=tuple(found), attributes={}))
        out.genes.append(lines)
        out.comments += [f"# start gene {name}", "# protein sequence = [MVLG", "# GKRT]", f"# end gene {name}", "###"]
    return out


def _augustus_parts(gene: GeneModel, transcript: Transcript, with_utrs: bool) -> list[tuple[tuple[int, int], str, str]]:
    coding, stop = without_stop(transcript, gene.strand)
    if not with_utrs:
        coding = transcript.cds
    phases = replace(transcript, cds=coding).cds_phases()
    parts = [(segment, "CDS", str(phase)) for segment, phase in zip(coding, phases, strict=True)]
    parts += [(segment, "stop_codon", "0") for segment in stop]
    if not transcript.start_phase and has_stop(transcript):
        parts += [(segment, "start_codon", "0") for segment in first_bases(coding, gene.strand, 3)]
    if with_utrs:
        parts += [(exon, "exon", ".") for exon in transcript.exons]
        parts += [(intron, "intron", ".") for intron in transcript.introns]
        for utr, segments in zip(("5'-UTR", "3'-UTR"), transcript.utrs(), strict=True):
            parts += [(segment, utr, ".") for segment in segments]
        ends = [(transcript.start, "tss"), (transcript.end - 1, "tts")]
        if gene.strand == "-":
            ends = [(transcript.end - 1, "tss"), (transcript.start, "tts")]
        parts += [((at, at + 1), kind, ".") for at, kind in ends]
    return sorted(parts)


def gtf(genes: Sequence[GeneModel], contigs: Mapping[str, int]) -> Written:
    """Ensembl's GTF 2.2: gene and transcript lines, stop codon outside the CDS, numbered exons, values in quotes."""
    return _gtf(genes, with_parents=True)


def gtf_parts(genes: Sequence[GeneModel], contigs: Mapping[str, int]) -> Written:
    """GTF with exon, CDS and codon lines only."""
    return _gtf(genes, with_parents=False)


def _gtf(genes: Sequence[GeneModel], with_parents: bool) -> Written:
    out = Written(["#!genome-build TAIR10", "#!genebuild-last-updated 2010-09"] if with_parents else [])
    for gene in genes:
        description = gene.attributes.get("description", "")
        named = f' gene_name "{description}";' if description else ""
        of_gene = f'gene_id "{gene.id}";{named} gene_source "araport11"; gene_biotype "{gene.biotype}";'
        lines = [line(gene, "araport11", "gene", (gene.start, gene.end), ".", of_gene)] if with_parents else []
        found = []
        for transcript in gene.transcripts:
            both = f'gene_id "{gene.id}"; transcript_id "{transcript.id}";'
            span = (transcript.start, transcript.end)
            if with_parents:
                own = f'{both}{named} gene_biotype "{gene.biotype}"; transcript_biotype "{gene.biotype}";'
                lines.append(line(gene, "araport11", "transcript", span, ".", own))
            coding, stop = without_stop(transcript, gene.strand)
            for number, exon in enumerate(in_transcript_order(transcript.exons, gene.strand), start=1):
                own = f'{both} exon_number "{number}"; gene_biotype "{gene.biotype}"; exon_id "x.exon{number}";'
                lines.append(line(gene, "araport11", "exon", exon, ".", own))
            phases = replace(transcript, cds=coding).cds_phases()
            parts = [(segment, "CDS", phase) for segment, phase in zip(coding, phases, strict=True)]
            if not transcript.start_phase and has_stop(transcript):
                parts += [(segment, "start_codon", 0) for segment in first_bases(coding, gene.strand, 3)]
            parts += [(segment, "stop_codon", 0) for segment in stop]
            if with_parents:
                five, three = transcript.utrs()
                parts += [(segment, "five_prime_utr", ".") for segment in five]
                parts += [(segment, "three_prime_utr", ".") for segment in three]
            lines += [line(gene, "araport11", kind, segment, phase, both) for segment, kind, phase in parts]
            type_ = "mRNA" if transcript.cds else "transcript"
            found.append(replace(transcript, type=type_))
        attributes = {"gene_name": kept(description)} if description and with_parents else {}
        out.expected.append(replace(gene, transcripts=tuple(found), attributes=attributes))
        out.genes.append(lines)
    return out


GTF_DIALECTS = {
    "augustus": Dialect(augustus, coding_only=True),
    "augustus_without_utrs": Dialect(augustus_without_utrs, coding_only=True),
    "gtf": Dialect(gtf, escapes=False),
    "gtf_parts": Dialect(gtf_parts, escapes=False),
}
