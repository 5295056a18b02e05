"""Average precision against its definition, and the bases that count as annotated sites."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.evaluation.accuracy.splice_sites import ACCEPTOR, DONOR, annotated_sites, score_candidates, score_sites
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.sequence import reverse_complement


def brute_force(scores, positive):
    """Average precision and best F1, threshold by threshold."""
    average, best, before = 0.0, 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        taken = [hit for score, hit in zip(scores, positive) if score >= threshold]
        precision, recall = sum(taken) / len(taken), sum(taken) / sum(positive)
        average += precision * (recall - before)
        best = max(best, 2 * precision * recall / (precision + recall) if sum(taken) else 0.0)
        before = recall
    return average, best


#: Few distinct scores, so that ties are common.
rankings = st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), st.booleans()), min_size=1, max_size=40)


@given(rankings.filter(lambda drawn: any(hit for _, hit in drawn)), st.sampled_from([np.float16, np.float64]))
def test_figures_are_those_of_the_definition(drawn, dtype):
    scores, positive = zip(*drawn)
    found = score_candidates(np.array(scores, dtype=dtype), np.array(positive))
    average, best = brute_force(scores, positive)
    assert found.average_precision == pytest.approx(average)
    assert found.best_f1 == pytest.approx(best)
    chosen = np.array(scores) >= found.threshold
    hits = (chosen & np.array(positive)).sum()
    assert found.precision == pytest.approx(hits / chosen.sum())
    assert found.recall == pytest.approx(hits / sum(positive))


@given(rankings.filter(lambda drawn: any(hit for _, hit in drawn)), st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_matter(drawn, random):
    shuffled = random.sample(drawn, len(drawn))
    figures = [score_candidates(*map(np.array, zip(*ranking))) for ranking in (drawn, shuffled)]
    assert figures[0] == figures[1]


def test_extremes():
    assert score_candidates(np.array([0.9, 0.8, 0.1]), np.array([True, True, False])).average_precision == 1
    constant = score_candidates(np.full(8, 0.5), np.arange(8) < 2)
    assert constant.average_precision == 0.25
    assert math.isnan(score_candidates(np.zeros(3), np.zeros(3, dtype=bool)).average_precision)


def gene(strand, *transcripts):
    made = tuple(Transcript(f"t{i}", exons, cds) for i, (exons, cds) in enumerate(transcripts))
    return GeneModel("g", "c", strand, made)


ISOFORMS = (
    (((2, 5), (10, 14), (20, 26)), ((11, 14), (20, 26))),  # the first intron lies in the UTR
    (((2, 5), (10, 13), (20, 26)), ((11, 13), (20, 26))),
)


def test_sites_are_the_ends_of_every_isoforms_introns():
    sites = annotated_sites([gene("+", *ISOFORMS), gene("-", ISOFORMS[0])], "c", 30)
    assert sites.shape == (2, 30, 2)
    assert np.flatnonzero(sites[0, :, DONOR]).tolist() == [5, 13, 14]
    assert np.flatnonzero(sites[0, :, ACCEPTOR]).tolist() == [9, 19]
    assert np.flatnonzero(sites[1, :, DONOR]).tolist() == [9, 19]
    assert np.flatnonzero(sites[1, :, ACCEPTOR]).tolist() == [5, 14]
    assert not annotated_sites([gene("+", *ISOFORMS)], "d", 30).any()


def test_scores_of_both_strands_are_one_ranking():
    sites = annotated_sites([gene("+", ISOFORMS[0]), gene("-", ISOFORMS[0])], "c", 30)
    perfect = score_sites(sites.astype(np.float16), sites)
    assert perfect["donor"].average_precision == perfect["acceptor"].best_f1 == 1
    assert (perfect["donor"].sites, perfect["donor"].candidates) == (4, 60)
    with pytest.raises(ValueError, match="shape"):
        score_sites(sites[:, :5].astype(float), sites)


def test_sites_of_real_genes_are_gt_and_ag(arabidopsis_fasta, arabidopsis_genes):
    with Genome(arabidopsis_fasta) as genome:
        bases = genome.bases("Chr4")
    plus, minus = annotated_sites(arabidopsis_genes, "Chr4", bases.size)
    gt, ag = np.array([2, 3]), np.array([0, 2])
    for strand, read in ((plus, bases), (minus[::-1], reverse_complement(bases))):
        donors, acceptors = np.flatnonzero(strand[:, DONOR]), np.flatnonzero(strand[:, ACCEPTOR])
        assert donors.size > 50
        assert np.mean((read[donors] == gt[0]) & (read[donors + 1] == gt[1])) > 0.95
        assert np.mean((read[acceptors - 1] == ag[0]) & (read[acceptors] == ag[1])) > 0.98
