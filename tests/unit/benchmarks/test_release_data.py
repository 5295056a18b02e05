"""training_data/: what is copied of each set, on contigs of the example."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
from release_data import (
    FASTA,
    GFF3,
    JUNCTIONS,
    MASK,
    copy_introns,
    copy_set,
    copy_single_loci,
    place_of,
    write_training_data,
)

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.intervals import IntervalIndex, read_bed
from phytoscribe.genome.junctions import read_junctions

EXAMPLE = Path(__file__).parents[3] / "resources/example/athaliana"
LENGTHS = {"Chr2": 196_982, "Chr4": 185_850}


def names_in(path) -> set[str]:
    with gzip.open(path, "rt") as lines:
        return {line[1:].split()[0] if line[0] == ">" else line.split("\t")[0] for line in lines if line[0] != "#"}


def test_a_set_is_copied_without_the_contigs_that_are_left_out(tmp_path):
    lines = (f"{name}\tx\tintron\t5\t90\t3\t+\t.\tID={name}\n" for name in ("Chr2", "Chr4"))
    (tmp_path / "junctions.gff3").write_text("".join(lines))
    copy_set(EXAMPLE, tmp_path / "set", lambda name: name in ("Chr4", "Chr3"), tmp_path / "junctions.gff3")
    assert names_in(tmp_path / "set" / GFF3) == {"Chr4", "Chr3"}
    assert list(read_junctions(tmp_path / "set" / JUNCTIONS)) == [("Chr4", "+", (4, 90))]
    with gzip.open(tmp_path / "set" / FASTA, "rt") as lines:
        assert [line.split()[0] for line in lines if line[0] == ">"] == [">Chr3", ">Chr4"]
    whole = read_bed(EXAMPLE / MASK)
    assert read_bed(tmp_path / "set" / MASK) == {name: whole[name] for name in whole if name in ("Chr4", "Chr3")}
    first = (tmp_path / "set" / GFF3).read_bytes()
    copy_set(EXAMPLE, tmp_path / "set", lambda name: name in ("Chr4", "Chr3"))
    assert (tmp_path / "set" / GFF3).read_bytes() == first


def test_single_loci_that_are_there_already_are_left_out_and_all_beside_genes_is_masked(tmp_path):
    kept, left_out = "Chr2_5000001_5196982_AT2G00000", "Chr4_101_185950_AT4G00000"
    copy_set(EXAMPLE, tmp_path / "loci", lambda name: name in LENGTHS)
    for file in (FASTA, GFF3):
        text = gzip.decompress((tmp_path / "loci" / file).read_bytes()).decode()
        named = re.sub(r"^(>?)Chr4\b", rf"\g<1>{left_out}", text, flags=re.MULTILINE)
        named = re.sub(r"^(>?)Chr2\b", rf"\g<1>{kept}", named, flags=re.MULTILINE)
        (tmp_path / "loci" / file).write_bytes(gzip.compress(named.encode()))
    copy_single_loci(tmp_path / "loci", tmp_path / "new", IntervalIndex({"Chr4": [(0, 101)], "Chr2": [(0, 196_982)]}))
    assert names_in(tmp_path / "new" / GFF3) == {kept}
    masked = np.zeros(LENGTHS["Chr2"], dtype=bool)
    for start, end in read_bed(tmp_path / "new" / MASK)[kept]:
        masked[start:end] = True
    of_genes = np.zeros_like(masked)
    for gene in read_gff3(tmp_path / "new" / GFF3):
        of_genes[gene.start : gene.end] = True
    assert of_genes.any()
    assert np.array_equal(masked, ~of_genes)


def test_introns_of_held_out_genes_stay_out(tmp_path, capsys):
    lines = ["AC GTAG GT 16 AT2G28105\n", "AC GTAG GT 3 AT4G23590\n", "AC GTAG GT 9 AT4G23590,AT1G01010\n"]
    (tmp_path / "introns.gz").write_bytes(gzip.compress("".join(lines).encode()))
    copy_introns(tmp_path / "introns.gz", tmp_path / "kept.gz", {"AT1G01010", "AT4G23595"})
    assert gzip.decompress((tmp_path / "kept.gz").read_bytes()).decode() == "".join(lines[:2])
    assert "2 of 3 introns; 1 are of 2 held-out genes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("Chr2_5_9_AT2G01010", ("Chr2", 4, 9)),
        ("Chr5_16999951_19500000", ("Chr5", 16_999_950, 19_500_000)),
        ("Chr1_full", ("Chr1", 0, 100)),
        ("Chr3", ("Chr3", 0, 100)),
    ],
)
def test_names_give_places(name, place):
    assert place_of(name, 100) == place


def test_what_the_shared_data_lack_is_named_before_anything_is_written(tmp_path):
    with pytest.raises(PhytoScribeError, match=r"lacks .*athaliana_chr1.genome\.fa\.gz"):
        write_training_data(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
