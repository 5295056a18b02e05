"""GFF3 as NCBI RefSeq, Ensembl Plants, Phytozome, TAIR and AUGUSTUS write it.

Each writer takes abstract gene models, gives them ids in the way of the dialect, and says which models a reader should
find.  The order of lines, the attributes and the types are those of real files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gff_lines_of import Dialect, Written, escaped, first_bases, has_stop, in_transcript_order, kept, line, without_stop

from phytoscribe.annotation import GeneModel, Transcript


def ncbi(genes: Sequence[GeneModel], contigs: Mapping[str, int]) -> Written:
    """NCBI annotwriter: no UTR lines, one ID for all CDS lines, exons after their transcript, CDS after the exons.

    Genes without exon lines of their own transcript (organelles) carry their CDS themselves, pseudogenes their exons;
    the miRNA of a primary transcript is a level deeper.
    """
    out = Written(["##gff-version 3", "#!gff-spec-version 1.21", "#!processor NCBI annotwriter"])
    for contig, length in contigs.items():
        out.comments += [f"##sequence-region {contig} 1 {length}", "##species taxon 3702"]
        out.others.append(
            f"{contig}\tRefSeq\tregion\t1\t{length}\t.\t+\t.\tID={contig}:1..{length};Dbxref=taxon:3702;Name=Unknown;"
            "chromosome=Unknown;gbkey=Src;genome=genomic;mol_type=genomic DNA"
        )
        out.others.append(
            f"{contig}\tRefSeq\tcDNA_match\t1\t{min(length, 40)}\t40\t+\t.\tID=aln0-{contig};"
            "Target=NM_001.1 1 40 +;for_remapping=2;gap_count=0"
        )
    for number, gene in enumerate(genes):
        if gene.biotype == "pseudogene":
            gene = replace(gene, transcripts=gene.transcripts[:1])
        symbol = escaped(gene.id)
        description = gene.attributes.get("description", "")
        about = f";description={escaped(description)}" if description else ""
        tags = f"Dbxref=GeneID:{100 + number},TAIR:X{number};"
        kind, pseudo = ("pseudogene", ";pseudo=true") if gene.biotype == "pseudogene" else ("gene", "")
        span = (gene.start, gene.end)
        attributes = (
            f"ID=gene-{symbol};{tags}Name={symbol}{about};gbkey=Gene;gene={symbol};gene_biotype={gene.biotype}{pseudo}"
        )
        lines = [line(gene, "Gnomon", kind, span, ".", attributes)]
        expected = replace(
            gene,
            id=f"gene-{gene.id}",
            attributes={"gbkey": "Gene"} | ({"description": kept(description)} if description else {}),
        )
        (first, *more) = gene.transcripts
        if gene.biotype == "pseudogene":
            for index, exon in enumerate(first.exons, start=1):
                own = f"ID=id-{symbol}-{index};Parent=gene-{symbol};gbkey=exon;gene={symbol};pseudo=true"
                lines.append(line(gene, "Gnomon", "exon", exon, ".", own))
            lone = replace(first, id=f"gene-{gene.id}.mrna", type="transcript")
            out.expected.append(replace(expected, transcripts=(lone,)))
        elif not more and first.cds == first.exons:
            lines += _ncbi_cds(gene, first, f"gene-{symbol}", symbol)
            out.expected.append(replace(expected, transcripts=(replace(first, id=f"gene-{gene.id}.mrna"),)))
        else:
            found = []
            for transcript in gene.transcripts:
                lines += _ncbi_transcript(gene, transcript, symbol)
                type_ = "primary_transcript" if transcript.type == "miRNA" else transcript.type
                found.append(replace(transcript, id=f"rna-{transcript.id}", type=type_))
            out.expected.append(replace(expected, transcripts=tuple(found)))
        out.genes.append(lines)
    return out


def _ncbi_transcript(gene: GeneModel, transcript: Transcript, symbol: str) -> list[str]:
    name = escaped(transcript.id)
    nested = transcript.type == "miRNA"
    kind = "primary_transcript" if nested else transcript.type
    product = "50S ribosomal protein L28%2C chloroplastic%3B variant X1"
    tags = f"Dbxref=GeneID:1,Genbank:{name};gbkey={kind};gene={symbol};product={product};transcript_id={name}"
    own = f"ID=rna-{name};Parent=gene-{symbol};{tags}"
    if transcript.start_phase:
        own += ";partial=true" + (f";start_range=.,{transcript.start + 1}" if gene.strand == "+" else "")
    lines = [line(gene, "Gnomon", kind, (transcript.start, transcript.end), ".", own)]
    exons = in_transcript_order(transcript.exons, gene.strand)
    for index, exon in enumerate(exons, start=1):
        lines.append(line(gene, "Gnomon", "exon", exon, ".", f"ID=exon-{name}-{index};Parent=rna-{name};{tags}"))
    if nested:
        start, end = exons[0]
        mature = (start, min(start + 21, end))
        lines.append(line(gene, "RefSeq", "miRNA", mature, ".", f"ID=rna-{name}-2;Parent=rna-{name};gbkey=ncRNA"))
        lines.append(line(gene, "RefSeq", "exon", mature, ".", f"ID=exon-{name}-2-1;Parent=rna-{name}-2;gbkey=ncRNA"))
    return lines + _ncbi_cds(gene, transcript, f"rna-{name}", symbol)


def _ncbi_cds(gene: GeneModel, transcript: Transcript, parent: str, symbol: str) -> list[str]:
    name = escaped(transcript.id)
    own = f"ID=cds-{name};Parent={parent};Dbxref=GeneID:1,Genbank:{name};Name={name};gbkey=CDS;gene={symbol}"
    parts = list(zip(transcript.cds, transcript.cds_phases(), strict=True))
    return [line(gene, "Gnomon", "CDS", part, phase, own) for part, phase in in_transcript_order(parts, gene.strand)]


def ensembl(genes: Sequence[GeneModel], contigs: Mapping[str, int]) -> Written:
    """Ensembl Plants: prefixed ids, parts by position, exons without ID but with rank, ``###`` after every gene."""
    out = Written(["##gff-version 3", *(f"##sequence-region   {name} 1 {size}" for name, size in contigs.items())])
    out.header += ["#!genome-build  TAIR10", "#!genebuild-last-updated 2010-09"]
    for contig, length in contigs.items():
        own = f"ID=chromosome:{contig};Alias=Chr{contig},CP002684.1"
        out.others.append(f"{contig}\tTAIR10\tchromosome\t1\t{length}\t.\t.\t.\t{own}")
    for gene in genes:
        name, description = escaped(gene.id), gene.attributes.get("description", "")
        about = f"description={escaped(description)} [Source:UniProtKB/Swiss-Prot%3BAcc:Q0WV96];" if description else ""
        kind = {"protein_coding": "gene", "pseudogene": "pseudogene"}.get(gene.biotype, "ncRNA_gene")
        own = f"ID=gene:{name};Name=N1;biotype={gene.biotype};{about}gene_id={name};logic_name=araport11"
        lines = [line(gene, "araport11", kind, (gene.start, gene.end), ".", own)]
        found = []
        for transcript in gene.transcripts:
            lines += _ensembl_transcript(gene, transcript, name)
            type_ = "pseudogenic_transcript" if gene.biotype == "pseudogene" else transcript.type
            found.append(replace(transcript, id=f"transcript:{transcript.id}", type=type_))
        text = f"{kept(description)} [Source:UniProtKB/Swiss-Prot;Acc:Q0WV96]"
        attributes = {"Name": "N1", "logic_name": "araport11"} | ({"description": text} if description else {})
        out.expected.append(replace(gene, id=f"gene:{gene.id}", transcripts=tuple(found), attributes=attributes))
        out.genes.append(lines)
    out.comments += ["###"] * len(genes)
    return out


def _ensembl_transcript(gene: GeneModel, transcript: Transcript, gene_name: str) -> list[str]:
    name = escaped(transcript.id)
    parent = f"Parent=transcript:{name}"
    kind = "pseudogenic_transcript" if gene.biotype == "pseudogene" else transcript.type
    own = f"ID=transcript:{name};Parent=gene:{gene_name};biotype={gene.biotype};transcript_id={name}"
    parts = []
    for index, exon in enumerate(in_transcript_order(transcript.exons, gene.strand), start=1):
        rank = f";Name={name}.exon{index};constitutive=1;ensembl_end_phase=1;ensembl_phase=-1;rank={index}"
        parts.append((exon, "exon", ".", parent + rank))
    for utr, segments in zip(("five_prime_UTR", "three_prime_UTR"), transcript.utrs(), strict=True):
        parts += [(segment, utr, ".", parent) for segment in segments]
    for segment, phase in zip(transcript.cds, transcript.cds_phases(), strict=True):
        parts.append((segment, "CDS", phase, f"ID=CDS:{name};{parent};protein_id={name}"))
    parts.sort(key=lambda part: part[0][0])
    return [
        line(gene, "araport11", kind, (transcript.start, transcript.end), ".", own),
        *(line(gene, "araport11", kind, segment, phase, column9) for segment, kind, phase, column9 in parts),
    ]


def phytozome(genes: Sequence[GeneModel], contigs: Mapping[str, int]) -> Written:
    """Phytozome gene_exons: ids with the annotation version behind, parts in transcript order and numbered, pacid."""
    return _phytozome(genes, ("exon", "five_prime_UTR", "CDS", "three_prime_UTR"))


def phytozome_without_exons(genes: Sequence[GeneModel], contigs: Mapping[str, int]) -> Written:
    """Phytozome's other file, ``.gene.gff3``: CDS and UTRs only."""
    return _phytozome(genes, ("five_prime_UTR", "CDS", "three_prime_UTR"))


def _phytozome(genes: Sequence[GeneModel], kinds: Sequence[str]) -> Written:
    out = Written(["##gff-version 3", "##annot-version v4.1", "##species Populus trichocarpa"])
    for number, gene in enumerate(genes):
        locus, name = f"{escaped(gene.id)}.v4.1", escaped(gene.id)
        lines = [line(gene, "phytozomev13", "gene", (gene.start, gene.end), ".", f"ID={locus};Name={name}")]
        found = []
        for index, transcript in enumerate(gene.transcripts):
            identifier, pacid = f"{escaped(transcript.id)}.v4.1", 27043735 + 10 * number + index
            longest = int(index == 0)
            own = f"ID={identifier};Name={escaped(transcript.id)};pacid={pacid};longest={longest};Parent={locus}"
            lines.append(line(gene, "phytozomev13", "mRNA", (transcript.start, transcript.end), ".", own))
            lines += _phytozome_parts(gene, transcript, identifier, pacid, kinds)
            kept_ones = {"Name": kept(transcript.id), "pacid": str(pacid)}
            found.append(replace(transcript, id=f"{transcript.id}.v4.1", attributes=kept_ones))
        attributes = {"Name": kept(gene.id)}
        out.expected.append(replace(gene, id=f"{gene.id}.v4.1", transcripts=tuple(found), attributes=attributes))
        out.genes.append(lines)
    return out


def _phytozome_parts(
    gene: GeneModel, transcript: Transcript, identifier: str, pacid: int, kinds: Sequence[str]
) -> list[str]:
    five, three = transcript.utrs()
    segments_of = {"exon": transcript.exons, "five_prime_UTR": five, "CDS": transcript.cds, "three_prime_UTR": three}
    phases = dict(zip(transcript.cds, transcript.cds_phases(), strict=True))
    parts = []
    for kind in kinds:
        for index, segment in enumerate(in_transcript_order(segments_of[kind], gene.strand), start=1):
            phase = phases[segment] if kind == "CDS" else "."
            own = f"ID={identifier}.{kind}.{index};Parent={identifier};pacid={pacid}"
            parts.append((segment, line(gene, "phytozomev13", kind, segment, phase, own)))
    parts.sort(key=lambda part: part[0][0] if gene.strand == "+" else -part[0][1])
    return [text for _, text in parts]


def tair(genes: Sequence[GeneModel], contigs: Mapping[str, int]) -> Written:
    """TAIR10 and Araport: exons shared by isoforms, CDS that name their protein as a second parent, a last ``;``."""
    out = Written(["##gff-version 3"])
    out.others = [f"{c}\tTAIR10\tchromosome\t1\t{size}\t.\t.\t.\tID={c};Name={c}" for c, size in contigs.items()]
    for gene in genes:
        name, description = escaped(gene.id), gene.attributes.get("description", "")
        pseudo = gene.biotype == "pseudogene"
        note = f"Note={escaped(description)};" if description else ""
        own = f"ID={name};{note}Name={name}"
        lines = [line(gene, "TAIR10", "pseudogene" if pseudo else "gene", (gene.start, gene.end), ".", own)]
        exons: dict[tuple[int, int], list[str]] = {}
        found = []
        for index, transcript in enumerate(gene.transcripts, start=1):
            own_id = escaped(transcript.id)
            kind = "mRNA" if transcript.cds else _tair_noncoding(gene)
            own = f"ID={own_id};Parent={name};Name={own_id};Index={index}"
            lines.append(line(gene, "TAIR10", kind, (transcript.start, transcript.end), ".", own))
            if transcript.cds:
                own = f"ID={own_id}-Protein;Name={own_id};Derives_from={own_id}"
                lines.append(line(gene, "TAIR10", "protein", (transcript.cds[0][0], transcript.cds[-1][1]), ".", own))
            for segment, phase in zip(transcript.cds, transcript.cds_phases(), strict=True):
                own = f"Parent={own_id},{own_id}-Protein;"
                lines.append(line(gene, "TAIR10", "CDS", segment, phase, own))
            for exon in transcript.exons:
                exons.setdefault(exon, []).append(own_id)
            found.append(replace(transcript, type=kind))
        kind = "pseudogenic_exon" if pseudo else "exon"
        lines += [line(gene, "TAIR10", kind, exon, ".", f"Parent={','.join(ids)}") for exon, ids in exons.items()]
        biotype = gene.biotype if gene.biotype in ("protein_coding", "pseudogene") else found[0].type
        attributes = {"Note": kept(description)} if description else {}
        out.expected.append(replace(gene, biotype=biotype, transcripts=tuple(found), attributes=attributes))
        out.genes.append(lines)
    return out


def _tair_noncoding(gene: GeneModel) -> str:
    """Type of the transcripts without CDS: one for all of a gene, since it stands for the biotype, which TAIR omits."""
    if gene.biotype == "pseudogene":
        return "pseudogenic_transcript"
    first = gene.transcripts[0]
    return "lnc_RNA" if first.cds else first.type


def augustus_gff3(genes: Sequence[GeneModel], contigs: Mapping[str, int]) -> Written:
    """``augustus --gff3=on --UTR=on --introns=on --print_utr=on --stopCodonExcludedFromCDS=true``."""
    out = Written(["##gff-version 3", "# This output was generated with AUGUSTUS (version 3.5.0)."])
    for number, gene in enumerate(genes, start=1):
        name, minus = f"g{number}", gene.strand == "-"
        lines = [line(gene, "AUGUSTUS", "gene", (gene.start, gene.end), ".", f"ID={name}")]
        found = []
        for index, transcript in enumerate(gene.transcripts, start=1):
            own_id = f"{name}.t{index}"
            own = f"ID={own_id};Parent={name}"
            lines.append(line(gene, "AUGUSTUS", "transcript", (transcript.start, transcript.end), ".", own))
            coding, stop = without_stop(transcript, gene.strand)
            parts = [(exon, "exon", ".") for exon in transcript.exons]
            parts += [(intron, "intron", ".") for intron in transcript.introns]
            for utr, segments in zip(("five_prime_utr", "three_prime_utr"), transcript.utrs(), strict=True):
                parts += [(segment, utr, ".") for segment in segments]
            parts += [(segment, "stop_codon", "0") for segment in stop]
            if not transcript.start_phase and has_stop(transcript):
                parts += [(segment, "start_codon", "0") for segment in first_bases(coding, gene.strand, 3)]
            first, last = (transcript.end - 1, transcript.start) if minus else (transcript.start, transcript.end - 1)
            parts += [((first, first + 1), "transcription_start_site", ".")]
            parts += [((last, last + 1), "transcription_end_site", ".")]
            phases = replace(transcript, cds=coding).cds_phases()
            parts += [(segment, "CDS", str(phase)) for segment, phase in zip(coding, phases, strict=True)]
            for segment, kind, phase in sorted(parts):
                own = f"ID={own_id}.cds;Parent={own_id}" if kind == "CDS" else f"Parent={own_id}"
                lines.append(line(gene, "AUGUSTUS", kind, segment, phase, own))
            found.append(replace(transcript, id=own_id))
        out.expected.append(replace(gene, id=name, transcripts=tuple(found), attributes={}))
        out.genes.append(lines)
        out.comments += [f"# start gene {name}", f"# end gene {name}", "###"]
    return out


GFF3_DIALECTS = {
    "ncbi": Dialect(ncbi),
    "ensembl": Dialect(ensembl),
    "phytozome": Dialect(phytozome, coding_only=True),
    "phytozome_without_exons": Dialect(phytozome_without_exons, coding_only=True),
    "tair": Dialect(tair),
    "augustus_gff3": Dialect(augustus_gff3, coding_only=True),
}
