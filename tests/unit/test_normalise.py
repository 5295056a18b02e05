"""The builtin cleaner on what public annotations are like: GTF, NCBI's layout, split stop codons, trans-splicing."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.annotation import sort_genes
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.normalise import normalise
from phytoscribe.annotation.repairs import Repair, RepairKind, RepairReport, read_repairs, write_repairs
from phytoscribe.errors import GffError, PhytoScribeError

EXAMPLE = Path(__file__).parents[2] / "resources/example/athaliana/annotation.gff3.gz"
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
    assert [(gene.id, gene.biotype, len(gene.transcripts)) for gene in genes] == [
        ("gene-A", "protein_coding", 1),
        ("gene-M", "miRNA", 1),
        ("gene-P", "pseudogene", 1),
        ("gene-C", "protein_coding", 1),
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
        ("repair\tid\tline\tdetail\tplace\ngene_made\tg\n", r"line 2: not a row of the table"),
        ("repair\tid\tline\tdetail\tplace\ngene_eaten\tg\t\t\t\n", r"line 2: not a row of the table"),
        ("repair\tid\tline\tdetail\tplace\ngene_made\tg\tx\t\t\n", r"line 2: not a row of the table"),
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
