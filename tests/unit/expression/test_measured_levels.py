"""Measured levels: units, replicates, salmon, and what is said of files that cannot be used."""

import gzip

import numpy as np
import pytest

from phytoscribe.errors import PhytoScribeError
from phytoscribe.expression.levels import measured_levels
from phytoscribe.expression.matrix import read_matrix

#: Those of ``small_database``.
GENES = ("AT1G00010", "AT1G00020", "AT1G00030", "AT1G00040")
ROWS = {
    "AT1G00010": ("100", "300", "7"),
    "AT1G00020": ("400", "NA", "7"),
    "AT1G00030": ("0", "600", ""),
    "Unknown1": ("500", "100", "7"),
}


def written(path, rows, header="gene_id\tleaf_1\tleaf_2\troot"):
    lines = [header, *("\t".join((name, *cells)) for name, cells in rows.items())]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def taken(database, path, unit="tpm", tissues=None):
    return measured_levels("x", {"path": path, "unit": unit, "tissues": tissues}, database)


def refused(database, path, **more) -> str:
    with pytest.raises(PhytoScribeError) as caught:
        taken(database, path, **more)
    return str(caught.value)


@pytest.fixture
def matrix(tmp_path):
    return written(tmp_path / "m.tsv", ROWS)


def test_exonic_lengths_count_every_base_once(small_database, chr2):
    assert small_database.exonic_lengths() == dict(zip(GENES, (1000, 2000, 3000, 4000), strict=True))
    assert small_database.genes_of_transcripts()["AT1G00030.2"] == "AT1G00030"
    database, genes = chr2
    bases = {g.id: {b for t in g.transcripts for s, e in t.exons for b in range(s, e)} for g in genes}
    assert database.exonic_lengths() == {name: len(found) for name, found in bases.items()}


def test_tpm_is_taken_as_it_is_and_replicates_are_averaged(small_database, matrix):
    found = taken(small_database, matrix, tissues={"leaf": ["leaf_1", "leaf_2"], "one": ["leaf_2"]})
    assert found.table.columns.tolist() == ["gene", "leaf", "one"]
    assert found.table["gene"].tolist() == list(GENES[:3]), "genes that were not measured have no line"
    np.testing.assert_array_equal(found.table["leaf"], [200, 400, 300])
    np.testing.assert_array_equal(found.table["one"], [300, np.nan, 600])
    (warning,) = found.warnings
    assert "sum to 1,000,000" in warning
    assert "leaf_1 1,000, leaf_2 1,000: are they counts or FPKM" in warning


def test_counts_are_divided_by_exonic_length(small_database, matrix):
    found = taken(small_database, matrix, unit="counts", tissues={"leaf": ["leaf_1"]})
    per_base = np.array([100 / 1000, 400 / 2000, 0.0])
    np.testing.assert_allclose(found.table["leaf"], per_base / per_base.sum() * 1e6)
    assert found.warnings == []


def test_fpkm_is_scaled_with_the_genes_that_the_annotation_lacks(small_database, matrix):
    found = taken(small_database, matrix, unit="fpkm", tissues={"leaf": ["leaf_1"]})
    np.testing.assert_allclose(found.table["leaf"], [100_000, 400_000, 0])


def test_layouts_of_other_programs(tmp_path):
    (tmp_path / "r.csv").write_text('"s1","s2"\n"AT1G00010",1,2.5\n"AT1G00020",NA,1e3\n')
    found = read_matrix(tmp_path / "r.csv")
    assert (found.ids, found.columns) == (["AT1G00010", "AT1G00020"], ["s1", "s2"])
    np.testing.assert_array_equal(found.values, [[1, 2.5], [np.nan, 1000]])
    text = "# Program:featureCounts\nGeneid\tChr\tLength\ta.bam\nAT1G00010\tChr1;Chr1\t9\t5\n"
    (tmp_path / "f.txt.gz").write_bytes(gzip.compress(text.encode()))
    assert read_matrix(tmp_path / "f.txt.gz", ["a.bam"]).values.tolist() == [[5.0]]


SALMON = "Name\tLength\tEffectiveLength\tTPM\tNumReads\n"


def test_salmon_is_summed_by_gene(small_database, tmp_path):
    (tmp_path / "a.sf").write_text(
        SALMON
        + "AT1G00010.1\t500\t300\t10\t5\nAT1G00010.2|x\t600\t400\t2.5\t1\nAT1G00020.2\t9\t9\t4\t1\nx\t9\t9\t9\t9\n"
    )
    (tmp_path / "b.sf").write_text(SALMON + "AT1G00010.1\t500\t300\t0.5\t5\nAT1G00020.2\t9\t9\t6\t1\n")
    files = {"leaf": [str(tmp_path / "a.sf"), str(tmp_path / "b.sf")], "root": [str(tmp_path / "a.sf")]}
    found = measured_levels("x", {"salmon": files}, small_database).table
    assert found["gene"].tolist() == ["AT1G00010", "AT1G00020"]
    np.testing.assert_allclose(found[["leaf", "root"]], [[(12.5 + 0.5) / 2, 12.5], [5, 4]])


def test_salmon_of_another_transcriptome(small_database, tmp_path):
    (tmp_path / "a.sf").write_text(SALMON + "AT1G00010.1\t5\t3\t1\t5\n" + "Zm1_T1\t5\t3\t1\t5\nZm1_T2\t5\t3\t1\t5\n")
    with pytest.raises(PhytoScribeError, match=r"a\.sf: the annotation has 1 of its 3 transcripts \(it lacks Zm1_T1"):
        measured_levels("x", {"salmon": {"leaf": [str(tmp_path / "a.sf")]}}, small_database)
    (tmp_path / "g.sf").write_text(SALMON + "".join(f"{gene}\t5\t3\t1\t5\n" for gene in GENES))
    with pytest.raises(PhytoScribeError, match=r"g\.sf: has a line for each gene.*not quant\.genes\.sf"):
        measured_levels("x", {"salmon": {"leaf": [str(tmp_path / "g.sf")]}}, small_database)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("AT1G00040\t1\tx1\t3", r"line 6, column 'leaf_2': 'x1' is no finite number"),
        ("AT1G00040\t1\tinf\t3", r"line 6, column 'leaf_2': 'inf' is no finite number"),
        ("AT1G00040\t1\t2\t-3", r"line 6, column 'root': -3 is negative; expression is never negative"),
        ("AT1G00010\t1\t2\t3", r"line 6: gene 'AT1G00010' stands in line 2 too"),
        ("AT1G00040\t1\t2", r"line 6: 3 cells, but the header names 3 samples"),
        ("\t1\t2\t3", r"line 6: the first column, which is the gene's id, is empty"),
    ],
)
def test_faulty_lines_are_named(small_database, matrix, line, message):
    with open(matrix, "a") as handle:
        handle.write(line + "\n")
    assert message in refused(small_database, matrix).replace(matrix, "")


def test_faulty_tables_are_named(small_database, matrix, tmp_path):
    said = refused(small_database, matrix, tissues={"leaf": ["leaf1"]})
    assert "no column 'leaf1' (the nearest is 'leaf_1'); its columns are leaf_1, leaf_2, root" in said
    assert "tissue 'root' has one value in all genes (7)" in refused(small_database, matrix)
    empty = written(tmp_path / "n.tsv", {"AT1G00010": ("1", "NA"), "AT1G00020": ("2", "")}, "id\ta\tb")
    assert "tissue 'b' has no value in any annotated gene" in refused(small_database, empty)
    twice = written(tmp_path / "t.tsv", {"AT1G00010": ("1", "2")}, "id\ta\ta")
    assert "the header names a twice" in refused(small_database, twice)
    (tmp_path / "e.tsv").write_text("")
    assert "no header with the names of samples" in refused(small_database, str(tmp_path / "e.tsv"))
    (tmp_path / "h.tsv").write_text("gene\ta\n")
    assert "holds no value" in refused(small_database, str(tmp_path / "h.tsv"))
    zeros = written(tmp_path / "z.tsv", dict.fromkeys(GENES, ("0", "1")), "id\ta\tb")
    assert "have no expression in a" in refused(small_database, zeros, unit="counts")


def test_logarithms_are_recognised(small_database, tmp_path):
    log = written(tmp_path / "l.tsv", {"AT1G00010": ("-1", "2"), "AT1G00020": ("3", "11")}, "id\ta\tb")
    assert "-1 is negative; 25 % of the values are, and no value is above 25: looks like log2" in refused(
        small_database, log
    )
    many = written(tmp_path / "m.tsv", {f"g{k}": (str(k % 17),) for k in range(1000)}, "id\ta")
    assert "in 1,000 genes no value is above 25: looks like log2; give TPM" in refused(small_database, many)
    none = written(tmp_path / "n.tsv", dict.fromkeys([*GENES, *(f"g{k}" for k in range(1000))], ("0", "0", "0")))
    assert "tissue 'leaf_1' has one value in all genes (0)" in refused(small_database, none)


@pytest.mark.parametrize(
    ("style", "proposal"),
    [
        ("{}.1", "'AT1G00010.1' -> 'AT1G00010') 4 would be; rename"),
        ("gene:{}", "'gene:AT1G00010' -> 'AT1G00010') 4 would be"),
        ("Zm{}", "is it another species or id style?"),
    ],
)
def test_other_ids_are_refused_with_a_proposal(small_database, tmp_path, style, proposal):
    rows = {style.format(name): (str(k),) for k, name in enumerate(GENES)}
    path = written(tmp_path / "o.tsv", rows, "id\ta")
    said = refused(small_database, path)
    assert said.startswith(f"expression of x: 0 of 4 ids in {path} are genes of its annotation (first unknown: ")
    assert proposal in said


def test_transcripts_lower_case_and_repeated_versions(small_database, tmp_path):
    rows = {f"{name}.{k}": ("1", str(k)) for name in GENES for k in (1, 2)}
    said = refused(small_database, written(tmp_path / "t.tsv", rows, "id\ta\tb"))
    assert "8 are transcripts: add up the values of each gene's transcripts" in said
    rows = {name.capitalize(): ("1", "2") for name in GENES}
    assert "in capitals ('At1g00010' -> 'AT1G00010') 4 would be" in refused(
        small_database, written(tmp_path / "l.tsv", rows, "id\ta\tb")
    )
    rows = {f"{name}.{k}": ("1", "2") for name in GENES for k in (7, 8)}
    assert "8 would be, and 4 would stand twice: add up their values" in refused(
        small_database, written(tmp_path / "v.tsv", rows, "id\ta\tb")
    )
