"""The released head on a chromosome that it has not seen: the example's Chr2, where its training was on Chr1 alone."""

from pathlib import Path

import numpy as np
import torch

from phytoscribe.evaluation.label_scores import block_weights, score_label
from phytoscribe.genome import Genome
from phytoscribe.models.regulatory import load_head
from phytoscribe.prediction.regulatory import BinReader
from phytoscribe.regulatory.bins import BinLabels, Segment
from phytoscribe.regulatory.peaks import read_peaks

ROOT = Path(__file__).parents[3]
START, LENGTH = 36_000, 160_000  # N before it


def test_it_tells_the_sites_of_factors_on_another_chromosome(arabidopsis_fasta):
    head, calibration, _ = load_head(ROOT / "resources/models/brassicales/regulatory")
    torch.set_num_threads(1)
    with Genome(arabidopsis_fasta) as genome:
        peaks = read_peaks({"path": str(ROOT / "resources/example/athaliana/peaks.bed.gz")}, genome.contigs, {}, "x")
        logits = BinReader(head, genome, torch.device("cpu")).known_logits([Segment("Chr2", START, START + LENGTH)])
    labels = head.config.labels
    assert len(labels) == 387
    assert set(peaks.labels) <= set(labels)
    places = [labels.index(label) for label in peaks.labels]
    positive = BinLabels(peaks, peaks.labels).dense("Chr2", START, LENGTH // head.config.bin, head.config.bin)
    assert len(positive) == len(logits)
    probabilities = calibration.probabilities(logits)
    block = np.zeros(len(positive), dtype=np.int64)
    weights = block_weights(1, 0, 1)
    scores = [
        score_label(probabilities[:, place], positive[:, n], block, weights)
        for n, place in enumerate(places)
        if positive[:, n].sum() > 4
    ]
    assert len(scores) > 15
    assert np.mean([score.auprc[0] for score in scores]) > 5 * np.mean([score.base_rate[0] for score in scores])
    # Calibrated: as many sites as it expects, within chance.
    assert 0.7 < probabilities[:, places].sum() / positive.sum() < 1.4
