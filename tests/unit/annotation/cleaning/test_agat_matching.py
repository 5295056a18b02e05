"""Two readings of one annotation compared gene by gene."""

from dataclasses import replace

import pytest
from agat_matching import Fate, differences, match_genes

from phytoscribe.annotation.model import GeneModel, Transcript

EXONS = ((0, 100), (200, 300))
CDS = ((50, 100), (200, 250))


def transcript(name, exons=EXONS, cds=CDS, **more):
    return Transcript(id=name, exons=exons, cds=cds, **more)


def gene(name, *transcripts, contig="c", strand="+", **more):
    return GeneModel(
        id=name, contig=contig, strand=strand, transcripts=transcripts or (transcript(f"{name}.1"),), **more
    )


def fates(before, after):
    return {
        part.before.transcript.id: (str(part.fate), part.after and part.after.transcript.id)
        for match in match_genes(before, after).genes
        for part in match.transcripts
    }


def test_equal_readings_do_not_differ_whatever_their_names_and_order(arabidopsis_genes):
    genes = arabidopsis_genes[:200]
    renamed = [
        replace(one, id=f"x{one.id}", transcripts=tuple(replace(t, id=f"y{t.id}") for t in reversed(one.transcripts)))
        for one in reversed(genes)
    ]
    assert differences(genes, renamed) == []


def test_names_decide_between_models_of_one_place():
    before = [gene("a", transcript("t1")), gene("b", transcript("t2"))]
    after = [gene("b", transcript("t2")), gene("a", transcript("t1"))]
    assert fates(before, after) == {"t1": ("same", "t1"), "t2": ("same", "t2")}
    assert differences(before, after) == []


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([], ["g: only in the first"]),
        ([gene("g", contig="d")], ["g: only in the first", "g: only in the second"]),
        ([gene("g", strand="-")], ["g: only in the first", "g: only in the second"]),
        ([gene("g", transcript("g.1", EXONS, ((50, 100), (200, 249))))], ["g.1: changed"]),
        ([gene("g", transcript("g.1", ((0, 100), (200, 301))))], ["g.1: changed"]),
        ([gene("x", transcript("y", ((10, 100), (200, 300))))], ["g.1: changed"]),  # by its CDS
        ([gene("g", transcript("g.1", ((400, 500),), ()))], ["g: only in the first", "g: only in the second"]),
        ([gene("g", transcript("g.1"), transcript("g.2"))], ["g: the second has more transcripts"]),
        ([gene("g"), gene("h")], ["h: only in the second"]),
        ([gene("g", transcript("g.1", start_phase=1))], ["g.1: first CDS segment in phase 0 or 1"]),
        ([gene("g", transcript("g.1", type="transcript"))], []),
        ([gene("g", biotype="non_coding")], []),
    ],
)
def test_one_gene(after, expected):
    assert differences([gene("g")], after) == expected


def test_types_count_where_both_name_one():
    before = [gene("g", transcript("t", cds=(), type="tRNA"), biotype="tRNA")]
    after = [gene("g", transcript("t", cds=(), type="rRNA"), biotype="rRNA")]
    assert differences(before, after) == ["t: tRNA or rRNA", "g: tRNA or rRNA"]


def test_a_repeated_isoform_may_be_merged_but_a_different_one_is_lost():
    other = transcript("t3", ((0, 100), (200, 280), (290, 300)))
    before = [gene("g", transcript("t1"), transcript("t2"), other)]
    after = [gene("g", transcript("t1"))]
    assert fates(before, after) == {"t1": ("same", "t1"), "t2": ("merged", "t1"), "t3": ("lost", None)}


def test_each_counterpart_is_given_away_once_and_to_its_namesake():
    """A lost isoform does not take the place of another that was only changed."""
    stretched = ((0, 100), (200, 400))
    before = [gene("g", transcript("t1"), transcript("t2", ((0, 100), (200, 290))))]
    after = [gene("g", transcript("t2", stretched))]
    assert fates(before, after) == {"t1": ("lost", None), "t2": ("changed", "t2")}


def test_joined_and_divided_genes():
    one, two = transcript("t1"), transcript("t2", ((400, 500),), ())
    apart, together = [gene("a", one), gene("b", two)], [gene("a", one, two)]
    assert differences(apart, together) == ["a: joined to another gene as a", "b: joined to another gene as a"]
    assert differences(together, apart) == ["a: divided into a, b"]
    assert all(match.shares_home for match in match_genes(apart, together).genes)


def test_every_transcript_has_one_fate(arabidopsis_genes):
    before, after = arabidopsis_genes[:100], arabidopsis_genes[50:150]
    matching = match_genes(before, after)
    parts = [part for match in matching.genes for part in match.transcripts]
    assert len(parts) == sum(len(one.transcripts) for one in before)
    kept = sum(part.fate is Fate.SAME for part in parts)
    assert kept == sum(len(one.transcripts) for one in arabidopsis_genes[50:100])
    assert {one.id for one in matching.made} == {one.id for one in arabidopsis_genes[100:150]}
