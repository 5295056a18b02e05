"""Mutated training windows hold the same genes."""

from __future__ import annotations

import numpy as np
import pytest
from small_training_set import contig_of, genes_of, small_set

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.annotation.sequences import protein_of, splice
from phytoscribe.genome.sequence import N_CODE, reverse_complement
from phytoscribe.labels.states import State
from phytoscribe.tokenizer.segments import Segmenter
from phytoscribe.tokenizer.training import build_kmer_tokenizer
from phytoscribe.training.data.training_set import COUNTED, TrainingSet
from phytoscribe.training.loop.sampling import BothStrands, WindowOrder
from phytoscribe.training.tasks.structure.mutation import fixed_intervals, mutate
from phytoscribe.training.tasks.structure.windows import StructureDataset

CONTIG = "Chr4"


@pytest.fixture(scope="module")
def arrays(arabidopsis_fasta, tmp_path_factory) -> TrainingSet:
    contig = contig_of(arabidopsis_fasta, CONTIG)
    return small_set(tmp_path_factory.mktemp("sets") / "set", [contig])


@pytest.fixture(scope="module")
def mutated(arrays) -> tuple[np.ndarray, np.ndarray]:
    """The contig before, and after all that may change has been drawn."""
    settled = np.asarray(arrays.weights) == COUNTED
    for positions in arrays.soft_positions:
        settled[positions] = False
    bases = np.asarray(arrays.bases)
    generator = np.random.default_rng(1)
    return bases, mutate(bases, np.asarray(arrays.labels), np.asarray(arrays.sites), settled, 1.0, generator)


def test_every_protein_and_every_splice_site_stays(arrays, mutated):
    before, after = mutated
    transcripts = [t for gene in genes_of(CONTIG) for t in gene.coding_transcripts]
    assert len(transcripts) > 80
    for transcript in transcripts:
        assert protein_of(transcript, after) == protein_of(transcript, before)
        for left, right in transcript.introns:
            for end in ((left, left + 2), (right - 2, right)):
                assert splice([end], "+", after) == splice([end], "+", before)


def test_both_kinds_of_base_change(arrays, mutated):
    before, after = mutated
    changed = before != after
    plus, minus = np.asarray(arrays.labels)
    intergenic = (plus == State.INTERGENIC) & (minus == State.INTERGENIC) & (before != N_CODE)
    assert changed[intergenic].mean() > 0.95
    third = (plus == State.CODING2) & (minus == State.INTERGENIC)
    # Two thirds of all codons have a synonym that differs in the third base alone; ends of exons keep theirs.
    assert 0.6 < changed[third].mean() < 1.0
    assert not changed[(plus == State.CODING0) | (plus == State.CODING1)].any()
    assert not changed[(minus == State.CODING0) | (minus == State.CODING1)].any()
    assert not changed[before == N_CODE].any()


def test_the_other_strand_mutates_alike(mutated, arrays):
    """The mutation of the reverse complement is that of the strand read here, base for base."""
    before, _ = mutated
    labels, sites = np.asarray(arrays.labels), np.asarray(arrays.sites)
    settled = np.ones(before.size, dtype=bool)
    turned = mutate(
        reverse_complement(before), labels[::-1, ::-1], sites[::-1, ::-1], settled, 1.0, np.random.default_rng(2)
    )
    there = mutate(before, labels, sites, settled, 1.0, np.random.default_rng(3))
    assert np.array_equal(reverse_complement(turned) != before, there != before)


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory) -> Segmenter:
    folder = tmp_path_factory.mktemp("tokenizer")
    build_kmer_tokenizer(3, ["athaliana"], ["Brassicales"]).save_pretrained(folder)
    return Segmenter(folder)


def test_the_strands_of_a_window_and_a_second_look_agree(arrays, segmenter):
    order = BothStrands(WindowOrder(arrays.contigs, 4096, seed=3))
    dataset = StructureDataset(arrays, segmenter, order, 0.0, 3, mutation_rate=0.3)
    plain = StructureDataset(arrays, segmenter, order, 0.0, 3)
    shares = []
    for index in range(0, 40, 2):
        plus, minus, again = dataset[index], dataset[index + 1], dataset[index]
        assert np.array_equal(plus.tokens.bases, reverse_complement(minus.tokens.bases))
        assert np.array_equal(plus.tokens.bases, again.tokens.bases)
        assert np.array_equal(plus.targets, plain[index].targets)
        shares.append((plus.tokens.bases != plain[index].tokens.bases).mean())
    # Windows draw their own rates, up to 0.3 of what may change.
    assert 0.02 < np.mean(shares) < 0.2
    assert max(shares) > 2 * min(shares)


def test_other_isoforms_are_left_alone():
    """Labels follow the longest CDS; what others code beside it must stay, and so must all ends of segments."""
    longest = Transcript("a.1", ((100, 400), (500, 900)), ((100, 400), (500, 900)))
    other = Transcript("a.2", ((100, 400), (450, 470)), ((100, 400), (450, 470)))
    gene = GeneModel("a", "c", "+", (longest, other))
    assert gene.representative.id == longest.id
    assert fixed_intervals([gene]) == [(97, 103), (397, 403), (447, 473), (497, 503), (897, 903)]
