"""The GFF3 writer: exact lines on both strands, round trips, and GenomeTools' opinion."""

import gzip
import io
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phytoscribe.annotation import GeneModel, Transcript, sort_genes
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.gff_writer import gene_lines, write_gff3

EXAMPLE = Path(__file__).parents[3] / "resources/example/athaliana/annotation.gff3.gz"
CONTIGS = {"c1": 5000, "c2": 3000}
GENE_TYPES = ("gene", "ncRNA_gene", "pseudogene", "transposable_element_gene", "odd\t50% gene")
NONCODING_TYPES = ("lnc_RNA", "tRNA", "miRNA", "pseudogenic_transcript", "mRNA", "odd\tRNA 50%")


def written(genes, header=()) -> str:
    handle = io.StringIO()
    assert write_gff3(handle, genes, CONTIGS, header) == len(genes)
    return handle.getvalue()


def assert_valid(path: Path) -> None:
    assert shutil.which("gt"), "GenomeTools is needed: make test installs it"
    done = subprocess.run(["gt", "gff3validator", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def gene_of(strand: str) -> GeneModel:
    transcript = Transcript("t1", ((100, 200), (300, 420)), ((150, 200), (300, 400)), score=0.98765)
    return GeneModel("g1", "c1", strand, (transcript,), attributes={"Note": "a;b"}, score=0.5)


def test_lines_on_the_plus_strand():
    assert gene_lines(gene_of("+")) == [
        "c1\tPhytoScribe\tgene\t101\t420\t0.500\t+\t.\tID=g1;biotype=protein_coding;Note=a%3Bb",
        "c1\tPhytoScribe\tmRNA\t101\t420\t0.988\t+\t.\tID=t1;Parent=g1",
        "c1\tPhytoScribe\texon\t101\t200\t.\t+\t.\tID=t1.exon1;Parent=t1",
        "c1\tPhytoScribe\tfive_prime_UTR\t101\t150\t.\t+\t.\tID=t1.five_prime_UTR1;Parent=t1",
        "c1\tPhytoScribe\tCDS\t151\t200\t.\t+\t0\tID=t1.cds;Parent=t1",
        "c1\tPhytoScribe\texon\t301\t420\t.\t+\t.\tID=t1.exon2;Parent=t1",
        "c1\tPhytoScribe\tCDS\t301\t400\t.\t+\t1\tID=t1.cds;Parent=t1",
        "c1\tPhytoScribe\tthree_prime_UTR\t401\t420\t.\t+\t.\tID=t1.three_prime_UTR1;Parent=t1",
    ]


def test_lines_on_the_minus_strand():
    columns = [line.split("\t") for line in gene_lines(gene_of("-"))]
    assert [(c[2], c[3], c[4], c[7], c[8].split(";")[0]) for c in columns[2:]] == [
        ("exon", "101", "200", ".", "ID=t1.exon2"),
        ("three_prime_UTR", "101", "150", ".", "ID=t1.three_prime_UTR1"),
        ("CDS", "151", "200", "2", "ID=t1.cds"),
        ("exon", "301", "420", ".", "ID=t1.exon1"),
        ("CDS", "301", "400", "0", "ID=t1.cds"),
        ("five_prime_UTR", "401", "420", ".", "ID=t1.five_prime_UTR1"),
    ]


def test_attributes_without_a_value_are_left_out():
    gene = GeneModel("g", "c1", "+", (Transcript("t", ((0, 9),)),), attributes={"Note": "", "Name": "x"})
    assert gene_lines(gene)[0].endswith("\tID=g;biotype=non_coding;Name=x")


def test_a_gene_that_codes_for_nothing_has_exon_lines_only_and_its_own_types_and_source():
    transcript = Transcript("t1", ((9, 20), (30, 40)), type="lnc_RNA", attributes={"biotype": "lncRNA"})
    gene = GeneModel("g1", "c1", "-", (transcript,), "lncRNA", source="x", type="ncRNA_gene")
    assert gene_lines(gene) == [
        "c1\tx\tncRNA_gene\t10\t40\t.\t-\t.\tID=g1;biotype=lncRNA",
        "c1\tx\tlnc_RNA\t10\t40\t.\t-\t.\tID=t1;Parent=g1;biotype=lncRNA",
        "c1\tx\texon\t10\t20\t.\t-\t.\tID=t1.exon2;Parent=t1",
        "c1\tx\texon\t31\t40\t.\t-\t.\tID=t1.exon1;Parent=t1",
    ]


def test_a_gene_of_a_type_that_is_no_genes_is_refused():
    with pytest.raises(ValueError, match="gene g1: 'tRNA' is no type of a gene"):
        gene_lines(replace(gene_of("+"), type="tRNA"))


def test_header_and_regions():
    assert written([], ["version 1", "model abc"]) == (
        "##gff-version 3\n##sequence-region c1 1 5000\n##sequence-region c2 1 3000\n# version 1\n# model abc\n"
    )


@st.composite
def gene_models(draw, number: int) -> GeneModel:
    """A gene of any type with one to three transcripts of any type; exons of 1 bp and more, CDS cut out of them
    anywhere, any attributes."""
    contig = draw(st.sampled_from(sorted(CONTIGS)))
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).map(str.strip)
    keys = st.sampled_from(["Note", "Alias", "evidence", "orf_ok", "é%;"])  # GFF3 reserves other capital letters
    scores = st.none() | st.integers(0, 1000).map(lambda value: value / 1000)
    transcripts = []
    for index in range(draw(st.integers(1, 3))):
        edges = sorted(draw(st.sets(st.integers(0, CONTIGS[contig]), min_size=2, max_size=12)))
        exons = tuple(zip(edges[0::2], edges[1::2], strict=False))
        cds: tuple = ()
        if draw(st.booleans()):
            first, last = sorted(draw(st.sets(st.integers(exons[0][0], exons[-1][1]), min_size=2, max_size=2)))
            cds = tuple((max(s, first), min(e, last)) for s, e in exons if max(s, first) < min(e, last))
        transcripts.append(
            Transcript(
                id=draw(text) + f"=t{number},{index}",
                exons=exons,
                cds=cds,
                type=draw(st.sampled_from(["mRNA", "transcript"] if cds else NONCODING_TYPES)),
                attributes=draw(st.dictionaries(keys, text.filter(bool), max_size=2)),
                score=draw(scores),
                start_phase=draw(st.integers(0, 2)) if cds else 0,
            )
        )
    return GeneModel(
        id=draw(text) + f";g{number}",
        contig=contig,
        strand=draw(st.sampled_from("+-")),
        transcripts=tuple(transcripts),
        biotype=draw(st.sampled_from(["protein_coding", "pseudogene", "lnc_RNA", ""])),
        attributes=draw(st.dictionaries(keys, text.filter(bool), max_size=2)),
        source=draw(st.sampled_from(["PhytoScribe", "a b#c"])),
        score=draw(scores),
        type=draw(st.sampled_from(GENE_TYPES)),
    )


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_gene_model_reads_back_the_same(tmp_path_factory, data):
    genes = [data.draw(gene_models(number)) for number in range(data.draw(st.integers(0, 3)))]
    path = tmp_path_factory.mktemp("gff") / "a.gff3"
    path.write_text(written(genes), newline="\n")
    assert read_gff3(path, CONTIGS) == genes
    flipped = [gene.reverse_complement(CONTIGS[gene.contig]) for gene in genes]
    path.write_text(written(flipped), newline="\n")
    assert [gene.reverse_complement(CONTIGS[gene.contig]) for gene in read_gff3(path)] == genes


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_genometools_accepts_any_gene_model(tmp_path_factory, data):
    genes = [data.draw(gene_models(number)) for number in range(3)]
    path = tmp_path_factory.mktemp("gff") / "a.gff3"
    path.write_text(written(sort_genes(genes, CONTIGS), ["settings: a=1"]), newline="\n")
    assert_valid(path)


@pytest.fixture(scope="module")
def example() -> list[GeneModel]:
    return read_gff3(EXAMPLE)


def test_the_example_reads_back_the_same_and_is_valid(tmp_path, example):
    assert {gene.strand for gene in example} == {"+", "-"}
    contigs = {gene.contig: 10_000_000 for gene in example}
    with (tmp_path / "a.gff3").open("w") as handle:
        write_gff3(handle, example, contigs)
    assert read_gff3(tmp_path / "a.gff3", contigs) == example
    assert_valid(tmp_path / "a.gff3")
    lines = (tmp_path / "a.gff3").read_text().splitlines()
    ids = [re.search(r"ID=([^;]+)", line)[1] for line in lines if line[0] != "#" and "\tCDS\t" not in line]
    assert len(ids) == len(set(ids))


def test_phases_of_the_example_are_those_of_the_source(tmp_path, example):
    with gzip.open(EXAMPLE, "rt") as lines:
        source = [line.rstrip().split("\t") for line in lines if "\tCDS\t" in line]
    given_phases = sorted((c[8].split("Parent=")[1], int(c[3]) - 1, c[7]) for c in source)
    ours = sorted(
        (transcript.id, segment[0], str(phase))
        for gene in example
        for transcript in gene.transcripts
        for segment, phase in zip(transcript.cds, transcript.cds_phases(), strict=True)
    )
    assert ours == given_phases
