"""The builtin cleaner on what public annotations are like: GTF, NCBI's layout, split stop codons, trans-splicing."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.annotation import sort_genes
from phytoscribe.annotation.cleaning.normalise import normalise
from phytoscribe.annotation.cleaning.repairs import (
    LOSSES,
    Repair,
    RepairKind,
    RepairReport,
    read_repairs,
    write_repairs,
)
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.errors import GffError, PhytoScribeError

EXAMPLE = Path(__file__).parents[4] / "resources/example/athaliana/annotation.gff3.gz"
CONTIGS = {"c1": 10_000, "c2": 10_000}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def gff(path: Path, text: str) -> Path:
    """``text``: lines of type, start, end, strand, phase, attributes; a leading ``c2:`` names the other contig."""
    lines = []
    for line in text.strip().splitlines():
        rest = line.strip().removeprefix("c2:")
        contig = "c2" if line.strip().startswith("c2:") else "c1"
        kind, start, end, strand, phase, attributes = rest.split(maxsplit=5)
        lines.append(f"{contig}\tsrc\t{kind}\t{start}\t{end}\t.\t{strand}\t{phase}\t{attributes}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_example_needs_no_repair():
    names = ["Chr1", "Chr2", "Chr3", "Chr4", "Chr5", "Chr3_1065466_1464870", "Chr5_25975502_26975502"]
    contigs = dict.fromkeys([*names, "ColHiFi_Chr1_5M_7M"], 10_000_000)
    genes, report = normalise(EXAMPLE, contigs)
    assert report.rows == []
    assert (report.genes_in, report.genes_out) == (2131, 2131)
    assert genes == sort_genes(read_gff3(EXAMPLE), contigs)


def test_ensembl_gtf(tmp_path):
    common = 'gene_id "G1"; transcript_id "T1"; gene_biotype "protein_coding";'
    path = gff(
        tmp_path / "a.gtf",
        f"""gene 101 900 - . gene_id "G1"; gene_name "ABC1"; gene_biotype "protein_coding";
        transcript 101 900 - . {common} tag "x"; tag "y";
        exon 501 900 - . {common}
        CDS 501 800 - 0 {common}
        start_codon 798 800 - 0 {common}
        exon 101 300 - . {common}
        CDS 204 300 - 0 {common}
        stop_codon 201 203 - 0 {common}
        five_prime_utr 801 900 - . {common}
        three_prime_utr 101 200 - . {common}""",
    )
    (gene,), report = normalise(path, CONTIGS)
    (transcript,) = gene.transcripts
    assert (gene.id, transcript.id, transcript.type, gene.biotype) == ("G1", "T1", "mRNA", "protein_coding")
    assert transcript.exons == ((100, 300), (500, 900))
    assert transcript.cds == ((200, 300), (500, 800))
    assert dict(gene.attributes) == {"gene_name": "ABC1", "gene_biotype": "protein_coding"}
    assert transcript.attributes["tag"] == "x,y"
    assert report.counts == {RepairKind.STOP_CODON_JOINED: 1}


@pytest.mark.parametrize(
    ("strand", "cds", "stops", "expected"),
    [
        ("+", [(101, 199)], [(200, 200), (301, 302)], ((100, 200), (300, 302))),  # cut by an intron
        ("+", [(101, 200)], [(301, 303)], ((100, 200), (300, 303))),  # behind an intron
        ("-", [(301, 399)], [(199, 200), (300, 300)], ((198, 200), (299, 399))),
        ("-", [(301, 399)], [(298, 300)], ((297, 399),)),
        ("+", [(101, 199)], [(197, 199)], ((100, 199),)),  # inside already
    ],
)
def test_stop_codon_outside_the_cds(tmp_path, strand, cds, stops, expected):
    lines = ["gene 101 400 {0} . ID=g", "mRNA 101 400 {0} . ID=t;Parent=g", "exon 101 200 {0} . Parent=t"]
    lines += ["exon 298 400 {0} . Parent=t"]
    lines += [f"CDS {s} {e} {{0}} 0 Parent=t" for s, e in cds]
    lines += [f"stop_codon {s} {e} {{0}} 0 Parent=t" for s, e in stops]
    (gene,), _ = normalise(gff(tmp_path / "a.gff3", "\n".join(lines).format(strand)), CONTIGS)
    assert gene.transcripts[0].cds == expected


def test_ncbi_layout(tmp_path):
    path = gff(
        tmp_path / "a.gff3",
        """region 1 10000 + . ID=c1:1..10000;Dbxref=taxon:3702
        gene 101 900 + . ID=gene-A;Dbxref=GeneID:1;gene_biotype=protein_coding
        mRNA 101 900 + . ID=rna-A;Parent=gene-A
        exon 101 300 + . ID=exon-A-1;Parent=rna-A
        exon 501 900 + . ID=exon-A-2;Parent=rna-A
        CDS 201 300 + 0 ID=cds-A;Parent=rna-A
        CDS 501 700 + 2 ID=cds-A;Parent=rna-A
        gene 2001 2300 - . ID=gene-M;gene_biotype=miRNA
        primary_transcript 2001 2300 - . ID=rna-M;Parent=gene-M
        exon 2001 2300 - . ID=exon-M;Parent=rna-M
        miRNA 2101 2121 - . ID=rna-m;Parent=rna-M
        exon 2101 2121 - . ID=exon-m;Parent=rna-m
        pseudogene 4001 4300 - . ID=gene-P;gene_biotype=pseudogene
        exon 4001 4300 - . ID=id-P;Parent=gene-P
        gene 5001 5300 + . ID=gene-C;gene_biotype=protein_coding
        CDS 5001 5300 + 0 ID=cds-C;Parent=gene-C""",
    )
    genes, report = normalise(path, CONTIGS)
    assert [(gene.id, gene.type, gene.biotype, len(gene.transcripts)) for gene in genes] == [
        ("gene-A", "gene", "protein_coding", 1),
        ("gene-M", "gene", "miRNA", 1),
        ("gene-P", "pseudogene", "pseudogene", 1),
        ("gene-C", "gene", "protein_coding", 1),
    ]
    assert genes[3].transcripts[0].cds == ((5000, 5300),)
    assert report.counts == {
        RepairKind.FEATURE_LEFT_OUT: 2,
        RepairKind.TRANSCRIPT_MADE: 2,
        RepairKind.EXONS_MADE: 1,
        RepairKind.UTRS_MADE: 1,
    }


def test_trans_spliced_transcripts_are_left_out_and_named(tmp_path):
    path = gff(
        tmp_path / "a.gff3",
        """gene 101 900 + . ID=rps12
        mRNA 101 900 + . ID=t1;Parent=rps12
        exon 101 300 + . Parent=t1
        exon 501 900 - . Parent=t1
        mRNA 101 300 + . ID=t2;Parent=rps12
        exon 101 300 + . Parent=t2""",
    )
    (gene,), report = normalise(path, CONTIGS)
    assert [transcript.id for transcript in gene.transcripts] == ["t2"]
    assert [(row.kind, row.id, row.line) for row in report.rows if row.kind == RepairKind.MIXED_STRANDS] == [
        (RepairKind.MIXED_STRANDS, "t1", 2)
    ]


def test_a_gene_on_two_sequences_is_split_and_ids_stay_unique(tmp_path):
    attributes = 'gene_id "g"; transcript_id "t";'
    path = gff(tmp_path / "a.gtf", f"exon 1 90 + . {attributes}\nc2:exon 11 90 + . {attributes}")
    genes, _ = normalise(path, CONTIGS)
    assert [(g.id, g.contig, g.transcripts[0].id, g.start) for g in genes] == [
        ("g", "c1", "t", 0),
        ("g_2", "c2", "t_2", 10),
    ]


def test_gene_and_transcript_of_one_id(tmp_path):
    path = gff(tmp_path / "a.gff3", "gene 1 90 + . ID=x\nmRNA 1 90 + . ID=x;Parent=x\nexon 1 90 + . Parent=x")
    (gene,), report = normalise(path, CONTIGS)
    assert (gene.id, gene.transcripts[0].id) == ("x", "x_2")
    assert report.counts == {RepairKind.RENAMED: 1}


def test_exons_are_extended_over_the_cds_but_never_over_an_intron(tmp_path):
    text = """gene 101 900 + . ID=g
        mRNA 101 900 + . ID=t;Parent=g
        exon 101 300 + . Parent=t
        exon 501 900 + . Parent=t
        CDS {0} {1} + 0 Parent=t"""
    (gene,), _ = normalise(gff(tmp_path / "a.gff3", text.format(200, 330)), CONTIGS)
    assert gene.transcripts[0].exons == ((100, 330), (500, 900))
    (gene,), _ = normalise(gff(tmp_path / "b.gff3", text.format(200, 599)), CONTIGS)
    assert gene.transcripts[0].exons == ((100, 300), (500, 900))


# --- repairs, each counted, in both formats ---

PARTS_ONLY = """{0} 101 300 + . {1}
    CDS 201 300 + 0 {1}
    {0} 501 900 + . {1}
    CDS 501 604 + 2 {1}"""


@pytest.mark.parametrize(
    ("text", "repairs"),
    [
        # CDS alone: gene, transcript and exons
        ("CDS 201 300 + 0 ID=c\nCDS 501 604 + 2 ID=c", "GENE_MADE TRANSCRIPT_MADE EXONS_MADE"),
        ("CDS 201 300 + 0 Parent=t\nCDS 501 604 + 2 Parent=t", "GENE_MADE TRANSCRIPT_MADE EXONS_MADE"),
        (
            'CDS 201 300 + 0 gene_id "g"; transcript_id "t";\nCDS 501 604 + 2 gene_id "g"; transcript_id "t";',
            "GENE_MADE TRANSCRIPT_MADE EXONS_MADE",
        ),
        # CDS under a gene
        (
            "gene 201 604 + . ID=g\nCDS 201 300 + 0 ID=c;Parent=g\nCDS 501 604 + 2 ID=c;Parent=g",
            "TRANSCRIPT_MADE EXONS_MADE",
        ),
        # CDS under a transcript, with and without a gene
        (
            "gene 201 604 + . ID=g\nmRNA 201 604 + . ID=t;Parent=g\nCDS 201 300 + 0 Parent=t\nCDS 501 604 + 2 Parent=t",
            "EXONS_MADE",
        ),
        ("mRNA 201 604 + . ID=t\nCDS 201 300 + 0 Parent=t\nCDS 501 604 + 2 Parent=t", "GENE_MADE EXONS_MADE"),
        ("mRNA 201 604 + . ID=t;Parent=g\nCDS 201 300 + 0 Parent=t\nCDS 501 604 + 2 Parent=t", "GENE_MADE EXONS_MADE"),
        # transcript and CDS, wider than the CDS: Phytozome's files without exons, UTRs left out
        (
            "mRNA 101 900 + . ID=t;Parent=g\nCDS 201 300 + 0 Parent=t\nCDS 501 604 + 2 Parent=t",
            "GENE_MADE EXONS_MADE EXONS_STRETCHED",
        ),
        # exons and CDS: UTRs
        (PARTS_ONLY.format("exon", "Parent=t"), "GENE_MADE TRANSCRIPT_MADE UTRS_MADE"),
        (
            PARTS_ONLY.format("exon", 'gene_id "g"; transcript_id "t";'),
            "GENE_MADE TRANSCRIPT_MADE UTRS_MADE",
        ),
        ("gene 101 900 + . ID=t\n" + PARTS_ONLY.format("exon", "Parent=t"), "TRANSCRIPT_MADE UTRS_MADE"),
        # exons alone
        (
            'exon 101 300 + . gene_id "g"; transcript_id "t";\nexon 501 900 + . gene_id "g"; transcript_id "t";',
            "GENE_MADE TRANSCRIPT_MADE",
        ),
    ],
)
def test_what_is_missing_is_made_and_counted(tmp_path, text, repairs):
    (gene,), report = normalise(gff(tmp_path / "a.gff3", text), CONTIGS)
    (transcript,) = gene.transcripts
    wide = "900" in text
    assert transcript.exons == (((100, 300), (500, 900)) if wide else ((200, 300), (500, 604)))
    assert transcript.cds == (((200, 300), (500, 604)) if "CDS" in text else ())
    assert transcript.utrs() == ((((100, 200),), ((604, 900),)) if wide and "CDS" in text else ((), ()))
    assert report.counts == {RepairKind[kind]: 1 for kind in repairs.split()}
    assert all(row.id and row.place.startswith("c1:") and row.line for row in report.rows)


@pytest.mark.parametrize(
    ("text", "kind", "identifier", "line", "detail", "place"),
    [
        ("gene 1 90 + . ID=g", "GENE_WITHOUT_TRANSCRIPT", "g", 1, "gene", "c1:1-90:+"),
        (
            "gene 1 90 + . ID=g\nmRNA 1 90 + . ID=t;Parent=g\nexon 1 40 + . Parent=t\nexon 51 90 - . Parent=t",
            *("MIXED_STRANDS", "t", 2, "gene g; on c1 +, c1 -", "c1:1-90:+"),
        ),
        (
            "gene 1 90 + . ID=g\nmRNA 1 90 + . ID=t;Parent=g\nexon 1 40 + . Parent=t\nc2:exon 51 90 + . Parent=t",
            *("MIXED_STRANDS", "t", 2, "gene g; on c1 +, c2 +", "c1:1-90:+"),
        ),
        (
            "gene 1 90 . . ID=g\nmRNA 1 90 ? . ID=t;Parent=g\nexon 1 90 . . Parent=t",
            *("NO_STRAND", "t", 2, "gene g", "c1:1-90:?"),
        ),
        ("exon 1 90 + . .", "ORPHAN", "", 1, "exon", "c1:1-90:+"),
        ("five_prime_UTR 1 90 + . ID=u", "ORPHAN", "u", 1, "UTR", "c1:1-90:+"),
        ("stop_codon 1 3 + 0 Parent=t", "NO_PARTS", "t", 1, "gene t.gene", "c1:1-3:+"),
        (
            "match 1 90 + . ID=m\nmatch_part 1 90 + . ID=p;Parent=m",
            "FEATURE_LEFT_OUT",
            "p",
            2,
            "match_part",
            "c1:1-90:+",
        ),
        (
            "region 1 10000 + . ID=c1;Is_circular=true\ngene 9901 10100 + . ID=g\nCDS 9901 10100 + 0 ID=c;Parent=g",
            *("PAST_CIRCLE", "g.mrna", 3, "gene g; c1 has 10000 bases", "c1:9901-10100:+"),
        ),
        (
            "region 1 10000 + . ID=c1;Is_circular=true\nmRNA 9901 10100 + . ID=t\nexon 9901 10100 + . Parent=t\n"
            "exon 9911 9950 + . Parent=t",
            *("PAST_CIRCLE", "t", 2, "gene t.gene; c1 has 10000 bases", "c1:9901-10100:+"),
        ),
    ],
)
def test_every_loss_has_its_name_and_place(tmp_path, text, kind, identifier, line, detail, place):
    genes, report = normalise(gff(tmp_path / "a.gff3", text), CONTIGS)
    assert genes == []
    assert Repair(RepairKind[kind], identifier, line, detail, place) in report.rows
    assert RepairKind[kind] in LOSSES
    lost = report.counts[RepairKind.GENE_WITHOUT_TRANSCRIPT]
    assert lost == report.genes_in + report.counts[RepairKind.GENE_MADE]


def test_an_exon_inside_another_does_not_shorten_the_gene(tmp_path):
    text = "gene 1 90 + . ID=g\nmRNA 1 90 + . ID=t;Parent=g\nexon 1 90 + . Parent=t\nexon 11 30 + . Parent=t"
    (gene,), report = normalise(gff(tmp_path / "a.gff3", text), CONTIGS)
    assert (gene.start, gene.end, gene.transcripts[0].end) == (0, 90, 90)
    assert report.rows == []


# --- dialects ---


def test_tair_hangs_the_cds_on_transcript_and_protein(tmp_path):
    path = gff(
        tmp_path / "a.gff3",
        """chromosome 1 10000 . . ID=c1;Name=c1
        gene 101 400 + . ID=AT1;Note=protein_coding_gene
        mRNA 101 400 + . ID=AT1.1;Parent=AT1;Index=1
        protein 101 400 + . ID=AT1.1-Protein;Derives_from=AT1.1
        exon 101 400 + . Parent=AT1.1
        CDS 101 400 + 0 Parent=AT1.1,AT1.1-Protein;
        transposable_element_gene 501 900 - . ID=AT2
        mRNA_TE_gene 501 900 - . ID=AT2.1;Parent=AT2
        exon 501 900 - . Parent=AT2.1""",
    )
    genes, report = normalise(path, CONTIGS)
    assert [(gene.id, gene.biotype, gene.transcripts[0].id, gene.transcripts[0].type) for gene in genes] == [
        ("AT1", "protein_coding", "AT1.1", "mRNA"),
        ("AT2", "transposable_element_gene", "AT2.1", "mRNA_TE_gene"),
    ]
    assert report.counts == {RepairKind.FEATURE_LEFT_OUT: 1}


def test_a_pseudogene_under_a_gene_is_its_transcript(tmp_path):
    path = gff(
        tmp_path / "a.gff3",
        """gene 1 90 + . ID=g
        pseudogene 1 90 + . ID=t;Parent=g
        exon 1 90 + . Parent=t
        gene 101 190 + . ID=h
        pseudogene 101 190 + . ID=p;Parent=h
        pseudogenic_transcript 101 190 + . ID=u;Parent=p
        exon 101 190 + . Parent=u""",
    )
    genes, report = normalise(path, CONTIGS)
    assert [(gene.id, gene.biotype, gene.transcripts[0].id, gene.transcripts[0].type) for gene in genes] == [
        ("g", "pseudogenic_transcript", "t", "pseudogenic_transcript"),
        ("p", "pseudogene", "u", "pseudogenic_transcript"),
    ]
    assert [(row.kind, row.id) for row in report.rows] == [(RepairKind.GENE_WITHOUT_TRANSCRIPT, "h")]


def test_a_biotype_with_a_comma_stays_as_it_is(tmp_path):
    text = "gene 1 90 + . ID=g\nodd,%20old_transcript 1 90 + . ID=t;Parent=g\nexon 1 90 + . Parent=t"
    genes, _ = normalise(gff(tmp_path / "a.gff3", text), CONTIGS)
    assert [(gene.biotype, gene.transcripts[0].type) for gene in genes] == [
        ("odd%2C old_transcript", "odd, old_transcript")
    ]
    with (tmp_path / "b.gff3").open("w") as handle:
        write_gff3(handle, genes, CONTIGS)
    assert normalise(tmp_path / "b.gff3", CONTIGS) == (genes, RepairReport(genes_in=1, genes_out=1))


def test_jgi_names_models_without_ids(tmp_path):
    path = gff(
        tmp_path / "a.gff",
        """exon 101 300 - . name "fgenesh1_pg.C_1"; transcriptId 873
        CDS 101 300 - 0 name "fgenesh1_pg.C_1"; proteinId 873; exonNumber 2
        start_codon 698 700 - 0 name "fgenesh1_pg.C_1"
        exon 501 800 - . name "fgenesh1_pg.C_1"; transcriptId 873
        CDS 501 700 - 0 name "fgenesh1_pg.C_1"; proteinId 873; exonNumber 1""",
    )
    (gene,), report = normalise(path, CONTIGS)
    assert (gene.id, gene.transcripts[0].id) == ("fgenesh1_pg.C_1.gene", "fgenesh1_pg.C_1")
    assert gene.transcripts[0].cds == ((100, 300), (500, 700))
    assert RepairKind.ORPHAN not in report.counts


def test_trans_spliced_genes_of_organelles_stay_readable(tmp_path):
    path = gff(
        tmp_path / "a.gff3",
        """gene 2001 2114 - . ID=gene-rps12;exception=trans-splicing;part=1
        gene 4001 4800 + . ID=gene-rps12;exception=trans-splicing;part=2
        CDS 2001 2114 - 0 ID=cds-1;Parent=gene-rps12;exception=trans-splicing;part=1
        CDS 4001 4232 + 0 ID=cds-1;Parent=gene-rps12;exception=trans-splicing;part=2
        CDS 4775 4800 + 2 ID=cds-1;Parent=gene-rps12;exception=trans-splicing;part=2""",
    )
    genes, report = normalise(path, CONTIGS)
    assert [(gene.id, gene.strand, gene.transcripts[0].cds) for gene in genes] == [
        ("gene-rps12", "-", ((2000, 2114),)),
        ("gene-rps12_2", "+", ((4000, 4232), (4774, 4800))),
    ]
    assert report.counts[RepairKind.RENAMED] == 2


def test_isoforms_that_only_cds_ids_tell_apart(tmp_path):
    text = """gene 1001 2000 + . ID=g
        CDS 1101 1200 + 0 ID=c1;Parent=g
        CDS 1301 1500 + 2 ID=c1;Parent=g
        CDS 1101 1200 + 0 ID=c2;Parent=g
        CDS 1301 1800 + 2 ID=c2;Parent=g"""
    (gene,), _ = normalise(gff(tmp_path / "a.gff3", text), CONTIGS)
    assert [(t.id, t.cds[-1]) for t in gene.transcripts] == [("g.mrna", (1300, 1500)), ("g.mrna2", (1300, 1800))]
    text = "gene 1001 2000 + . ID=g\nCDS 1101 1200 + 0 ID=g.CDS.1;Parent=g\nCDS 1301 1500 + 2 ID=g.CDS.2;Parent=g"
    (gene,), _ = normalise(gff(tmp_path / "b.gff3", text), CONTIGS)
    assert [len(transcript.cds) for transcript in gene.transcripts] == [2]


def test_other_features_of_a_gtf_transcript_are_no_transcripts(tmp_path):
    own = 'gene_id "g"; transcript_id "t";'
    text = f'gene 1 90 + . gene_id "g";\nSelenocysteine 4 6 + . {own}\nexon 1 90 + . {own}\nCDS 1 90 + 0 {own}'
    (gene,), report = normalise(gff(tmp_path / "a.gtf", text), CONTIGS)
    assert [transcript.id for transcript in gene.transcripts] == ["t"]
    assert report.counts == {RepairKind.FEATURE_LEFT_OUT: 1, RepairKind.TRANSCRIPT_MADE: 1}
    text = text.replace("exon", f"transcript 1 90 + . {own}\nexon", 1)
    (gene,), report = normalise(gff(tmp_path / "b.gtf", text), CONTIGS)
    assert [transcript.id for transcript in gene.transcripts] == ["t"]
    assert report.rows == [Repair(RepairKind.FEATURE_LEFT_OUT, "t", 2, "Selenocysteine", "c1:4-6:+")]


def test_parts_of_two_genes_of_one_id_do_not_mix(tmp_path):
    text = "gene 1 90 + . ID=g\ngene 1001 1090 + . ID=g\nexon 1 90 + . Parent=g\nexon 1001 1090 + . Parent=g"
    genes, _ = normalise(gff(tmp_path / "a.gff3", text), CONTIGS)
    assert [(gene.id, gene.start, gene.end) for gene in genes] == [("g", 0, 90), ("g_2", 1000, 1090)]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("mRNA 1 90 + . ID=a;Parent=a\nCDS 1 90 + 0 Parent=a", ["a"]),  # its own parent, and GTF with one id for both
        ('transcript 1 90 + . gene_id "a"; transcript_id "a";\nCDS 1 90 + 0 gene_id "a"; transcript_id "a";', ["a"]),
        ("mRNA 1 90 + . ID=a;Parent=b\nmRNA 1 90 + . ID=b;Parent=a\nCDS 1 90 + 0 Parent=a,b", ["a.gene", "b.gene"]),
        # a parent that is no gene is one; a whole chromosome is none
        ("locus 1 90 + . ID=l\nmRNA 1 90 + . ID=a;Parent=l\nCDS 1 90 + 0 Parent=a", ["l"]),
        ("region 1 900 + . ID=r\nmRNA 1 90 + . ID=a;Parent=r\nCDS 1 90 + 0 Parent=a", ["a.gene"]),
        ("locus 1 90 + . ID=l\nCDS 1 90 + 0 Parent=l", ["l.gene"]),
        # a coding transcript inside another is kept
        (
            "gene 1 90 + . ID=g\nprimary_transcript 1 90 + . ID=a;Parent=g\nmRNA 1 90 + . ID=b;Parent=a\n"
            "CDS 1 90 + 0 Parent=b",
            ["g"],
        ),
        ("mRNA 1 90 + . .\nmRNA 201 290 + . .", ["mRNA.line1.gene", "mRNA.line2.gene"]),
        ("GENE 1 90 + . ID=g\nMRNA 1 90 + . ID=a;Parent=g\ncds 1 90 + 0 Parent=a", ["g"]),
        ("CDS 1 90 + 0 Parent=a,a", ["a.gene"]),
    ],
)
def test_odd_parents(tmp_path, text, ids):
    genes, _ = normalise(gff(tmp_path / "a.gff3", text), CONTIGS)
    assert sorted(gene.id for gene in genes) == ids
    if "CDS" in text.upper():
        assert all(gene.biotype == "protein_coding" for gene in genes)
        assert all(any(transcript.cds == ((0, 90),) for transcript in gene.transcripts) for gene in genes)


@pytest.mark.parametrize(
    ("length", "phase", "expected"),
    [(300, "0", 0), (301, "1", 1), (302, "2", 2), (300, "2", 0), (301, "2", 2), (300, ".", 0)],
)
def test_start_phase_of_a_partial_cds_is_kept(tmp_path, length, phase, expected):
    text = f"gene 1 400 + . ID=g\nmRNA 1 400 + . ID=t;Parent=g\nCDS 1 {length} + {phase} Parent=t"
    (gene,), _ = normalise(gff(tmp_path / "a.gff3", text), CONTIGS)
    assert gene.transcripts[0].start_phase == expected


def test_file_without_genes_warns_and_is_valid(tmp_path, caplog):
    assert normalise(gff(tmp_path / "a.gff3", "match 1 90 + . ID=m"), CONTIGS)[0] == []
    assert "no genes found" in caplog.text


def test_bad_places_are_errors(tmp_path):
    with pytest.raises(GffError, match=r"a\.gff3, line 1: the sequence 'c1' is not in the genome FASTA"):
        normalise(gff(tmp_path / "a.gff3", "gene 1 90 + . ID=m"), {"chr1": 100})
    with pytest.raises(GffError, match="past the end of 'c1'"):
        normalise(gff(tmp_path / "a.gff3", "gene 1 90 + . ID=m"), {"c1": 89})


def test_truncated_gzip(tmp_path):
    (tmp_path / "cut.gff3.gz").write_bytes(EXAMPLE.read_bytes()[:100_000])
    with pytest.raises(PhytoScribeError, match="truncated or corrupt gzip"):
        normalise(tmp_path / "cut.gff3.gz", dict.fromkeys(["Chr1", "Chr2", "Chr3", "Chr4", "Chr5"], 10_000_000))


def test_table_of_repairs(tmp_path):
    report = RepairReport()
    report.add(RepairKind.GENE_MADE, "g1", 7)
    report.add(RepairKind.EXONS_MADE, "t1", detail="x", place="c1:1-90:+")
    with (tmp_path / "r.tsv").open("w") as handle:
        write_repairs(handle, report.rows)
    lines = (tmp_path / "r.tsv").read_text().splitlines()
    assert lines == [
        "repair\tid\tline\tdetail\tplace",
        "gene_made\tg1\t7\t\t",
        "exons_made_from_cds_and_utrs\tt1\t\tx\tc1:1-90:+",
    ]


@given(st.lists(st.builds(Repair, st.sampled_from(RepairKind), TEXT, st.integers(0, 10**9), TEXT, TEXT), max_size=5))
def test_any_table_of_repairs_reads_back_the_same(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("repairs") / "r.tsv"
    with path.open("w", encoding="utf-8", newline="\n") as handle:
        write_repairs(handle, rows)
    assert read_repairs(path) == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"r\.tsv, line 1: not a table of repairs"),
        ("repair\tid\tline\tdetail\n", r"line 1: not a table of repairs"),
        ("repair\tid\tline\tdetail\tplace\ngene_made\tg\n", r"line 2: not a table of repairs"),
        ("repair\tid\tline\tdetail\tplace\ngene_eaten\tg\t\t\t\n", r"line 2: not a table of repairs"),
        ("repair\tid\tline\tdetail\tplace\ngene_made\tg\tx\t\t\n", r"line 2: not a table of repairs"),
    ],
)
def test_other_tables_are_no_repairs(tmp_path, text, message):
    (tmp_path / "r.tsv").write_text(text)
    with pytest.raises(GffError, match=message):
        read_repairs(tmp_path / "r.tsv")


def test_seqid_map_renames_sequences_and_leaves_some_out(tmp_path):
    text = "gene 1 90 + . ID=g\nmRNA 1 90 + . ID=t;Parent=g\nCDS 1 90 + 0 Parent=t\nc2:gene 1 90 + . ID=h"
    path = gff(tmp_path / "a.gff3", text)
    (gene,), report = normalise(path, {"Chr1": 90}, {"c1": "Chr1", "c2": None, "elsewhere": "x"})
    assert (gene.contig, gene.id) == ("Chr1", "g")
    assert (report.genes_in, report.genes_out) == (1, 1)
    assert report.rows[0] == Repair(
        RepairKind.FEATURE_LEFT_OUT, "c2", 0, "1 features on a sequence that seqid_map leaves out"
    )
    with pytest.raises(GffError, match="line 4: the sequence 'c2' is not in the genome FASTA"):
        normalise(path, {"Chr1": 90}, {"c1": "Chr1"})
    with pytest.raises(GffError, match="past the end of 'Chr1'"):
        normalise(path, {"Chr1": 89}, {"c1": "Chr1", "c2": None})
