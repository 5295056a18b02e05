"""Files made to be slow: repeated ids, endless lists, chains.  What takes quadratic time takes many minutes here."""

from itertools import chain

import pytest

from phytoscribe.annotation.cleaning.normalise import normalise
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.gff_writer import write_gff3

COUNT = 20_000
END = 40 * COUNT
CONTIGS = {"c1": END}
WHOLE = (("gene", 1, END, "ID=g"), ("mRNA", 1, END, "ID=t;Parent=g"))


def each(*rows):
    """The rows for every number, with ``@`` in the attributes replaced by it, ten bases apart."""
    return (
        (kind, 10 * number + start, 10 * number + end, attributes.replace("@", str(number)))
        for number in range(COUNT)
        for kind, start, end, attributes in rows
    )


def names(form: str) -> str:
    return ",".join(form.replace("@", str(number)) for number in range(COUNT))


FILES = {
    "genes of one id": each(("gene", 1, 9, "ID=g"), ("mRNA", 1, 9, "ID=t@;Parent=g"), ("CDS", 1, 9, "Parent=t@")),
    "genes of one id without transcripts": each(("gene", 1, 9, "ID=g"), ("CDS", 1, 9, "Parent=g")),
    "transcripts of one gene": chain(WHOLE[:1], each(("mRNA", 1, 9, "ID=t@;Parent=g"), ("exon", 1, 9, "Parent=t@"))),
    "transcripts of one id": chain(WHOLE[:1], each(("mRNA", 1, 9, "ID=t;Parent=g"), ("exon", 1, 9, "Parent=t"))),
    "repeated lines": (("mRNA", 1, 9, "ID=t;Parent=g") for _ in range(COUNT)),
    "parents of one exon": chain(
        WHOLE[:1], each(("mRNA", 1, 9, "ID=t@;Parent=g")), [("exon", 1, 9, f"Parent={names('t@')}")]
    ),
    "parents nowhere": [("exon", 1, 9, f"Parent={names('t@')}")],
    "genes of one transcript": chain(
        each(("gene", 1, 9, "ID=g@")), [("mRNA", 1, 9, f"ID=t;Parent={names('g@')}"), ("exon", 1, 9, "Parent=t")]
    ),
    "CDS beside exons": chain(WHOLE, each(("exon", 1, 4, "Parent=t"), ("CDS", 6, 9, "Parent=t"))),
    "exons in an exon": chain(WHOLE, [("exon", 1, END, "Parent=t")], each(("exon", 1, 4, "Parent=t"))),
    "stop codons": chain(WHOLE, [("CDS", 1, 9, "Parent=t")], each(("stop_codon", 21, 23, "Parent=t"))),
    "a chain of transcripts": each(("mRNA", 1, 9, "ID=t@0;Parent=t@"), ("CDS", 1, 9, "Parent=t@0")),
    "isoforms by CDS id": chain(WHOLE[:1], each(("CDS", 1, 29, "ID=c@;Parent=g"))),
    "attributes": [("gene", 1, 9, "ID=g;" + names("k@=x").replace(",", ";"))],
    "values of one key": [("gene", 1, 9, "ID=g" + ";k=x" * COUNT)],
    "open quotes": [("gene", 1, 9, 'gene_id "g"; ' + 'a "b;' * COUNT)],
    "blanks": [("gene", 1, 9, "ID=g;Note=" + " " * 50 * COUNT + 'x="')],
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", FILES)
def test_time_grows_with_the_file(tmp_path, name):
    rows = (f"c1\tx\t{kind}\t{s}\t{e}\t.\t+\t0\t{attributes}\n" for kind, s, e, attributes in FILES[name])
    (tmp_path / "a.gff3").write_text("".join(rows))
    genes, report = normalise(tmp_path / "a.gff3", CONTIGS)
    assert len(genes) == report.genes_out
    assert genes or report.rows
    with (tmp_path / "b.gff3").open("w") as handle:
        write_gff3(handle, genes, CONTIGS)
    assert read_gff3(tmp_path / "b.gff3", CONTIGS) == genes
