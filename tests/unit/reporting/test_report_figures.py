"""Figures of the report, drawn from AUGUSTUS's genes beside the real annotation: what they show, and the same bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pysam
import pytest
from gene_scores import score_genes
from hypothesis import given
from hypothesis import strategies as st
from report_tables import write_loci, write_predicted

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.errors import PhytoScribeError
from phytoscribe.evaluation.accuracy.augustus import read_augustus
from phytoscribe.evaluation.accuracy.counts import scorable
from phytoscribe.evaluation.long_reads.alignments import ReadLimits
from phytoscribe.reporting.drawing import read_figures, write_drawings
from phytoscribe.reporting.error_atlas import coverage
from phytoscribe.reporting.genome_figures import GenomeEvidence, draw_genome
from phytoscribe.reporting.score_figures import calibration, cut_curve, exon_confusion
from phytoscribe.reporting.worst_loci import AlignedReads, worst_loci
from phytoscribe.tables import LOCI, PREDICTED_GENES, read_table

ROOT = Path(__file__).parents[3]
CONTIG = "Chr5_25975502_26975502"
PLAIN = ["f1_by_level", "precision_recall", "calibration", "errors_reference_loci", "errors_predicted_genes"]
PLAIN += ["exon_confusion", "score_distribution", "cds_lengths", "exon_lengths", "intron_lengths", "exon_counts"]


def write_bam(path: Path, genes: list[GeneModel], copies: int = 3) -> Path:
    """Reads that are the genes' transcripts, on a contig of 1 Mb, and one secondary alignment that counts nowhere."""
    header = pysam.AlignmentHeader.from_references([CONTIG], [1_000_001])
    unsorted = path.with_suffix(".unsorted.bam")
    with pysam.AlignmentFile(str(unsorted), "wb", header=header) as bam:
        for gene in genes:
            for copy in range(copies + 1):
                read = pysam.AlignedSegment(header)
                transcript = gene.transcripts[0]
                read.query_name, read.reference_id, read.reference_start = f"{gene.id}.{copy}", 0, transcript.start
                read.flag = (16 if gene.strand == "-" else 0) | (256 if copy == copies else 0)
                read.mapping_quality = 60
                read.set_tag("NM", 0)
                cigar = [(0, transcript.exons[0][1] - transcript.exons[0][0])]
                for (_, left), (right, end) in zip(transcript.exons, transcript.exons[1:]):
                    cigar += [(3, right - left), (0, end - right)]
                read.cigartuples = cigar
                bam.write(read)
    pysam.sort("-o", str(path), str(unsorted))
    pysam.index(str(path))
    return path


@pytest.fixture(scope="module")
def genes():
    """Reference and AUGUSTUS's genes of one contig, the latter with made-up scores."""
    everything = read_gff3(ROOT / "resources/example/athaliana/annotation.gff3.gz")
    reference = scorable(everything, contigs=[CONTIG])
    predicted = scorable(read_augustus(ROOT / "tests/data/evaluation/augustus_chr5.gff.gz"), contigs=[CONTIG])
    return reference, [replace(gene, score=0.3 + 0.7 * (n % 7) / 6) for n, gene in enumerate(predicted)]


@pytest.fixture(scope="module")
def tables(genes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    reference, predicted = genes
    given_genes = {"phytoscribe": predicted, "augustus": [replace(gene, score=None) for gene in predicted]}
    write_loci(folder / "loci.tsv", reference, given_genes)
    write_predicted(folder / "genes.tsv", reference, given_genes)
    return read_table(folder / "loci.tsv", LOCI), read_table(folder / "genes.tsv", PREDICTED_GENES)


@pytest.fixture(scope="module")
def evidence(genes, tables, tmp_path_factory):
    reference, predicted = genes
    bam = write_bam(tmp_path_factory.mktemp("reads") / "reads.bam", reference[:60])
    return GenomeEvidence(
        name="athaliana", genes=predicted, contigs=[CONTIG], reference=reference, augustus=predicted,
        scores=score_genes(reference, predicted).assign(predictor="phytoscribe"), loci=tables[0], predicted=tables[1],
        bam=bam,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(evidence, tmp_path_factory):
    path = tmp_path_factory.mktemp("figures") / "athaliana"
    write_drawings(draw_genome(evidence), path)
    return path


def test_every_figure_is_there_in_three_kinds_and_described(folder):
    figures = read_figures(folder)
    atlas = [figure.name for figure in figures if figure.group == "atlas"]
    assert [figure.name for figure in figures] == PLAIN + atlas
    assert len(atlas) == 20
    for figure in figures:
        assert (folder / f"{figure.name}.pdf").read_bytes().startswith(b"%PDF")
        assert len(pd.read_csv(folder / f"{figure.name}.tsv", sep="\t")) > 0
        assert len(figure.seen) > 20
        assert "nan" not in (folder / f"{figure.name}.svg").read_text().lower().replace("nance", "")


def test_same_numbers_same_bytes(evidence, folder, tmp_path):
    few = replace(evidence, loci=evidence.loci[evidence.loci["class"] != "right"].head(2))
    for copy in ("1", "2"):
        write_drawings(draw_genome(few), tmp_path / copy)
    names = sorted(path.name for path in (tmp_path / "1").iterdir())
    assert len(names) > 30
    for name in names:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes(), name


def test_a_contig_name_may_look_like_a_formula(tmp_path):
    name = "chr$x^$"
    locus = gene("a$_$", ((100, 200),)).shifted(0, name)
    loci = table((locus.id, "missed")).assign(predictor="phytoscribe")
    evidence = GenomeEvidence(name="other", genes=[], contigs=[name], reference=[locus], loci=loci)
    write_drawings((drawn for drawn in draw_genome(evidence) if drawn.group == "atlas"), tmp_path / "figures")
    assert f"{name} (bp)" in (tmp_path / "figures/locus_01_a_.svg").read_text()


def test_nothing_appears_when_a_figure_fails(evidence, tmp_path):
    broken = replace(evidence, loci=evidence.loci.assign(locus="nowhere"))
    with pytest.raises(PhytoScribeError, match="locus nowhere is not in the annotation"):
        write_drawings(draw_genome(broken), tmp_path / "figures")
    assert not list(tmp_path.iterdir())


def test_a_prediction_alone_has_figures_without_scores(genes, tmp_path):
    alone = GenomeEvidence(name="other", genes=genes[1][:30], contigs=[CONTIG])
    assert [drawing.name for drawing in draw_genome(alone)] == PLAIN[6:]
    assert not list(draw_genome(replace(alone, genes=[])))
    write_drawings(draw_genome(replace(alone, genes=[])), tmp_path / "none")
    assert read_figures(tmp_path / "none") == []


def test_a_figure_that_is_gone_is_named(folder, tmp_path):
    (tmp_path / "figures.tsv").write_text("name\tgroup\ttitle\tseen\nlost\tscores\tt\ts\n")
    with pytest.raises(PhytoScribeError, match=r"figures\.tsv.*lost\.svg.*run the rule"):
        read_figures(tmp_path)


def test_curve_ends_at_the_scores_of_all_genes(genes, tables):
    reference, predicted = genes
    loci, rows = (table[table["predictor"] == "phytoscribe"] for table in tables)
    curve = cut_curve(loci, rows)
    scores = score_genes(reference, predicted)
    locus = scores[(scores["level"] == "locus") & (scores["subset"] == "all")].set_index("metric")["value"]
    assert curve["precision"].iloc[-1] == pytest.approx(locus["precision"])
    assert curve["recall"].iloc[-1] == pytest.approx(locus["recall"])
    assert curve["genes"].is_monotonic_increasing
    assert curve["recall"].is_monotonic_increasing
    point = cut_curve(*(table[table["predictor"] == "augustus"] for table in tables))
    assert len(point) == 1
    assert point["precision"].iloc[0] == pytest.approx(locus["precision"])


def test_a_curve_of_many_scores_stays_small(tables):
    rows = tables[1][tables[1]["predictor"] == "phytoscribe"]
    many = pd.concat([rows] * 20).assign(probability=np.linspace(0, 1, 20 * len(rows)))
    curve = cut_curve(tables[0], many)
    assert len(curve) == 400
    assert curve["genes"].iloc[-1] == len(many)


def test_no_probabilities_no_calibration(tables):
    assert calibration("x", tables[1][tables[1]["predictor"] == "augustus"]) is None
    assert calibration("x", tables[1].iloc[:0]) is None
    assert exon_confusion("x", tables[0].iloc[:0]) is None


def test_exon_counts_of_all_loci_are_in_the_heat_map(tables):
    drawing = exon_confusion("x", tables[0])
    loci = tables[0][tables[0]["predictor"] == "phytoscribe"]
    assert drawing.data["loci"].sum() == len(loci)
    missed = drawing.data.loc[drawing.data["predicted_cds_exons"] == "none", "loci"].sum()
    assert missed == loci["predicted_cds_exons"].isna().sum() > 0


def gene(name, *chains, strand="+"):
    return GeneModel(
        name, CONTIG, strand, tuple(Transcript(f"{name}.{n}", chain, chain) for n, chain in enumerate(chains))
    )


def table(*rows):
    return pd.DataFrame(rows, columns=["locus", "class"])


def test_wrong_bases_are_those_of_the_closest_isoform_and_those_of_no_transcript(tmp_path):
    locus = gene("a", ((100, 200), (300, 400)), ((100, 200), (300, 500)))
    beside = gene("b", ((600, 700),))
    guess = gene("p", ((100, 190), (300, 400), (600, 720)))
    other = gene("q", ((100, 400),), strand="-")
    worst = worst_loci(table(("a", "merged"), ("b", "right")), [locus, beside], [guess, other])
    assert [(found.gene.id, found.wrong_bases, found.reads) for found in worst] == [("a", 10 + 20, 0)]


def test_a_locus_with_reads_comes_first(tmp_path):
    silent, expressed = gene("silent", ((100, 220),)), gene("expressed", ((1000, 1100),))
    loci = table(("silent", "missed"), ("expressed", "missed"))
    both = [silent, expressed]
    assert [found.gene.id for found in worst_loci(loci, both, [])] == ["silent", "expressed"]
    with AlignedReads(write_bam(tmp_path / "r.bam", [expressed], copies=9), ReadLimits()) as reads:
        found = worst_loci(loci, both, [], reads)
        antisense = worst_loci(table(("x", "missed")), [gene("x", ((1000, 1100),), strand="-")], [], reads)
    assert [(locus.gene.id, locus.reads, locus.weight) for locus in found] == [
        ("expressed", 9, 200.0), ("silent", 0, 120.0),
    ]  # fmt: skip
    assert antisense[0].reads == 0


def test_reads_that_are_no_evidence_move_no_locus(tmp_path):
    expressed = gene("expressed", ((1000, 1100),))
    bam = write_bam(tmp_path / "r.bam", [expressed], copies=9)
    with AlignedReads(bam, ReadLimits(mapping_quality=61)) as reads:
        assert worst_loci(table(("expressed", "missed")), [expressed], [], reads)[0].reads == 0


def test_reads_without_an_index_are_named(tmp_path):
    (tmp_path / "r.bam").write_bytes(b"nothing")
    with pytest.raises(PhytoScribeError, match=r"r\.bam: cannot be read as indexed BAM"):
        AlignedReads(tmp_path / "r.bam", ReadLimits())


blocks = st.lists(st.tuples(st.integers(0, 900), st.integers(1, 300)), max_size=5).map(
    lambda pairs: [(start, start + length) for start, length in pairs]
)


@given(st.lists(blocks, max_size=6), st.integers(0, 400), st.integers(1, 900))
def test_coverage_shows_the_highest_base_of_each_step(reads, start, length):
    edges, depth = coverage(reads, start, start + length)
    assert edges[0] == start
    assert edges[-1] == start + length
    assert len(depth) == len(edges) - 1 <= 300
    for left, right, value in zip(edges, edges[1:], depth):
        assert value == max(
            sum(block[0] <= base < block[1] for read in reads for block in read) for base in range(left, right)
        )
