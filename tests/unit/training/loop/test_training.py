"""Training: order of windows, targets, loss, schedules, and a killed run that ends like an undisturbed one."""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from small_training_set import contig_of, small_set

from phytoscribe.errors import ConfigError, ModelError
from phytoscribe.genome import Genome, reverse_complement
from phytoscribe.labels.states import (
    ACCEPTOR,
    ACCEPTOR_BIT,
    BOUNDARY_STATES,
    CODING_STATES,
    DONOR,
    DONOR_BIT,
    LABEL_COUNT,
    NON_CODING_LABEL,
    NON_CODING_STATES,
    SITE_COUNT,
    STATE_COUNT,
    UNKNOWN_SITE_BIT,
    State,
)
from phytoscribe.models.heads import HeadOutputs
from phytoscribe.tokenizer.segments import Segmenter
from phytoscribe.tokenizer.training import build_kmer_tokenizer
from phytoscribe.training.data.training_set import TrainingSet
from phytoscribe.training.loop.runs import AtomicCheckpoints, claim_run_folder
from phytoscribe.training.loop.sampling import MixtureOrder, WindowOrder, order_of_groups
from phytoscribe.training.loop.settings import RunSettings, cosine_schedule
from phytoscribe.training.tasks.structure.module import LossSettings, label_weights, site_loss, structure_loss
from phytoscribe.training.tasks.structure.windows import StructureDataset, collate_structure

CONTIG = "Chr4"
HELD_OUT = (20_000, 30_000)
IGNORED_SPAN = (50_000, 51_000)


@pytest.fixture(scope="module")
def arrays(arabidopsis_fasta, tmp_path_factory) -> TrainingSet:
    contig = contig_of(arabidopsis_fasta, CONTIG, held_out=[HELD_OUT], ignored=[IGNORED_SPAN])
    return small_set(tmp_path_factory.mktemp("sets") / "set", [contig])


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory) -> Segmenter:
    folder = tmp_path_factory.mktemp("tokenizer")
    build_kmer_tokenizer(3, ["athaliana"], ["Brassicales"]).save_pretrained(folder)
    return Segmenter(folder)


def test_held_out_bases_are_n_and_without_loss(arrays, arabidopsis_fasta):
    with Genome(arabidopsis_fasta) as genome:
        true = genome.bases(CONTIG)
    held_out = slice(*HELD_OUT)
    assert (np.asarray(arrays.bases[held_out]) == 4).all()
    assert not arrays.weights[held_out].any()
    assert not arrays.weights[slice(*IGNORED_SPAN)].any()
    outside = np.ones(true.size, dtype=bool)
    outside[held_out] = False
    assert np.array_equal(arrays.bases[outside], true[outside])


def test_windows_show_sequence_and_targets_of_the_same_place(arrays, segmenter):
    order = WindowOrder(arrays.contigs, 2048, seed=3)
    dataset = StructureDataset(arrays, segmenter, order, unknown_share=0.0, seed=3)
    starts = 0
    for index in range(60):
        _, start, strand = order[index]
        window = dataset[index]
        bases = np.asarray(arrays.bases[start : start + 2048])
        assert np.array_equal(window.tokens.bases, reverse_complement(bases) if strand else bases)
        assert window.tokens.token_lengths.sum() == 2048
        np.testing.assert_allclose(window.targets.sum(1), 1, atol=2e-3)
        certain = np.flatnonzero((window.targets[:, State.START] > 0.99) & (window.weights > 0))
        for position in certain[certain < 2045]:
            # Reading direction is 5' to 3' on both strands, so a start codon reads ATG.
            assert window.tokens.bases[position : position + 3].tolist() == [0, 3, 2]
            starts += 1
    assert starts >= 8


def contig_table(*lengths: int) -> pd.DataFrame:
    """Contigs of these lengths, laid end to end."""
    return pd.DataFrame({"offset": np.cumsum(lengths) - lengths, "length": lengths})


def test_the_order_covers_all_windows_and_both_strands():
    order = WindowOrder(contig_table(10_000, 700, 2_500), 1000, seed=5)
    assert order.windows_per_pass == 10 + 1 + 3
    seen = [{(order[i][0], order[i][2]) for i in range(p * 14, p * 14 + 14)} for p in range(2)]
    assert {contig for part in seen for contig, _ in part} == {0, 1, 2}
    strands = {}
    for i in range(28):
        contig, start, strand = order[i]
        length = (10_000, 700, 2_500)[contig]
        assert 0 <= start <= max(0, length - 1000)
        strands.setdefault(contig, set()).add(strand)
    assert strands[1] == {0, 1}
    covered = np.zeros(10_000, dtype=bool)
    for i in range(14 * 20):
        contig, start, _ = order[i]
        if contig == 0:
            covered[start : start + 1000] = True
    assert covered.all()


def test_the_order_is_a_function_of_seed_and_index():
    table = contig_table(50_000)
    one, other = WindowOrder(table, 1000, 5), WindowOrder(table, 1000, 5)
    picked = [777, 3, 120, 3]
    assert [one[i] for i in picked] == [other[i] for i in reversed(picked)][::-1]
    assert [one[i] for i in range(50)] != [WindowOrder(table, 1000, 6)[i] for i in range(50)]


def output_of(states: torch.Tensor, site_logits: torch.Tensor | None = None) -> HeadOutputs:
    if site_logits is None:
        site_logits = torch.full((*states.shape[:2], SITE_COUNT), -30.0)
    return HeadOutputs({"structure": states, "sites": site_logits})


def as_labels(states: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.pad(states, (0, LABEL_COUNT - STATE_COUNT))


def test_loss_ignores_what_has_no_weight():
    torch.manual_seed(0)
    logits, site_logits = torch.randn(2, 50, STATE_COUNT), torch.randn(2, 50, SITE_COUNT)
    targets = torch.nn.functional.one_hot(torch.randint(0, LABEL_COUNT, (2, 50)), LABEL_COUNT).float()
    sites = torch.randint(0, 8, (2, 50)).to(torch.uint8)
    sites[:, 30:] |= UNKNOWN_SITE_BIT
    weights = torch.ones(2, 50)
    weights[:, 30:] = 0
    settings = LossSettings()
    per_label = label_weights(settings)
    before = structure_loss(output_of(logits, site_logits), targets, weights, sites, per_label, settings)
    logits[:, 30:] += 5 * torch.randn(2, 20, STATE_COUNT)
    site_logits[:, 30:] += 5 * torch.randn(2, 20, SITE_COUNT)
    after = structure_loss(output_of(logits, site_logits), targets, weights, sites, per_label, settings)
    torch.testing.assert_close(before, after)
    unknown = torch.full_like(sites, UNKNOWN_SITE_BIT)
    nothing = structure_loss(output_of(logits, site_logits), targets, torch.zeros(2, 50), unknown, per_label, settings)
    assert float(nothing) == 0


def test_loss_terms_point_the_right_way():
    settings = LossSettings(boundary_weight=1.0, f1_weight=1.0, empty_weight=1.0)
    per_label = label_weights(settings)
    coding = torch.zeros(1, 30, STATE_COUNT)
    coding[..., CODING_STATES[1]] = 1
    empty = torch.zeros(1, 30, STATE_COUNT)
    empty[..., State.INTERGENIC] = 1
    weights, sites = torch.ones(1, 30), torch.zeros(1, 30, dtype=torch.uint8)
    for targets, wrong in ((coding, empty), (empty, coding)):
        right = structure_loss(output_of(20 * targets), as_labels(targets), weights, sites, per_label, settings)
        assert float(right) < 1e-3
        false = structure_loss(output_of(20 * wrong), as_labels(targets), weights, sites, per_label, settings)
        assert float(false) > 15
    assert label_weights(LossSettings(boundary_weight=7))[list(BOUNDARY_STATES)].tolist() == [7] * len(BOUNDARY_STATES)


def test_where_only_non_coding_is_known_all_non_coding_states_are_right():
    settings = LossSettings()
    per_label = label_weights(settings)
    targets = torch.nn.functional.one_hot(torch.full((1, 30), NON_CODING_LABEL), LABEL_COUNT).float()
    weights, sites = torch.ones(1, 30), torch.full((1, 30), UNKNOWN_SITE_BIT, dtype=torch.uint8)
    for state in State:
        logits = torch.zeros(1, 30, STATE_COUNT)
        logits[..., state] = 20
        output = output_of(logits, torch.full((1, 30, SITE_COUNT), 30.0))  # a site is no fault either
        loss = float(structure_loss(output, targets, weights, sites, per_label, settings))
        assert loss < 1e-3 if state in NON_CODING_STATES else loss > 10


def test_site_loss_is_least_on_the_sites():
    sites = torch.zeros(1, 40, dtype=torch.uint8)
    sites[0, 10], sites[0, 30] = DONOR_BIT, ACCEPTOR_BIT
    right = torch.full((1, 40, SITE_COUNT), -20.0)
    right[0, 10, DONOR] = right[0, 30, ACCEPTOR] = 20
    total, known = site_loss(right, sites)
    assert float(total / known) < 1e-6
    total, known = site_loss(right.flip(-1), sites)
    assert float(total / known) > 0.9


def test_schedule_rises_and_falls():
    settings = RunSettings(100, 1, 10, 1e-3, warmup_steps=10)
    factors = [cosine_schedule(step, settings) for step in range(101)]
    assert factors[0] == pytest.approx(0.1)
    assert max(factors) == pytest.approx(1.0)
    assert factors[100] == pytest.approx(0.1)
    assert all(a >= b for a, b in itertools.pairwise(factors[10:]))
    lower = RunSettings(100, 1, 10, 1e-3, warmup_steps=10, final_rate=0.02)
    assert cosine_schedule(100, lower) == pytest.approx(0.02)


def test_steps_must_fit_the_checkpoints():
    with pytest.raises(ConfigError, match="multiple of checkpoint_every"):
        RunSettings(100, 1, 30, 1e-3)


def test_a_run_folder_of_another_configuration_is_emptied(tmp_path, caplog):
    given = tmp_path / "input"
    given.write_text("a")
    folder = tmp_path / "run"
    claim_run_folder(folder, {"rate": 1}, [given])
    (folder / "last.ckpt").write_text("weights")
    claim_run_folder(folder, {"rate": 1}, [given])
    assert (folder / "last.ckpt").exists()
    with caplog.at_level(logging.WARNING):
        claim_run_folder(folder, {"rate": 2}, [given])
    assert not (folder / "last.ckpt").exists()
    assert "other settings" in caplog.text
    (folder / "last.ckpt").write_text("weights")
    given.write_text("b")
    claim_run_folder(folder, {"rate": 2}, [given])
    assert not (folder / "last.ckpt").exists()


class Intruder:
    """What a checkpoint from a stranger may hold: reading it as a pickle makes a file."""

    def __init__(self, made: Path) -> None:
        self.made = made

    def __reduce__(self):
        return Path.touch, (self.made,)


CHECKPOINT = {
    "state_dict": {"weight": torch.arange(3000.0)},
    "optimizer_states": [],
    "lr_schedulers": [],
    "callbacks": {"scores": (np.float64(0.5), np.int64(2), 0.5)},
    "loops": {},
    "global_step": 7,
}


def test_checkpoints_are_read_as_data(tmp_path):
    path, made, checkpoints = tmp_path / "run" / "last.ckpt", tmp_path / "made", AtomicCheckpoints()
    path.parent.mkdir()
    checkpoints.save_checkpoint(CHECKPOINT, path)
    found = checkpoints.load_checkpoint(path, weights_only=False)
    assert torch.equal(found.pop("state_dict")["weight"], CHECKPOINT["state_dict"]["weight"])
    assert found.items() <= CHECKPOINT.items()
    torch.save(CHECKPOINT | {"loops": Intruder(made)}, path)
    with pytest.raises(ModelError, match=r"last.ckpt: it holds Python objects.* delete the folder .*/run: training"):
        checkpoints.load_checkpoint(path, weights_only=False)
    assert not made.exists()
    torch.load(path, weights_only=False)
    assert made.exists(), "read as a pickle, it does"


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[: len(whole) // 2],
        lambda whole: b"",
        lambda whole: b"<html>no such file</html>",
        lambda whole: bytes(len(whole)),
        lambda whole: whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:],
    ],
    ids=["cut", "empty", "a page", "zeros", "one bit"],
)
def test_a_damaged_checkpoint_is_told(tmp_path, damage):
    path = tmp_path / "last.ckpt"
    AtomicCheckpoints().save_checkpoint(CHECKPOINT, path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ModelError, match=rf"last.ckpt: it is damaged; .* delete the folder {tmp_path}: training"):
        AtomicCheckpoints().load_checkpoint(path)


@pytest.mark.parametrize("text", ["", "{", "[1]"])
def test_a_run_folder_with_a_damaged_record_is_emptied(tmp_path, caplog, text):
    (tmp_path / "run").mkdir()
    for name in ("fingerprint.json", "last.ckpt"):
        (tmp_path / "run" / name).write_text(text)
    claim_run_folder(tmp_path / "run", {"rate": 1}, [])
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["fingerprint.json"]
    assert "starting anew" in caplog.text


def test_batches_carry_the_pad_id_of_the_tokenizer(arrays, segmenter):
    order = WindowOrder(arrays.contigs, 1024, seed=3)
    dataset = StructureDataset(arrays, segmenter, order, unknown_share=0.0, seed=3)
    n_rich = [dataset[i] for i in range(40)]
    batch = collate_structure(n_rich)
    for row, window in enumerate(n_rich):
        tail = batch.inputs.token_ids[row, window.tokens.token_ids.size :]
        assert (tail == segmenter.pad_id).all()
    assert isinstance(arrays.contigs, pd.DataFrame)


def test_groups_are_drawn_in_their_changing_shares():
    contigs = pd.DataFrame(
        {"offset": [0, 50_000, 90_000], "length": [50_000, 40_000, 80_000], "group": ["a", "b", "a"]}
    )
    order = MixtureOrder(contigs, 1000, 3, {"a": 1, "b": 3}, {"a": 4, "b": 0}, 4000)
    assert [order[i] for i in range(50)] == [
        MixtureOrder(contigs, 1000, 3, {"a": 1, "b": 3}, {"a": 4, "b": 0}, 4000)[i] for i in range(50)
    ]
    rows = [order[i][0] for i in range(5000)]
    early, late = Counter(rows[:400]), Counter(rows[4000:])
    assert early[1] / 400 == pytest.approx(0.72, abs=0.07)
    assert late[1] == 0
    assert late[2] / late[0] == pytest.approx(80 / 50, rel=0.3)
    for index in range(200):
        row, start, strand = order[index]
        assert 0 <= start <= contigs["length"][row] - 1000
        assert strand in (0, 1)


def test_a_mixture_names_groups_that_are_there_and_a_group_that_it_leaves_out_gives_nothing():
    table = pd.DataFrame({"offset": [0, 9_000, 18_000], "length": [9_000] * 3, "group": ["a", "b", "c"]})
    rows = np.array([1, 2])
    found = order_of_groups(table, rows, 1000, 1, {"start": {"b": 1.0}}, 10)
    assert {found[i][0] for i in range(30)} == {1}
    everything = order_of_groups(table, rows, 1000, 1, {}, 10)
    assert {everything[i][0] for i in range(30)} == {1, 2}
    assert [everything[i] for i in range(30)] == [
        (row + 1, start, strand)
        for row, start, strand in (WindowOrder(table.iloc[rows], 1000, 1)[i] for i in range(30))
    ]
    with pytest.raises(ConfigError, match=r"no group a in the training set, which has b, c"):
        order_of_groups(table, rows, 1000, 1, {"start": {"a": 1.0}}, 10)
    with pytest.raises(ConfigError, match="add up to nothing"):
        order_of_groups(table, rows, 1000, 1, {"start": {"b": 0.0}}, 10)
