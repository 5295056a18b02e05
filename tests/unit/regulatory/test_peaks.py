"""Peaks: the same sites from BED and narrowPeak, and what is said of lines that are none."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.errors import PhytoScribeError
from phytoscribe.regulatory.peaks import WIDEST, Peaks, enough_peaks, read_peaks

CONTIGS = {"Chr1": 5_000, "Chr2": 800}


def read(tmp_path, text: str, name: str = "a.bed", label: str = "A", **more) -> Peaks:
    path = tmp_path / name
    path.write_text(text)
    return read_peaks({label: str(path)}, more.get("contigs", CONTIGS), more.get("seqid_map", {}), "cress")


SUMMITS = st.lists(st.tuples(st.sampled_from(sorted(CONTIGS)), st.integers(100, 699)), min_size=1, max_size=20)


@given(SUMMITS, st.integers(1, 100))
def test_bed_and_narrow_peak_tell_the_same_summits(tmp_path_factory, summits, half):
    tmp_path = tmp_path_factory.mktemp("peaks")
    bed = "".join(f"{contig}\t{at - half}\t{at + half}\n" for contig, at in summits)
    narrow = "".join(f"{c}\t{at - 100}\t{at + 77}\tpeak\t900\t.\t5.1\t-1\t-1\t100\n" for c, at in reversed(summits))
    first, second = read(tmp_path, bed), read(tmp_path, narrow)
    for name in ("contig", "start", "end", "label"):
        assert np.array_equal(getattr(first, name), getattr(second, name))
    assert sorted(zip(first.contig.tolist(), first.start.tolist(), strict=True)) == sorted(
        (list(CONTIGS).index(contig), at) for contig, at in summits
    )
    assert (first.end - first.start == 1).all()


def test_a_wide_interval_is_kept_unless_it_has_a_summit(tmp_path):
    wide = f"Chr1\t1000\t{1001 + WIDEST}"
    found = read(tmp_path, f"{wide}\nChr1\t3000\t{3000 + WIDEST}\n{wide}\tp\t1\t.\t1\t-1\t-1\t-1\n")
    assert (found.end - found.start).tolist() == [WIDEST + 1, WIDEST + 1, 1]
    assert read(tmp_path, f"{wide}\tp\t1\t.\t1\t-1\t-1\t7\n").start.tolist() == [1007]


def test_the_example_has_its_labels_in_column_4(tmp_path):
    with gzip.open("resources/example/athaliana/peaks.bed.gz", "rt") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines]
    contigs = {row[0]: 3_000_000 for row in rows}
    peaks = read_peaks({"path": "resources/example/athaliana/peaks.bed.gz"}, contigs, {}, "athaliana")
    assert len(peaks.labels) == 20
    assert peaks.counts()["AT3G24120"] == sum(row[3] == "AT3G24120" for row in rows)
    peaks.save(tmp_path / "p.npz")
    again = Peaks.load(tmp_path / "p.npz")
    assert (again.labels, again.contigs) == (peaks.labels, peaks.contigs)
    assert np.array_equal(again.start, peaks.start)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Chr1\t5\n", r"line 1: a peak needs contig, start and end"),
        ("Chr1\t5\t9\nChr1\t-3\t9\n", r"line 2: a peak needs contig, start and end"),
        ("Chr1\t9\t9\n", r"line 1: start 9 and end 9 are no interval"),
        ("Chr1\t10\t5001\n", r"line 1: the peak ends at 5001, but contig 'Chr1' has 5000 bases"),
        ("1\t10\t50\n", r"line 1: contig '1' is not in the FASTA.*seqid_map: \{'1': Chr1\}"),
        ("scrap\t10\t50\n", r"line 1: contig 'scrap' is not in the FASTA.*name scrap in this genome's seqid_map"),
        ("1\t10\t50\nscrap\t1\t9\n", r"line 1: contig '1'.*seqid_map: \{'1': Chr1\}, and name scrap in it"),
        ("chrom\tstart\tend\n", r"line 1: a peak needs contig.*or remove it if it is a header"),
        ("Chr1\t10\t50\tp\t1\t.\t1\t-1\t-1\t40\n", r"column 10 is '40', but the summit.*of its 40 bases"),
        ("Chr1\t10\t50\tp\t1\t.\t1\t-1\t-1\tx\n", r"column 10 is 'x'"),
        ("# nothing\n", r"no peak in it \(genomes\[cress\]\.peaks\)"),
    ],
)
def test_lines_that_are_no_peaks(tmp_path, text, message):
    with pytest.raises(PhytoScribeError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("line", "message"),
    [("Chr1\t1\t5\n", "column 4, the label, is missing"), ("Chr1\t1\t5\ta/b\n", "'a/b' in column 4")],
)
def test_labels_in_column_4(tmp_path, line, message):
    with pytest.raises(PhytoScribeError, match=message):
        read(tmp_path, line, label="path")


def test_sequences_that_the_map_leaves_out_or_misnames(tmp_path):
    with pytest.raises(PhytoScribeError, match=r"'Chr9' \(seqid_map's name for '1'\) is not in the FASTA"):
        read(tmp_path, "1\t10\t20\n", seqid_map={"1": "Chr9"})
    found = read(tmp_path, "1\t10\t20\nChrM\t1\t9\n", seqid_map={"1": "Chr1", "ChrM": None})
    assert found.start.tolist() == [15]


def test_too_few_peaks_and_too_many_bases(tmp_path, caplog):
    peaks = read(tmp_path, "Chr1\t10\t20\nChr1\t1000\t4000\n")
    assert "label A covers 52 % of the genome" in caplog.text
    # Narrow intervals cover as much, two files of the same peaks no more; a summit tells the place of a wide peak.
    narrow = "".join(f"Chr1\t{start}\t{start + 400}\n" for start in range(0, 5_000, 500))
    for text, share in ((narrow * 2, "69 %"), (narrow.replace("\n", "\tp\t1\t.\t1\t-1\t-1\t5\n"), "")):
        caplog.clear()
        read(tmp_path, text)
        assert caplog.text.count("of the genome") == bool(share)
        assert share in caplog.text
    with pytest.raises(PhytoScribeError, match=r"no label has 3 peaks.*the most are 2"):
        enough_peaks([peaks], 3)
    assert enough_peaks([peaks, peaks], 3) == ["A"]
