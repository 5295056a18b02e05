"""No gene or transcript goes without a row: on annotations as people hand them in, whole and with lines missing."""

import random
import re
from pathlib import Path

import pytest
from field_annotations import CONTIGS, Gene, field_annotation, overlap

from phytoscribe.annotation import GeneModel
from phytoscribe.annotation.cleaning.normalise import normalise
from phytoscribe.annotation.cleaning.repairs import (
    LOSSES,
    Balance,
    RepairKind,
    RepairReport,
    read_place,
    read_repairs,
    write_repairs,
)
from phytoscribe.errors import GffError

DATA = Path(__file__).parents[3] / "data"
FILES = sorted(
    path
    for folder in ("field_cases", "agat_cases", "agat_cases/dialects", "dialects")
    for path in (DATA / folder).glob("*.g[tf]f*")
    if ".agat." not in path.name and path.name not in ("latin1.gff3", "11_broken_columns.in.gff3")
)


def clean(path: Path, lines: list[str]) -> tuple[list[GeneModel], RepairReport]:
    path.write_text("\n".join(lines) + "\n")
    return normalise(path, CONTIGS)


def found(genes: list[GeneModel]) -> list:
    def closed(segments):
        return tuple((start + 1, end) for start, end in segments)

    return sorted(
        ((g.contig, g.strand, frozenset((closed(t.exons), closed(t.cds)) for t in g.transcripts)) for g in genes),
        key=repr,
    )


def lines_of(genes: list[Gene]) -> list[str]:
    return [line for gene in genes for line in gene.lines]


def test_generated_annotations_come_back_whole(tmp_path):
    for seed in range(500):
        written = field_annotation(seed)
        genes, report = clean(tmp_path / "a.gff3", lines_of(written))
        assert found(genes) == sorted((gene.model for gene in written), key=repr), f"seed {seed}"
        assert [row for row in report.rows if row.kind in LOSSES] == [], f"seed {seed}"
        assert report.genes.out == len(genes)


def test_what_is_lost_of_damaged_annotations_is_listed(tmp_path):
    for seed in range(500):
        chance = random.Random(seed)
        lines = [line for line in lines_of(field_annotation(seed)) if chance.random() < 0.8]
        chance.shuffle(lines)
        genes, report = clean(tmp_path / "a.gff3", lines)
        lost = [read_place(row.place) for row in report.rows if row.kind in LOSSES]
        for line in lines:
            contig, _, kind, start, end, _, strand, *_ = line.split("\t")
            place = int(start), int(end)
            if kind == "CDS" and not any(
                (contig, strand) == (c, s) and overlap(place, (a + 1, b)) for c, a, b, s in lost
            ):
                assert any((gene.contig, gene.strand) == (contig, strand) and covers(gene, place) for gene in genes), (
                    f"seed {seed}: {line}"
                )


def covers(gene: GeneModel, place: tuple[int, int]) -> bool:
    return any(start < place[0] and place[1] <= end for t in gene.transcripts for start, end in t.cds)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_gene_and_transcript_of_a_file_is_in_the_result_or_in_the_table(path):
    contigs = {line.split("\t")[0]: 40_000_000 for line in path.read_text().splitlines() if line.count("\t") == 8}
    genes, report = normalise(path, contigs)
    known = {gene.id for gene in genes} | {t.id for gene in genes for t in gene.transcripts}
    known |= {row.id for row in report.rows}
    for line in path.read_text().splitlines():
        columns = line.split("\t")
        if len(columns) == 9 and columns[0][:1] != "#" and re.search("gene$|RNA$|transcript$", columns[2]):
            named = re.search(r"ID=([^;\"]+)", columns[8]) or re.search(r'transcript_id "([^"]+)"', columns[8])
            named = named or re.search(r'gene_id "([^"]+)"', columns[8]) or re.match(r"()", columns[8])
            assert named[1] in known | {""}, line
    for balance, out in ((report.genes, len(genes)), (report.transcripts, sum(len(g.transcripts) for g in genes))):
        assert balance.lines + sum(balance.changes.values()) == balance.out == out
        # Each change that counts has its rows.
        assert all(report.counts[kind] >= 1 for kind in balance.changes)


def test_an_account_that_does_not_add_up_stops_the_run():
    report = RepairReport(genes=Balance(lines=3))
    report.add(RepairKind.GENE_MADE, "g", genes=1)
    report.close("a.gff3", 4, 0)
    with pytest.raises(GffError, match=r"a\.gff3: the account of its genes .*3 lines \+ 1 gene_made = 3"):
        report.close("a.gff3", 3, 0)
    with pytest.raises(GffError, match="transcripts"):
        report.close("a.gff3", 4, 1)


def test_the_account_is_the_end_of_the_table(tmp_path):
    _, report = normalise(DATA / "field_cases/genbank_gene_in_pieces.gff3", {"Chr1": 3_000_000})
    with (tmp_path / "repairs.tsv").open("w") as handle:
        write_repairs(handle, [*report.rows, *report.account()])
    *_, genes, transcripts = read_repairs(tmp_path / "repairs.tsv")
    assert (genes.kind, genes.detail) == (RepairKind.ACCOUNT_OF_GENES, "3 lines - 2 lines_of_one_feature_joined = 1")
    assert (transcripts.kind, transcripts.detail) == (RepairKind.ACCOUNT_OF_TRANSCRIPTS, genes.detail)
