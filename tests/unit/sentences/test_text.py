"""The table of sentences: every gene has a row, with its sentence or a reason, and comes back from it."""

from __future__ import annotations

import pytest

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome import Genome
from phytoscribe.genome.fasta import write_index
from phytoscribe.sentences.text import COLUMNS, read_sentences, write_sentences
from phytoscribe.sentences.tokens import Reason
from phytoscribe.tables import read_table

TEXT = "GG" + "ATGGCCGGTAAGAAACAGTCTGCCTAAGGCCATTAA" + "C" * 262


def gene(name, *exon_chains, strand="+", biotype="tRNA", cds=()):
    transcripts = tuple(Transcript(f"{name}.{k}", exons, cds) for k, exons in enumerate(exon_chains))
    return GeneModel(name, "c", strand, transcripts, biotype)


GENES = [
    gene("plus", ((0, 9), (18, 40)), ((5, 9), (18, 60)), biotype="lncRNA"),
    gene("minus", ((100, 120), (140, 150)), strand="-"),
    gene("coding", ((0, 40),), ((0, 9), (18, 40)), biotype="mRNA"),
    gene("many", *(((0, 9 + k), (220, 230)) for k in range(200)), biotype="lncRNA"),
    gene("broken", ((0, 40),), cds=((3, 12),), biotype="protein_coding"),
]


@pytest.fixture
def genome(tmp_path):
    path = tmp_path / "c.fa"
    path.write_text(f">c\n{TEXT}\n")
    write_index(path, f"{path}.fai")
    with Genome(path) as opened:
        yield opened


def chains(genes):
    return {(g.id, g.contig, g.strand, t.exons, t.cds) for g in genes for t in g.transcripts}


def test_annotated_genes_come_back_from_their_rows(tmp_path, arabidopsis_fasta, arabidopsis_genes):
    """On both strands, of a whole annotation; all that has a sentence, as it was."""
    path = tmp_path / "t.tsv"
    genes = arabidopsis_genes[::4]
    with Genome(arabidopsis_fasta) as genome:
        counts = write_sentences(genes, genome, path)
        back = read_sentences(path, genome)
    assert counts[""] == len(back) >= len(genes) - 2
    assert chains(back) == chains(g for g in genes if g.id in {found.id for found in back})
    table = read_table(path, COLUMNS)
    assert list(table["gene"]) == [g.id for g in genes]
    for row, model in zip(table.itertuples(), genes, strict=True):
        first = model.representative
        assert row.start == (first.start + 1 if model.strand == "+" else first.end)


def test_rows_say_what_a_gene_is_or_why_it_has_no_sentence(tmp_path, genome):
    path = tmp_path / "t.tsv"
    counts = write_sentences(GENES, genome, path)
    assert counts == {"": 3, Reason.TOO_MANY_ISOFORMS: 1, Reason.CDS_NO_OPEN_FRAME: 1}
    lines = path.read_text().splitlines()
    begin = "<gene> <gene_type:{}> <{}> <transcript> "
    assert lines[1].split("\t") == [
        "plus", "c", "+", "6", "lncRNA", "2",
        begin.format("lncRNA", "+") + "T+0 P+55 D+4 A+13 <transcript> T-5 P+35", "", "",
    ]  # fmt: skip
    assert lines[2].split("\t")[3:7] == ["150", "tRNA", "1", begin.format("tRNA", "-") + "T+0 P+50 D+10 A+30"]
    assert lines[3].split("\t")[4:6] == ["protein_coding", "2"]
    assert "<CDS> <sep>" in lines[3], "annotated without CDS, though it has an open frame"
    many, broken = (line.split("\t") for line in lines[4:])
    assert many[5:8] == ["200", "", "too_many_isoforms"]
    assert "has 200 isoforms; a sentence has at most 16" in many[8]
    assert broken[6:8] == ["", "cds_no_open_frame"]
    assert chains(read_sentences(path, genome)) == chains(GENES[:3])
    assert [g.biotype for g in read_sentences(path, genome)] == ["lncRNA", "tRNA", "protein_coding"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\tc\t+", "\tother\t+", "the genome has no contig 'other'"),
        ("\t6\t", "\t290\t", r"285\.\.344 is not on c, which has 300 bases"),
        ("\t+\t", "\t.\t", r"its strand is '\.'"),
        ("\t+\t", "\t-\t", "not on c"),
        (" <+> ", " <-> ", r"its sentence is of strand -, its row of \+"),
        ("T+0", "X+0", "word 5 of the sentence is X"),
        ("A+13", "A+55", r"A\+55, word 8 of the sentence, is not from \+5 to \+54"),
        (" P+35", "", "word 11 of the sentence is the end; a pointer"),
        ("<gene_type:lncRNA>", "lncRNA", "a gene type is expected"),
    ],
)
def test_a_row_that_is_no_gene_is_named(tmp_path, genome, old, new, message):
    path = tmp_path / "t.tsv"
    write_sentences(GENES[:1], genome, path)
    text = path.read_text()
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(PhytoScribeError, match=message) as caught:
        read_sentences(path, genome)
    assert f"{path}, line 2, gene plus: " in str(caught.value)
