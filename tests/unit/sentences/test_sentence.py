"""A gene is its sentence, whatever its strand and the order of its transcripts; what is no gene is refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from gene_sentences_of import genes_with_sequence
from hypothesis import given, settings
from hypothesis import strategies as st

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.decoding.isoform_edits import Direction
from phytoscribe.errors import ModelError
from phytoscribe.genome import Genome, encode
from phytoscribe.genome.sequence import reverse_complement
from phytoscribe.sentences.gene_sentences import coding_alternatives, model_of, sentence_of_model, sharing_ends
from phytoscribe.sentences.sentence import gene_of, tokens_of
from phytoscribe.sentences.shapes import GeneSentence, WrittenIsoform
from phytoscribe.sentences.tokens import (
    CDS,
    EXON,
    FIXED,
    SEP,
    STRANDS,
    TRANSCRIPT,
    Reason,
    SentenceError,
    Site,
    SiteKind,
    Vocabulary,
    gene_type_of,
    gene_type_token,
)


def chains(gene):
    return {(transcript.exons, transcript.cds) for transcript in gene.transcripts}


@settings(deadline=None)
@given(genes_with_sequence(), st.randoms(use_true_random=False))
def test_generated_genes_come_back(case, random):
    gene, direction, codes = case
    sentence = sentence_of_model(gene, direction, codes)
    tokens = tokens_of(sentence, codes)
    back = gene_of(tokens, codes)
    assert tokens_of(back, codes) == tokens
    assert chains(model_of(back, direction, "g", "c")) == chains(gene)
    assert back.isoforms[0] == sentence.isoforms[0]
    shuffled = replace(gene, transcripts=tuple(random.sample(gene.transcripts, len(gene.transcripts))))
    assert tokens_of(sentence_of_model(shuffled, direction, codes), codes) == tokens
    # On the other strand the same but for the word of the strand, and turned twice the same.
    size = direction.end + 7
    other = gene.reverse_complement(size)
    turned = Direction(other.strand, size - direction.end, size - direction.start)
    words = tokens_of(sentence_of_model(other, turned, codes), codes)
    assert words == [STRANDS[other.strand] if token == STRANDS[gene.strand] else token for token in tokens]
    assert other.reverse_complement(size) == gene


@settings(deadline=None)
@given(genes_with_sequence(), st.data())
def test_a_changed_sentence_is_refused_or_means_something_else(case, data):
    """Never another error, and what is read means exactly what is written anew."""
    gene, direction, codes = case
    tokens = tokens_of(sentence_of_model(gene, direction, codes), codes)
    at = data.draw(st.integers(0, len(tokens) - 1))
    sites = st.builds(Site, st.sampled_from(SiteKind), st.integers(-5, codes.size + 5))
    word = data.draw(st.one_of(st.sampled_from(FIXED), sites, st.just("[UNK]")))
    changed = [*tokens[:at], *([word] if data.draw(st.booleans()) else []), *tokens[at + 1 :]]
    try:
        back = gene_of(changed, codes)
    except SentenceError:
        return
    again = tokens_of(back, codes)
    assert sorted(map(str, again)) == sorted(map(str, changed)), "no word without a meaning"
    assert set(gene_of(again, codes).isoforms) == set(back.isoforms)


def test_annotated_genes_come_back(arabidopsis_fasta, arabidopsis_genes):
    """All of the example, with fewer words where ends are shared, and the same coding sequences."""
    words, fewer, isoforms, refused = 0, 0, 0, Counter()
    with Genome(arabidopsis_fasta) as genome:
        for gene in arabidopsis_genes:
            start, end = max(0, gene.start - 50), min(genome.contigs[gene.contig], gene.end + 50)
            codes = genome.bases(gene.contig, start, end)
            direction = Direction(gene.strand, start, end)
            codes = codes if gene.strand == "+" else reverse_complement(codes)
            sentence = sentence_of_model(gene, direction, codes)
            try:
                tokens = tokens_of(sentence, codes)
            except SentenceError as error:
                refused[error.reason] += 1
                continue
            back = gene_of(tokens, codes)
            assert chains(model_of(back, direction, gene.id, gene.contig)) == chains(gene)
            assert tokens_of(back, codes) == tokens
            shared = sharing_ends(sentence, codes)
            assert {i.cds for i in shared.isoforms} == {i.cds for i in sentence.isoforms}
            coding = coding_alternatives(shared, codes)
            assert sorted(i.cds for i in coding.isoforms) == sorted({i.cds for i in sentence.isoforms})
            words, fewer = words + len(tokens), fewer + len(tokens_of(shared, codes))
            isoforms += len(sentence.isoforms)
    assert refused == {Reason.TOO_MANY_ISOFORMS: 1, Reason.TOO_MANY_TOKENS: 1}
    assert isoforms > len(arabidopsis_genes) > 1500
    assert fewer < 0.97 * words


CODES = encode("CCATGGCCGTAAGCATGAGCCTAGCCATAACC")
GENE = GeneSentence("protein_coding", "+", (WrittenIsoform(((0, 7), (20, 32)), ()),))


def reason_of(call, *arguments) -> Reason:
    with pytest.raises(SentenceError) as caught:
        call(*arguments)
    assert len(str(caught.value)) > 20
    return caught.value.reason


def model(*exon_chains, biotype="protein_coding", cds=()):
    return GeneModel("g", "c", "+", tuple(Transcript(f"t{k}", e, cds) for k, e in enumerate(exon_chains)), biotype)


@pytest.mark.parametrize(
    ("gene", "reason"),
    [
        (model(()), Reason.NO_EXON),
        (model(((0, 8), (8, 20))), Reason.OVERLAPPING_EXONS),
        (model(((0, 99),)), Reason.UNKNOWN_SITE),
        (GeneModel("g", "c", "?", (Transcript("t", ((0, 9),)),)), Reason.NO_STRAND),
        (model(((0, 30),), cds=((3, 12),)), Reason.CDS_NO_OPEN_FRAME),
        (model(((0, 30),), cds=((2, 11),), biotype="tRNA"), Reason.CDS_IN_RNA_GENE),
        (model(((0, 5), (9, 12), (20, 25)), biotype="tRNA"), Reason.TYPE_HAS_NO_INTRONS),
        (model(((0, 5), (9, 12)), biotype="rRNA"), Reason.TYPE_HAS_NO_INTRONS),
        (model(((0, 5),), ((0, 7),), biotype="mobile_element"), Reason.TYPE_HAS_NO_ISOFORMS),
        (model(*(((0, 5), (10 + k, 30)) for k in range(17)), biotype="lncRNA"), Reason.TOO_MANY_ISOFORMS),
    ],
)
def test_genes_without_a_sentence_have_a_reason(gene, reason):
    direction = Direction("+", 0, CODES.size)
    assert reason_of(lambda: tokens_of(sentence_of_model(gene, direction, CODES), CODES)) == reason


def test_nothing_is_cut_from_large_genes():
    """200 isoforms, 200 introns, and a locus of 200 kb, which is no harder than any other."""
    codes = encode("A" * 100_000 + "C" * 100_000)
    direction = Direction("+", 0, codes.size)
    many = model(*(((0, 5), (100 + k, 300)) for k in range(200)), biotype="lncRNA")
    assert reason_of(lambda: tokens_of(sentence_of_model(many, direction, codes), codes)) == Reason.TOO_MANY_ISOFORMS
    introns = model(tuple((10 * k, 10 * k + 5) for k in range(201)), biotype="lncRNA")
    assert reason_of(lambda: tokens_of(sentence_of_model(introns, direction, codes), codes)) == Reason.TOO_MANY_TOKENS
    long = model(((0, 50), (199_000, 200_000)), ((70, 90_000),), biotype="lncRNA")
    tokens = tokens_of(sentence_of_model(long, direction, codes), codes)
    assert chains(model_of(gene_of(tokens, codes), direction, "g", "c")) == chains(long)


def alternative(*words):
    return [*tokens_of(GENE, CODES)[:-1], TRANSCRIPT, *words, "[EOS]"]


D, A, T, P, S = (lambda cut, kind=kind: Site(SiteKind(kind), cut) for kind in "DATPS")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), Reason.NOT_THE_GRAMMAR),
        ((EXON, D(8)), Reason.UNKNOWN_SITE),  # no donor of the primary
        ((EXON, D(7), D(7), A(20)), Reason.NOT_THE_GRAMMAR),  # taken away and put back
        ((D(9), A(12)), Reason.UNKNOWN_SITE),  # in an intron
        ((D(22), A(22)), Reason.UNKNOWN_SITE),
        ((D(24), A(26), D(22), A(23)), Reason.UNKNOWN_SITE),  # not ascending
        ((D(5),), Reason.NOT_THE_GRAMMAR),
        ((T(0), P(32)), Reason.NOT_THE_GRAMMAR),  # the primary's own
        ((T(3), P(33)), Reason.UNKNOWN_SITE),
        ((CDS, S(3)), Reason.CDS_NO_OPEN_FRAME),
        ((D(24), A(27), CDS, S(2)), Reason.NOT_THE_GRAMMAR),  # that is its CDS anyway
        ((CDS, SEP), Reason.SAME_ISOFORM_TWICE),
        ((D(22), A(25), TRANSCRIPT, D(22), A(25)), Reason.SAME_ISOFORM_TWICE),
    ],
)
def test_what_the_grammar_forbids_is_refused(words, reason):
    assert reason_of(gene_of, alternative(*words), CODES) == reason


def test_a_vocabulary_grows_from_data_and_comes_back(tmp_path):
    first = Vocabulary()
    grown, new = first.extended(["antisense_lncRNA", "tRNA", "a b/<c>", "antisense_lncRNA"])
    assert new == ["a b/<c>", "antisense_lncRNA"]
    assert grown.tokens[: len(first)] == first.tokens
    assert len(grown) == len(first) + 2
    grown.save(tmp_path / "words.json")
    assert Vocabulary.load(tmp_path / "words.json") == grown
    assert [grown.id(token) for token in grown.tokens] == list(range(len(grown)))
    for name in new:
        assert gene_type_of(gene_type_token(name)) == name
        assert not set(gene_type_token(name)[1:-1]) & set(" <>")
    assert reason_of(first.id, gene_type_token(new[0])) == Reason.UNKNOWN_TYPE
    assert reason_of(first.id, "[UNK]") == Reason.UNKNOWN_TOKEN
    for text in ("", "{}", '{"fixed": ["a"], "gene_types": []}'):
        (tmp_path / "words.json").write_text(text)
        with pytest.raises(ModelError, match=r"words\.json: .*train the generator again"):
            Vocabulary.load(tmp_path / "words.json")
