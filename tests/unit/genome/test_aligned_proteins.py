"""miniprot's GFF3 as it is, and what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.aligned_proteins import ProteinFile, read_aligned, read_miniprot, write_aligned

GFF3 = Path(__file__).parents[2] / "data/miniprot/athaliana.gff3.gz"
CONTIGS = {"Chr3_1065466_1464870": 60_000, "Chr4": 12_000}
PLUS, MINUS, CUT = "AT1G12900.5", "AT1G02335.1", "AT1G57630.1"


def line(kind: str, start: int, end: int, text: str, strand: str = "+", phase: str = "0") -> str:
    return f"Chr4\tminiprot\t{kind}\t{start}\t{end}\t100\t{strand}\t{phase}\t{text}\n"


def alignment(strand: str = "+", target: str = "p 1 30", more: str = "") -> str:
    return (
        line("mRNA", 101, 400, f"ID=MP1;Rank=1;Identity=0.8000;Positive=0.9;{more}Target={target}", strand)
        + line("CDS", 101, 140, "Parent=MP1;Rank=1", strand, "0" if strand == "+" else "1")
        + line("CDS", 341, 400, "Parent=MP1;Rank=1", strand, "2" if strand == "+" else "0")
    )


def test_alignments_are_read_as_miniprot_writes_them():
    found = read_miniprot(GFF3, CONTIGS)
    assert len(found) == 72
    (first,) = [p for p in found if p.protein == PLUS]
    assert first.segments == ((16511, 16613), (16723, 16870), (16965, 17026), (17119, 17360), (17449, 17642))
    assert (first.strand, first.phases, first.coding) == ("+", (0, 0, 0, 2, 1), True)
    with gzip.open(GFF3, "rt") as handle:
        lengths = {line.split("\t")[1]: int(line.split("\t")[2]) for line in handle if line.startswith("##PAF")}
    assert first.quality == pytest.approx(0.5301 * (432 - 185 + 1) / lengths[PLUS], abs=1e-4)
    assert not first.begins
    assert not first.ends
    assert sum(p.ends for p in found) == 30
    assert sum(not p.coding for p in found) >= 2
    for p in found:
        # A frame that is unbroken goes on from segment to segment.
        order = range(len(p.segments)) if p.strand == "+" else range(len(p.segments))[::-1]
        done = 0
        for number in order if p.coding else ():
            assert (3 - done % 3) % 3 == p.phases[number]
            done += p.segments[number][1] - p.segments[number][0]


@pytest.mark.parametrize(
    ("strand", "stop"), [("+", (398, 400)), ("+", (401, 403)), ("-", (101, 103)), ("-", (98, 100))]
)
def test_a_stop_codon_belongs_to_the_cds_wherever_the_file_has_it(tmp_path, strand, stop):
    path = tmp_path / "a.gff3"
    path.write_text(alignment(strand) + line("stop_codon", *stop, "Parent=MP1;Rank=1", strand))
    (found,) = read_miniprot(path, CONTIGS)
    assert (found.begins, found.ends, found.quality) == (True, True, 0.8)
    assert found.stop_codon == (stop[1] if strand == "+" else stop[0] - 1)
    assert found.start_codon == (100 if strand == "+" else 400)
    assert found.introns == [(140, 340)]


def test_the_table_gives_back_what_was_written(tmp_path):
    found, files = read_miniprot(GFF3, CONTIGS), [ProteinFile("a.faa", "0" * 64, 72)]
    write_aligned(tmp_path / "table.tsv", files, reversed(found), CONTIGS)
    again = read_aligned(tmp_path / "table.tsv")
    assert again[0] == files
    assert set(again[1]) == set(found)
    text = (tmp_path / "table.tsv").read_text()
    (tmp_path / "table.tsv").write_text(text.replace("contig\t", "chrom\t"))
    with pytest.raises(PhytoScribeError, match=r"table.tsv: no table of aligned proteins \(its columns are chrom"):
        read_aligned(tmp_path / "table.tsv")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no protein is aligned in it"),
        ("##gff-version 3\n", "no protein is aligned in it"),
        (">p\nMKV\n", "line 1: 1 columns, not the 9 of GFF3"),
        (alignment().replace("miniprot", "Araport11"), "line 1: the source .column 2. is 'Araport11', not miniprot"),
        (alignment().replace("Chr4", "Chr9"), "line 1: the contig 'Chr9' is not in the FASTA"),
        (alignment().replace("\t400\t", "\t14000\t"), "line 1: 101-14000 is not on 'Chr4', which has 12,000 bp"),
        (alignment().replace("Identity", "Ident"), "line 1: not all attributes of miniprot's mRNA"),
        (alignment(target="p;q 1 30"), "line 1: Target is 'p', not a protein.*if the name has a ';', rename"),
        (alignment().replace("Parent=MP1", "Parent=MP2"), "line 2: its Parent 'MP2' does not stand before it"),
    ],
)
def test_a_file_that_is_not_miniprots_or_of_another_assembly_is_refused(tmp_path, text, told):
    path = tmp_path / "a.gff3"
    path.write_text(text)
    with pytest.raises(PhytoScribeError, match=rf"a.gff3.*{told}"):
        read_miniprot(path, CONTIGS)
