"""The strict GFF3 reader: what it takes, what it makes of it, and what bad files are told."""

import gzip
from pathlib import Path

import pytest

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.errors import GffError, PhytoScribeError

EXAMPLE = Path(__file__).parents[3] / "resources/example/athaliana/annotation.gff3.gz"
GENE = [
    ("gene", 101, 900, "+", ".", "ID=g1;Name=x"),
    ("mRNA", 101, 900, "+", ".", "ID=t1;Parent=g1"),
    ("exon", 101, 300, "+", ".", "Parent=t1"),
    ("CDS", 201, 300, "+", "0", "Parent=t1"),
    ("exon", 501, 900, "+", ".", "Parent=t1"),
    ("CDS", 501, 604, "+", "2", "Parent=t1"),
]


def gff(path: Path, rows, contig="c1") -> Path:
    lines = [f"{contig}\tsrc\t{kind}\t{s}\t{e}\t.\t{strand}\t{phase}\t{att}" for kind, s, e, strand, phase, att in rows]
    path.write_text("##gff-version 3\n" + "\n".join(lines) + "\n")
    return path


def replaced(index, **changes):
    names = ("kind", "start", "end", "strand", "phase", "attributes")
    rows = list(GENE)
    rows[index] = tuple(changes.get(name, value) for name, value in zip(names, rows[index], strict=True))
    return rows


def test_coordinates_become_zero_based_half_open(tmp_path):
    (gene,) = read_gff3(gff(tmp_path / "a.gff3", GENE))
    (transcript,) = gene.transcripts
    assert (gene.id, gene.contig, gene.strand, gene.start, gene.end) == ("g1", "c1", "+", 100, 900)
    assert transcript.exons == ((100, 300), (500, 900))
    assert transcript.cds == ((200, 300), (500, 604))
    assert dict(gene.attributes) == {"Name": "x"}
    assert gene.biotype == "protein_coding"
    assert gene.source == "src"


@pytest.mark.parametrize("ending", ["\n", "", "\n###\n", "\n\n# end", "\n##FASTA\n>c1\nACGT\n", "\r\n"])
def test_the_last_gene_is_never_lost(tmp_path, ending):
    rows = [*GENE, *((k, s + 1000, e + 1000, st, p, a.replace("1", "2")) for k, s, e, st, p, a in GENE)]
    path = gff(tmp_path / "a.gff3", rows)
    path.write_text(path.read_text().rstrip("\n") + ending)
    assert [gene.id for gene in read_gff3(path)] == ["g1", "g2"]
    assert read_gff3(path)[1].transcripts[0].cds[-1] == (1500, 1604)


def test_order_of_lines_does_not_matter(tmp_path):
    expected = read_gff3(gff(tmp_path / "a.gff3", GENE))
    assert read_gff3(gff(tmp_path / "b.gff3", GENE[::-1])) == expected


def test_missing_exons_come_from_cds_and_utrs(tmp_path):
    rows = [row for row in GENE if row[0] != "exon"]
    rows += [("five_prime_UTR", 101, 200, "+", ".", "Parent=t1"), ("three_prime_UTR", 605, 900, "+", ".", "Parent=t1")]
    assert read_gff3(gff(tmp_path / "a.gff3", rows)) == read_gff3(gff(tmp_path / "b.gff3", GENE))


def test_an_exon_of_two_transcripts_goes_to_both(tmp_path):
    rows = [(k, s, e, st, p, a.replace("Parent=t1", "ID=x;Parent=t1,t2")) for k, s, e, st, p, a in GENE]
    rows[1] = GENE[1]
    rows.insert(2, ("mRNA", 101, 900, "+", ".", "ID=t2;Parent=g1"))
    (gene,) = read_gff3(gff(tmp_path / "a.gff3", rows))
    assert [transcript.id for transcript in gene.transcripts] == ["t1", "t2"]
    assert gene.transcripts[0].exons == gene.transcripts[1].exons == ((100, 300), (500, 900))


def test_start_phase_is_that_of_the_first_segment_in_transcript_direction(tmp_path):
    rows = [(k, s, e, "-", {201: "2", 501: "1"}.get(s, p) if k == "CDS" else p, a) for k, s, e, _, p, a in GENE]
    (gene,) = read_gff3(gff(tmp_path / "a.gff3", rows))
    assert gene.transcripts[0].start_phase == 1


def test_escapes_are_decoded_and_list_commas_kept_apart(tmp_path):
    rows = replaced(0, attributes="ID=g%3B1;Note=50%25 a%3Bb%2C c,d")
    rows[1] = ("mRNA", 101, 900, "+", ".", "ID=t1;Parent=g%3B1")
    (gene,) = read_gff3(gff(tmp_path / "a.gff3", rows))
    assert gene.id == "g;1"
    assert gene.attributes["Note"] == "50% a;b%2C c,d"


def test_features_outside_genes_and_childless_genes_are_left_out(tmp_path):
    extra = [
        ("region", 1, 5000, "+", ".", "ID=r"),
        ("match", 1, 50, "+", ".", "ID=m"),
        ("match_part", 1, 50, "+", ".", "ID=m1;Parent=m"),
        ("gene", 2001, 2100, "?", ".", "ID=empty"),
    ]
    assert read_gff3(gff(tmp_path / "a.gff3", [*extra, *GENE])) == read_gff3(gff(tmp_path / "b.gff3", GENE))


def test_biotype_of_genes_that_do_not_code(tmp_path):
    rows = [("gene", 1, 90, "+", ".", "ID=g"), ("tRNA", 1, 90, "+", ".", "ID=t;Parent=g")]
    rows.append(("exon", 1, 90, "+", ".", "Parent=t"))
    assert read_gff3(gff(tmp_path / "a.gff3", rows))[0].biotype == "tRNA"
    rows[0] = ("gene", 1, 90, "+", ".", "ID=g;gene_biotype=miRNA")
    assert read_gff3(gff(tmp_path / "a.gff3", rows))[0].biotype == "miRNA"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            replaced(1, attributes="ID=t1;Parent=nobody"),
            r"line 3: mRNA 't1' names the parent 'nobody', which is nowhere",
        ),
        (replaced(1, attributes="ID=t1"), r"line 3: mRNA 't1' has no Parent gene"),
        (replaced(3, attributes="Parent=nobody"), r"line 5: the parent 'nobody' of this CDS is nowhere"),
        (replaced(3, attributes="Parent=g1"), r"line 5: .* is a gene; a transcript must stand between"),
        (replaced(3, attributes="ID=c"), r"line 5: a CDS without Parent"),
        (replaced(4, strand="-"), r"line 6: exon of transcript 't1' lies on c1 -, its gene on c1 \+"),
        (replaced(0, strand="."), r"line 2: strand '\.' of gene 'g1'"),
        (replaced(3, phase="."), r"line 5: phase '\.' of a CDS must be 0, 1 or 2"),
        (replaced(2, start=301), r"line 4: start 301, end 300"),
        (replaced(2, start=0), r"line 4: start 0, end 300"),
        (replaced(2, start="x"), r"line 4: start 'x'"),
        (replaced(0, attributes='gene_id "g1";'), r"line 2: .* if this is a GTF file"),
        ([*GENE, GENE[0]], r"line 8: the ID 'g1' was used in line 2 already"),
        ([*GENE, GENE[1]], r"line 8: the ID 't1' was used in line 3 already"),
        (GENE[:2], r"line 3: mRNA 't1' has neither exon nor CDS"),
    ],
)
def test_bad_files_get_their_message(tmp_path, rows, message):
    with pytest.raises(GffError, match=message):
        read_gff3(gff(tmp_path / "a.gff3", rows))


def test_wrong_columns_name_the_line(tmp_path):
    path = gff(tmp_path / "a.gff3", GENE)
    path.write_text(path.read_text() + "c1 src gene 1 2 . + . ID=g\n")
    with pytest.raises(GffError, match=r"a\.gff3, line 8: 1 tab-separated columns instead of 9"):
        read_gff3(path)


def test_sequence_names_must_be_those_of_the_fasta(tmp_path):
    path = gff(tmp_path / "a.gff3", GENE, contig="chr1")
    with pytest.raises(
        GffError, match=r"line 2: the sequence 'chr1' is not in the genome FASTA(.|\n)*FASTA: 2 names: Chr1, Chr2"
    ):
        read_gff3(path, {"Chr1": 1000, "Chr2": 1000})


def test_features_past_the_end_are_refused(tmp_path):
    path = gff(tmp_path / "a.gff3", GENE)
    assert len(read_gff3(path, {"c1": 900})) == 1
    with pytest.raises(GffError, match=r"line 2: the feature ends at 900, past the end of 'c1' \(899 bases\)"):
        read_gff3(path, {"c1": 899})


def test_truncated_gzip(tmp_path):
    whole = EXAMPLE.read_bytes()
    (tmp_path / "cut.gff3.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PhytoScribeError, match=r"cut\.gff3\.gz: truncated or corrupt gzip"):
        read_gff3(tmp_path / "cut.gff3.gz")


def test_files_without_genes_are_valid(tmp_path):
    assert read_gff3(gff(tmp_path / "a.gff3", [])) == []
    (tmp_path / "empty.gff3").write_text("")
    assert read_gff3(tmp_path / "empty.gff3") == []


def test_the_example_is_read_whole():
    genes = read_gff3(EXAMPLE)
    with gzip.open(EXAMPLE, "rt") as lines:
        kinds = [line.split("\t")[2] for line in lines if line[0] != "#"]
    transcripts = [transcript for gene in genes for transcript in gene.transcripts]
    assert len(genes) == kinds.count("gene") == 2131
    assert len(transcripts) == kinds.count("mRNA") == 4008
    assert sum(len(transcript.exons) for transcript in transcripts) == kinds.count("exon")
    assert sum(len(transcript.cds) for transcript in transcripts) == kinds.count("CDS")
    five, three = zip(*(t.utrs() for g in genes for t in g.transcripts), strict=True)
    assert sum(map(len, five)) == kinds.count("five_prime_UTR")
    assert sum(map(len, three)) == kinds.count("three_prime_UTR")
