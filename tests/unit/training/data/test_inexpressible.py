"""What labels say, the decoder reads back; and each gene of which that is not so has a reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.decoding.contigs import decode_contig
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.genome import Genome
from phytoscribe.genome.sequence import encode, reverse_complement
from phytoscribe.labels.encode import label_contig
from phytoscribe.labels.states import NON_CODING_LABEL, STATE_COUNT, State
from phytoscribe.training.data.genomes import inexpressible_genes

SETTINGS = DecoderSettings()
SENSE = [a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT" if a + b + c not in ("TAA", "TAG", "TGA")]


def made_gene(letters, name: str, codons: int, cuts: list[int], introns: list[str], utrs: tuple[int, int]):
    """A gene on the plus strand from position 0, and its sequence.

    Args:
        letters: numpy generator.
        cuts: bases of the CDS before each intron.
        utrs: lengths of both untranslated regions, each in the exon of the CDS beside it.
    """
    coding = "ATG" + "".join(letters.choice(SENSE, codons)) + "TAA"
    text = "".join(letters.choice(list("ACGT"), utrs[0]))
    cds, position = [], utrs[0]
    for start, end, intron in zip([0, *cuts], [*cuts, len(coding)], [*introns, ""], strict=True):
        cds.append((position, position + end - start))
        text += coding[start:end] + intron
        position = len(text)
    text += "".join(letters.choice(list("ACGT"), utrs[1]))
    exons = [list(segment) for segment in cds]
    exons[0][0], exons[-1][1] = 0, len(text)
    return GeneModel(name, "c", "+", (Transcript(f"{name}.1", tuple(map(tuple, exons)), tuple(cds)),)), text


@st.composite
def contigs(draw):
    """Sequence with genes of both strands that the grammar allows, apart from each other: genes and base codes."""
    letters = np.random.default_rng(draw(st.integers(0, 10_000)))
    genes, bases = [], []
    position = 0
    for number in range(draw(st.integers(1, 4))):
        codons = draw(st.integers(28, 80))
        places = draw(st.lists(st.integers(1, codons // 2), max_size=3, unique=True))
        cuts = sorted(6 * place + draw(st.integers(0, 2)) for place in places)
        introns = [
            draw(st.sampled_from(["GT", "GC"]))
            + "".join(letters.choice(list("ACGT"), draw(st.integers(36, 120))))
            + "AG"
            for _ in cuts
        ]
        utrs = draw(st.tuples(st.integers(0, 60), st.integers(0, 60)))
        gene, text = made_gene(letters, str(number), codons, cuts, introns, utrs)
        codes = encode(text)
        if draw(st.booleans()):
            gene, codes = gene.reverse_complement(len(text)), reverse_complement(codes)
        # More than an untranslated region: two neighbours share what lies between their CDS.
        between = letters.integers(0, 4, draw(st.integers(70, 200))).astype(np.uint8)
        genes.append(gene.shifted(position + between.size))
        bases += [between, codes]
        position += between.size + codes.size
    return genes, np.concatenate([*bases, letters.integers(0, 4, 50).astype(np.uint8)])


def decoded(genes, bases):
    tables = []
    for strand in "+-":
        labels = label_contig(genes, strand, bases.size)
        states = np.where(labels.states == NON_CODING_LABEL, State.UTR3_EXON, labels.states)
        table = np.full((bases.size, STATE_COUNT), np.log(1e-9), dtype=np.float32)
        table[np.arange(bases.size), states] = 0
        tables.append(table)
    return decode_contig("c", bases, *tables, SETTINGS)


@settings(max_examples=60, deadline=None)
@given(contigs())
def test_what_labels_say_the_decoder_reads_back(made):
    genes, bases = made
    assert inexpressible_genes(genes, bases, SETTINGS) == []
    found = decoded(genes, bases)
    assert [(g.strand, [(t.exons, t.cds) for t in g.transcripts]) for g in found] == [
        (g.strand, [(t.exons, t.cds) for t in g.transcripts]) for g in genes
    ]


def reason_of(cuts=(), introns=(), codons=40, genes=None, change=None):
    gene, text = made_gene(np.random.default_rng(1), "g", codons, list(cuts), list(introns), (0, 0))
    if change:
        text = text[: change[0]] + change[1] + text[change[0] + len(change[1]) :]
    found = inexpressible_genes([gene, *(genes or [])], encode(text + "A" * 50), SETTINGS)
    return {member.id: reason for member, reason in found}


def test_each_limit_of_the_grammar_has_its_reason():
    assert reason_of([60], ["GT" + "T" * 36 + "AG"]) == {}
    assert reason_of([60], ["GT" + "T" * 35 + "AG"]) == {"g": "intron_too_short"}
    assert reason_of(codons=27) == {"g": "cds_too_short"}
    assert reason_of([60], ["AT" + "T" * 40 + "AC"]) == {"g": "at_ac_splice_site"}
    assert reason_of([60], ["GA" + "T" * 40 + "AG"]) == {"g": "codons_splice_sites_or_segments"}
    assert reason_of([2], ["GT" + "T" * 40 + "AG"]) == {"g": "codons_splice_sites_or_segments"}, "a split start codon"
    assert reason_of(change=(30, "TAG")) == {"g": "codons_splice_sites_or_segments"}
    assert reason_of([60], ["AT" + "T" * 10 + "AC"], 20) == {"g": "at_ac_splice_site"}, "the last of three limits"


@pytest.mark.parametrize(("strand", "reason"), [("+", "same"), ("-", "other")])
def test_genes_over_one_another_are_named_with_the_strand(strand, reason):
    intron = "GT" + "T" * 60 + "ATGGCCGCC" * 12 + "TAA" + "T" * 60 + "AG"
    gene, text = made_gene(np.random.default_rng(1), "g", 40, [60], [intron], (0, 0))
    start = text.index("ATGGCCGCC" * 12)
    nested = GeneModel("n", "c", "+", (Transcript("n.1", ((start, start + 111),), ((start, start + 111),)),))
    if strand == "-":
        text = text[:start] + "TTA" + "GGCGGCCAT" * 12 + text[start + 111 :]
        nested = replace(nested, strand="-", transcripts=tuple(replace(t, strand="-") for t in nested.transcripts))
    found = inexpressible_genes([gene, nested], encode(text), SETTINGS)
    assert [(member.id, why) for member, why in found] == [
        (name, f"overlaps_gene_of_{reason}_strand") for name in ("g", "n")
    ]


def test_one_isoform_that_can_be_decoded_is_enough():
    gene, text = made_gene(np.random.default_rng(1), "g", 40, [60], ["GT" + "T" * 35 + "AG"], (0, 0))
    whole = Transcript("g.2", ((0, len(text)),), (), contig="c", strand="+")
    assert inexpressible_genes([replace(gene, transcripts=(whole,))], encode(text), SETTINGS) == [], "codes for nothing"
    longer, other = made_gene(np.random.default_rng(1), "g", 40, [60], ["GT" + "T" * 36 + "AG"], (0, 0))
    both = replace(longer, transcripts=(*gene.transcripts, *longer.transcripts))
    assert inexpressible_genes([both], encode(other), SETTINGS) == []


def test_real_genes_come_back_but_those_with_a_reason(arabidopsis_fasta, arabidopsis_genes):
    contig = "Chr3_1065466_1464870"
    genes = [gene for gene in arabidopsis_genes if gene.contig == contig]
    with Genome(arabidopsis_fasta) as genome:
        bases = genome.bases(contig)
    lost = {gene.id for gene, _ in inexpressible_genes(genes, bases, SETTINGS)}
    found = {(gene.strand, gene.transcripts[0].cds) for gene in decoded(genes, bases)}
    missed = {gene.id for gene in genes if (gene.strand, gene.representative.cds) not in found}
    assert len(genes) > 100
    assert len(found) >= len(genes) - len(lost)
    assert 0 < len(missed) <= len(lost)
    assert missed <= lost
