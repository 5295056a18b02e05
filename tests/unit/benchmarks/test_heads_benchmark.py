"""benchmarks/heads.py: the network of DeepSEA's kind reads bins as the head does, and scores keep to their bins.

And heads_train.py: the network of deepCRE's kind reads both ends of a gene.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from heads_cnn import EXPRESSION_SETTINGS, GAP, SETTINGS, DeepCreCnn, DeepSeaCnn
from heads_scores import Bench
from planted_sites import planted_files

from phytoscribe.genome.sequence import decode, encode, reverse_complement
from phytoscribe.models.expression import ExpressionConfig
from phytoscribe.models.regulatory import RegulatoryConfig, RegulatoryHead
from phytoscribe.splits.parts import VALIDATE
from phytoscribe.training.loop.settings import Recipe
from phytoscribe.training.tasks.regulatory.task import run_regulatory_training

RUN = {
    "bin": 200, "context": 100, "surroundings": 0, "minimum_peaks": 20, "called_precision": 0.8,
    "width": 16, "hidden": 16, "filters": 16,
    "dropout": 0.1, "steps": 40, "batch_size": 4, "checkpoint_every": 20, "learning_rate": 0.003, "warmup_steps": 5,
    "weight_decay": 0.01, "final_rate": 0.1, "average": 0.9, "positive_weight": 1, "patience": 0, "validate_every": 2,
    "precision": "float32", "device": "cpu",
}  # fmt: skip

COPY = 40_000


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Bench:
    """A folder of the benchmark with a trained head and a trained network of DeepSEA's kind."""
    folder = tmp_path_factory.mktemp("bench")
    given = planted_files(folder)
    # Three bins of a test block are a copy of training sequence on the other strand, with each tenth base changed.
    names, sequences = (Path(given["fasta"]).read_text().split()[first::2] for first in (0, 1))
    copy = encode(sequences[0][90_000:90_600])
    copy[::10] = (copy[::10] + 1) % 4
    sequences[2] = sequences[2][:COPY] + decode(reverse_complement(copy)) + sequences[2][COPY + 600 :]
    Path(given["fasta"]).write_text("".join(f"{n}\n{x}\n" for n, x in zip(names, sequences, strict=True)))
    for name, made in (("Chr1_full.fa", "fasta"), ("peaks.npz", "peaks"), ("parts.bed", "parts")):
        Path(given[made]).rename(folder / name)
    Path(f"{given['fasta']}.fai").rename(folder / "Chr1_full.fa.fai")
    files = [str(folder / name) for name in ("Chr1_full.fa", "peaks.npz", "parts.bed")]
    for name, start, kind in (("none", "enriched", RegulatoryHead), ("cnn", SETTINGS["start"], DeepSeaCnn)):
        recipe = Recipe({**RUN, "start": start}, {}, {"devices": 1, "nodes": 1}, 1)
        targets = (folder / f"{name}.run", folder / name)
        run_regulatory_training(*([file] for file in files), [], recipe, files, *targets, 1, kind)
    return Bench(folder, 1)


def test_the_network_of_deepsea_has_the_size_of_the_head_and_its_symmetries():
    labels = tuple(map(str, range(390)))
    network = DeepSeaCnn(RegulatoryConfig(labels, filters=SETTINGS["filters"], hidden=SETTINGS["hidden"])).eval()
    head = RegulatoryHead(RegulatoryConfig(labels))
    size, wanted = (sum(x.numel() for x in model.parameters()) for model in (network, head))
    assert size == pytest.approx(wanted, rel=0.01)
    bases = np.random.default_rng(1).integers(0, 5, 200 * 4 + 400).astype(np.uint8)
    with torch.inference_mode():
        read = [network(torch.from_numpy(x.astype(np.int64))[None])[0] for x in (bases, reverse_complement(bases))]
        alone = network(torch.from_numpy(bases[400:1000].astype(np.int64))[None])[0, 0]
    torch.testing.assert_close(read[0], read[1].flip(0), atol=1e-6, rtol=0)
    torch.testing.assert_close(read[0][2], alone, atol=1e-5, rtol=0)


def test_the_network_of_deepcre_reads_both_ends_of_a_gene_and_nothing_of_n():
    torch.manual_seed(1)
    network = DeepCreCnn(ExpressionConfig(("leaf", "root"), (3.0, 3.0), (0.1, 0.1), 2.0, **EXPRESSION_SETTINGS)).eval()
    assert sum(x.numel() for x in network.parameters()) == pytest.approx(0.6e6, rel=0.05)
    bases = torch.randint(0, 4, (1, 2, 1500))
    bases[0, 0, 1200:1203] = bases[0, 1, 20:23] = 4  # a start and a stop codon
    one_hot = network.matches(bases).requires_grad_()
    assert one_hot.shape == (1, 4, 2 * 1500 + GAP)
    assert torch.equal(one_hot[0].argmax(dim=0)[:1200], bases[0, 0, :1200])
    assert torch.equal(one_hot[0].argmax(dim=0)[-1000:], bases[0, 1, -1000:])
    silent = (one_hot[0].sum(dim=0) == 0).nonzero()[:, 0].tolist()
    assert silent == [*range(1200, 1203), *range(1500, 1500 + GAP), *range(1520 + 20, 1520 + 23)]
    output = network.read(one_hot)
    output.level.sum().backward()
    seen = one_hot.grad[0].abs().amax(dim=0)
    assert min(seen[:1500].max(), seen[1520:].max()) > 0
    torch.testing.assert_close(output.deviation.sum(), torch.tensor(0.0), atol=1e-6, rtol=0)
    torch.testing.assert_close(network(bases).level, output.level)


def test_heads_are_compared_label_by_label_and_read_once(bench, capsys):
    bench.score(["none", "cnn"])
    assert "| 2 factors | cnn | " not in capsys.readouterr().out, "labels named bZIP are dimers here"
    kept = bench.folder / "cnn" / "scores.npy"
    before = kept.stat().st_mtime_ns
    bench.compare(["none"], ["none", "cnn"])
    bench.compare(["none"], ["none"])
    text = capsys.readouterr().out
    assert "1 factors: none,cnn beside none" in text
    assert (
        "difference, drawn over both: +0.000 (+0.000 to +0.000)\n  ratio of the means: 1.000 (1.000 to 1.000)" in text
    )
    assert kept.stat().st_mtime_ns == before
    assert bench.probabilities("none", VALIDATE).shape == (300, 2)


def test_copies_of_training_sequence_are_found(bench):
    known = len(bench.test.block)
    assert known == 60_000 // 200 - 4, "bins of N are not read"
    assert np.flatnonzero(bench.copies).tolist() == [COPY // 200 - 4 + n for n in range(3)]
