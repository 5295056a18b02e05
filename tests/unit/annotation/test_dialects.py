"""Any gene model, written in any dialect and knocked about on the way, is read back as it was."""

from __future__ import annotations

import gzip
import io
from dataclasses import replace
from pathlib import Path

import pytest
from gene_models import ODD, ODD_IN_QUOTES, annotations, contig_tables
from gff3_dialects import GFF3_DIALECTS
from gff_lines_of import Written
from gff_perturbations import Perturbation, as_file, perturbations
from gtf_dialects import GTF_DIALECTS, augustus_without_utrs
from hypothesis import given, settings
from hypothesis import strategies as st

from phytoscribe.annotation import GeneModel, sort_genes
from phytoscribe.annotation.cleaning.normalise import normalise
from phytoscribe.annotation.cleaning.repairs import LOSSES, RepairKind
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.gff_writer import write_gff3

ROOT = Path(__file__).parents[3]
DIALECTS = GFF3_DIALECTS | GTF_DIALECTS
#: Features that dialects have and gene models have not.
NO_GENES = {"region", "cDNA_match", "chromosome", "miRNA"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("dialects")


@st.composite
def files(draw: st.DrawFn, name: str) -> tuple[Written, dict[str, int]]:
    """Gene models in a dialect, and the contigs that they lie on."""
    dialect = DIALECTS[name]
    contigs = draw(contig_tables())
    genes = draw(annotations(contigs, ODD if dialect.escapes else ODD_IN_QUOTES, dialect.coding_only))
    return dialect.write(genes, contigs), contigs


def structure(gene: GeneModel) -> tuple:
    """What must come back: place, ids, types, exon and CDS chains, phases.  Isoforms may change places."""
    parts = sorted((t.id, t.type, t.exons, t.cds, t.cds_phases()) for t in gene.transcripts)
    return gene.contig, gene.start, gene.end, gene.strand, gene.id, gene.biotype, parts


def assert_same(found: list[GeneModel], expected: list[GeneModel], contigs: dict[str, int], lists: bool = True) -> None:
    """``lists``: commas separate values, so those inside a value are marked (GFF3)."""
    expected = sort_genes(expected, contigs)
    assert [structure(gene) for gene in found] == [structure(gene) for gene in expected]
    for gene, model in zip(found, expected, strict=True):
        pairs = [(gene, model)]
        isoforms = {transcript.id: transcript for transcript in gene.transcripts}
        pairs += [(isoforms[transcript.id], transcript) for transcript in model.transcripts]
        for one, other in pairs:
            for key, value in other.attributes.items():
                text = one.attributes.get(key, "")
                assert (text if lists else text.replace("%2C", ",")) == (value if lists else value.replace("%2C", ","))


def written(genes: list[GeneModel], contigs: dict[str, int]) -> str:
    handle = io.StringIO()
    write_gff3(handle, genes, contigs)
    return handle.getvalue()


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=100, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_dialect_reads_back_as_it_was_and_the_clean_file_is_final(folder, name, data):
    file, contigs = data.draw(files(name))
    how = data.draw(perturbations())
    path = folder / f"{name}.gff"
    path.write_bytes(as_file(file, how))
    genes, report = normalise(path, contigs)
    assert_same(genes, file.expected, contigs, DIALECTS[name].escapes)
    assert report.genes_out == len(file.expected)
    lost = [row for row in report.rows if row.kind in LOSSES]
    assert {(row.kind, row.detail) for row in lost} <= {(RepairKind.FEATURE_LEFT_OUT, kind) for kind in NO_GENES}

    clean = folder / f"{name}.clean.gff3"
    clean.write_text(written(genes, contigs), encoding="utf-8", newline="\n")
    assert read_gff3(clean, contigs) == genes
    again, second_report = normalise(clean, contigs)
    assert again == genes
    assert second_report.rows == []
    assert written(again, contigs) == clean.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["ensembl", "phytozome", "phytozome_without_exons"])
@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_the_strict_reader_takes_well_formed_releases(folder, name, data):
    file, contigs = data.draw(files(name))
    path = folder / f"{name}.release.gff"
    path.write_bytes(as_file(file, Perturbation(commented=True, packed="members")))
    assert_same(sort_genes(read_gff3(path, contigs), contigs), file.expected, contigs)


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\n###\n", "\n\n# end\n", "\n##FASTA\n>c\nAC\n"])
def test_the_last_gene_is_kept(folder, arabidopsis_genes, name, ending):
    contigs = {"Chr1": 2_999_940}
    file = DIALECTS[name].write(arabidopsis_genes[:12], contigs)
    path = folder / "last.gff"
    path.write_bytes(as_file(file, Perturbation(ending=ending)))
    genes, _ = normalise(path, contigs)
    assert_same(genes, file.expected, contigs)
    assert structure(genes[-1]) == structure(sort_genes(file.expected, contigs)[-1])


@pytest.mark.parametrize(
    ("source", "gene_id", "transcript_id"),
    [
        ("ncbi", "gene-AT1G01010", "rna-NM_099983.2"),
        ("ensembl", "gene:AT1G01010", "transcript:AT1G01010.1"),
        ("phytozome", "AT1G01010.Araport11.447", "AT1G01010.1.Araport11.447"),
        ("tair", "AT1G01010", "AT1G01010.1"),
    ],
)
def test_one_gene_of_four_databases_is_one_gene(arabidopsis_genes, source, gene_id, transcript_id):
    path = ROOT / f"tests/data/dialects/at1g01010.{source}.gff3"
    contig = path.read_text().splitlines()[-1].split("\t")[0]
    (gene,), _ = normalise(path, {contig: 30_427_671})
    known = next(gene for gene in arabidopsis_genes if gene.id == "AT1G01010")
    (transcript,) = known.transcripts
    expected = replace(
        known, id=gene_id, contig=contig, transcripts=(replace(transcript, id=transcript_id, contig=contig),)
    )
    assert structure(gene) == structure(expected)


def test_the_augustus_writer_writes_what_augustus_wrote():
    path = ROOT / "tests/data/evaluation/augustus_chr5.gff.gz"
    contigs = {"Chr5_25975502_26975502": 1_000_001}
    genes = sorted(normalise(path, contigs)[0], key=lambda gene: int(gene.id.removeprefix("g")))
    with gzip.open(path, "rt") as lines:
        real = {without_score(line.rstrip("\n")) for line in lines if line[0] != "#"}
    ours = {without_score(line) for gene in augustus_without_utrs(genes, contigs).genes for line in gene}
    assert ours - real == set()
    # The writer tells whole genes by their frame; this one has none, as it runs over the end of the contig.
    assert [line[2:5] + line[-1:] for line in real - ours] == [
        ("start_codon", "802", "804", 'transcript_id "g1.t1"; gene_id "g1";')
    ]


def without_score(line: str) -> tuple[str, ...]:
    columns = line.split("\t")
    return (*columns[:5], *columns[6:])
