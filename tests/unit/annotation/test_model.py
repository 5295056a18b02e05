"""Gene models know where their transcripts lie."""

import pickle

import pytest

from phytoscribe.annotation.model import GeneModel, Transcript

EXONS = ((10, 20), (40, 60))


def test_a_gene_gives_its_transcripts_contig_and_strand():
    gene = GeneModel("g", "c", "-", (Transcript("t", EXONS, ((15, 20), (40, 56))),))
    (transcript,) = gene.transcripts
    assert (transcript.contig, transcript.strand) == ("c", "-")
    assert transcript.cds_phases() == (2, 0)
    assert transcript.utrs() == (((56, 60),), ((10, 15),))
    moved = gene.reverse_complement(100).shifted(5, "d").transcripts[0]
    assert (moved.contig, moved.strand, moved.exons[0]) == ("d", "+", (45, 65))
    assert pickle.loads(pickle.dumps(gene)) == gene


@pytest.mark.parametrize("place", [{"contig": "d"}, {"strand": "-"}])
def test_a_transcript_from_elsewhere_is_refused(place):
    with pytest.raises(ValueError, match=r"transcript t lies on .*its gene g on c [+]"):
        GeneModel("g", "c", "+", (Transcript("t", EXONS, **place),))


def test_a_transcript_without_strand_has_no_reading_direction():
    with pytest.raises(ValueError, match="transcript t: its strand is ''"):
        Transcript("t", EXONS, EXONS).cds_phases()


def test_the_representative_has_the_longest_cds_then_most_exonic_bases_then_stands_first():
    short = Transcript("a", ((0, 90),), ((0, 30),))
    narrow = Transcript("d", ((0, 60),), ((0, 60),))
    wide, other = Transcript("c", ((0, 70),), ((0, 60),)), Transcript("b", ((0, 70),), ((9, 69),))
    for strand in "+-":
        assert GeneModel("g", "c", strand, (short, narrow, wide, other)).representative.id == "c"
    assert GeneModel("g", "c", "+", (Transcript("n", EXONS),)).representative is None
