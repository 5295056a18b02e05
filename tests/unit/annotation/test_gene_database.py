"""The gffutils database of accepted genes: windows by strand, neighbours, and the example's genes."""

import gffutils
import pytest

from phytoscribe.annotation.gene_database import GeneDatabase, Span, write_gene_database
from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.errors import GffError

CONTIGS = {"c:1-9 x": 1000, "far": 2**30}


def gene(name, strand, *transcripts, contig="c:1-9 x"):
    chains = {f"{name}.{number}": chain for number, chain in enumerate(transcripts, start=1)}
    return GeneModel(name, contig, strand, tuple(Transcript(key, chain, chain) for key, chain in chains.items()))


GENES = [
    gene("plus;1", "+", ((100, 130), (160, 190)), ((90, 130),)),
    gene("inner", "-", ((140, 150),)),
    gene("minus", "-", ((400, 430), (460, 490))),
    gene("last", "+", ((980, 999),)),
    gene("before", "+", ((2**29 - 500, 2**29 - 400),), contig="far"),
    gene("behind", "-", ((2**29 + 400, 2**29 + 500),), contig="far"),
]


@pytest.fixture
def path(tmp_path):
    with (tmp_path / "g.gff3").open("w") as handle:
        write_gff3(handle, GENES, CONTIGS)
    assert write_gene_database(tmp_path / "g.gff3", tmp_path / "g.db") == len(GENES)
    return tmp_path / "g.db"


@pytest.fixture
def database(path):
    return GeneDatabase(path)


def test_genes_of_a_region_share_a_base_with_it(database):
    assert database.contigs == CONTIGS
    assert database.genes("c:1-9 x")[0] == Span("plus;1", "c:1-9 x", 90, 190, "+")
    assert [one.id for one in database.genes("c:1-9 x", 189, 401)] == ["plus;1", "minus"]
    assert database.genes("c:1-9 x", 190, 400) == []
    assert [one.id for one in database.genes("far", 2**29 - 450, 2**29 + 450)] == ["before", "behind"]


def test_transcripts_of_a_gene(database):
    assert database.transcripts("plus;1") == [
        Span("plus;1.2", "c:1-9 x", 90, 130, "+"),
        Span("plus;1.1", "c:1-9 x", 100, 190, "+"),
    ]
    with pytest.raises(GffError, match="there is no gene 'nobody'"):
        database.transcripts("nobody")


def test_windows_follow_the_strand_and_end_with_the_contig(database):
    plus, _, minus, last = database.genes("c:1-9 x")
    assert database.promoter(plus, 50) == (40, 90)
    assert database.promoter(plus, 200, 10) == (0, 100)
    assert database.promoter(minus, 50, 10) == (480, 540)
    assert database.gene_end(plus, 10, 20) == (180, 210)
    assert database.gene_end(minus, 10, 20) == (380, 410)
    assert database.gene_end(last, 0, 50) == (999, 1000)
    assert database.flanks(plus, 30) == ((60, 90), (190, 220))
    assert database.flanks(minus, 30) == ((490, 520), (370, 400))


def test_neighbours_do_not_overlap_and_the_5_prime_one_is_first(database):
    plus, inner, minus, last = database.genes("c:1-9 x")
    assert database.neighbours(plus) == (None, minus)
    assert database.neighbours(inner) == (minus, None)
    assert database.neighbours(minus) == (last, plus)
    assert database.neighbours(last) == (minus, None)


def test_gffutils_reads_it_and_it_is_the_same_in_every_run(path, tmp_path):
    raw = gffutils.FeatureDB(str(path))
    assert [(one.start, one.end) for one in raw.children("plus;1.1", featuretype="CDS", order_by="start")] == [
        (101, 130),
        (161, 190),
    ]
    write_gene_database(tmp_path / "g.gff3", tmp_path / "again.db")
    assert (tmp_path / "again.db").read_bytes() == path.read_bytes()


def test_a_file_without_genes_and_one_that_is_no_database(tmp_path):
    (tmp_path / "none.gff3").write_text("##gff-version 3\n##sequence-region c 1 9\n")
    with pytest.raises(GffError, match=r"none\.gff3: no gene to put into a database"):
        write_gene_database(tmp_path / "none.gff3", tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()
    for name in ("none.gff3", "nowhere.db"):
        with pytest.raises(GffError, match=rf"{name}: no database of genes .*run index_gene_database"):
            GeneDatabase(tmp_path / name)


def test_windows_of_the_example_are_as_its_gene_models_say(tmp_path, arabidopsis_genes):
    contigs = {one.contig: max(g.end for g in arabidopsis_genes if g.contig == one.contig) for one in arabidopsis_genes}
    chosen = [one for one in arabidopsis_genes if one.contig == "Chr2"]
    with (tmp_path / "e.gff3").open("w") as handle:
        write_gff3(handle, chosen, contigs)
    assert write_gene_database(tmp_path / "e.gff3", tmp_path / "e.db") == len(chosen) > 20
    database = GeneDatabase(tmp_path / "e.db")
    for model, span in zip(sorted(chosen, key=lambda g: (g.start, g.end, g.id)), database.genes("Chr2"), strict=True):
        assert span == Span(model.id, model.contig, model.start, model.end, model.strand)
        assert {one.id: (one.start, one.end) for one in database.transcripts(model.id)} == {
            one.id: (one.start, one.end) for one in model.transcripts
        }
        before, behind = database.neighbours(span)
        if model.strand == "-":
            before, behind = behind, before
        assert before is None or before.end == max(g.end for g in chosen if g.end <= model.start)
        assert behind is None or behind.start == min(g.start for g in chosen if g.start >= model.end)
