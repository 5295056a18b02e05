"""Heads by name: the released weights arrive in them, columns are found by name, gradients reach the bases."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from phytoscribe.errors import ModelError
from phytoscribe.genome import Genome
from phytoscribe.labels.states import INTRON_STATES, SITE_NAMES, STATE_NAMES, State, StateSet
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.batches import TokenBatch, WindowTokens, collate_tokens
from phytoscribe.models.configuration import config_from_settings
from phytoscribe.models.heads import HEAD_KINDS, BaseLogits
from phytoscribe.models.loading import check_fit, load_model
from phytoscribe.tokenizer.segments import Segmenter

ROOT = Path(__file__).parents[3]
RELEASED = ROOT / "resources" / "models" / "brassicales"
#: Logits of every fifth base of the window below, computed by the program that the weights were released with.
RECORDED = ROOT / "tests" / "data" / "models" / "released_outputs.npz"


@pytest.fixture(scope="module")
def released() -> AnnotationModel:
    return load_model(AnnotationModel, RELEASED)


@pytest.fixture(scope="module")
def window(arabidopsis_fasta) -> TokenBatch:
    """1,800 bases of A. thaliana with a gap."""
    with Genome(arabidopsis_fasta) as genome:
        bases = genome.bases("Chr4", 5_000, 6_800).copy()
    bases[700:709] = 4
    segmenter = Segmenter(RELEASED)
    global_ids = segmenter.species_id("athaliana"), segmenter.lineage_id("Brassicales")
    return collate_tokens([WindowTokens.of(bases, segmenter, global_ids)])


def tiny(**heads: list[str]) -> AnnotationModel:
    torch.manual_seed(0)
    declared = {"heads": heads} if heads else {}
    return AnnotationModel(config_from_settings({"size": "tiny"}, vocab_size=70, token_length=3, **declared)).eval()


def batch(length: int = 90) -> TokenBatch:
    generator = torch.Generator().manual_seed(1)
    return TokenBatch(
        torch.randint(0, 4, (1, length), generator=generator),
        torch.randint(10, 70, (1, length // 3), generator=generator),
        (torch.arange(length) // 3)[None],
        torch.tensor([[7, 8]]),
    )


def test_the_released_model_says_what_it_said_when_it_was_released(released, window):
    """Equal to the last digit on the processor that the file was written on; others add in another order."""
    with torch.inference_mode():
        output = released(*window)
    recorded = np.load(RECORDED)
    for name in ("states", "sites"):
        np.testing.assert_allclose(getattr(output, name)[0, ::5].numpy(), recorded[name], rtol=0, atol=1e-4)


def test_names_of_earlier_versions_are_read(released, tmp_path):
    """The first released models had neither trunk nor heads as parts of their own, and declared no heads."""
    former = {"trunk.refinement.": "head.", "trunk.": "", "heads.structure.": "output.", "heads.sites.": "sites."}
    tensors = {}
    for name, tensor in released.state_dict().items():
        today = next(prefix for prefix in former if name.startswith(prefix))
        tensors[former[today] + name.removeprefix(today)] = tensor
    released.save_pretrained(tmp_path)
    save_file(tensors, tmp_path / "model.safetensors")
    config = json.loads((tmp_path / "config.json").read_text())
    del config["heads"]
    (tmp_path / "config.json").write_text(json.dumps(config | {"state_count": len(STATE_NAMES)}))
    again = load_model(AnnotationModel, tmp_path)
    assert all(torch.equal(again.state_dict()[name], tensor) for name, tensor in released.state_dict().items())


def test_a_model_is_saved_with_todays_names_and_read_again(released, window, tmp_path):
    released.save_pretrained(tmp_path)
    names = set(load_file(tmp_path / "model.safetensors"))
    assert {name.split(".")[0] for name in names} == {"trunk", "heads"}
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["heads"] == {"structure": list(STATE_NAMES), "sites": list(SITE_NAMES)}
    assert "state_count" not in config
    again = load_model(AnnotationModel, tmp_path)
    for name, tensor in released.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name


def test_states_and_sites_are_found_by_name(caplog):
    """A model with its columns in another order, and with states of its own, says the same of the known ones."""
    plain = tiny()
    turned = [*reversed(STATE_NAMES)]
    other = tiny(structure=["ncrna_exon", *turned, "ncrna_intron"], sites=["acceptor", "branch_point", "donor"])
    other.trunk.load_state_dict(plain.trunk.state_dict())
    with torch.no_grad():
        for parameter in ("weight", "bias"):
            of_plain = getattr(plain.heads["structure"], parameter)
            getattr(other.heads["structure"], parameter)[1:-1] = of_plain.flip(0)
            of_sites = getattr(plain.heads["sites"], parameter)
            getattr(other.heads["sites"], parameter)[[2, 0]] = of_sites
        said, expected = other(*batch()), plain(*batch())
    assert said["structure"].shape[-1] == len(STATE_NAMES) + 2
    torch.testing.assert_close(said.sites, expected.sites, rtol=0, atol=1e-6)
    torch.testing.assert_close(said.states[..., 1:], expected.states[..., 1:], rtol=0, atol=1e-6)
    # What this program does not know is no gene, and all states together stay one.
    intergenic = said["structure"].softmax(-1)[..., [0, -2, -1]].sum(-1)
    torch.testing.assert_close(said.states.softmax(-1)[..., State.INTERGENIC], intergenic)
    with caplog.at_level(logging.WARNING):
        check_fit(other, _Tokens())
    assert "ncrna_exon, ncrna_intron; read as intergenic" in caplog.text


class _Tokens:
    vocabulary_size, pad_id, token_length = 70, 0, 3


def test_columns_of_a_state_set():
    states = StateSet(["more", *reversed(STATE_NAMES)])
    assert [states.names[column].upper() for column in states.columns(INTRON_STATES)] == [
        "INTRON0",
        "INTRON1",
        "INTRON2",
    ]
    assert states.others == [0]


@pytest.mark.parametrize(
    ("heads", "message"),
    [
        ({"structure": [name for name in STATE_NAMES if name != "stop"], "sites": SITE_NAMES}, "lacks .* states stop"),
        ({"sites": SITE_NAMES}, "no head structure"),
        ({"structure": STATE_NAMES, "sites": ["donor"]}, "sites lacks acceptor"),
    ],
)
def test_a_model_that_genes_cannot_be_decoded_from_is_refused(heads, message):
    with pytest.raises(ModelError, match=message):
        check_fit(tiny(**heads), _Tokens())


def test_unknown_heads_and_twins_are_refused():
    with pytest.raises(ModelError, match="declares the head aroma; this version"):
        tiny(structure=list(STATE_NAMES), aroma=["sweet"])
    with pytest.raises(ModelError, match="channel donor of the head sites more than once"):
        tiny(sites=["donor", "donor"])


def test_a_new_head_needs_a_class_and_a_line(monkeypatch, tmp_path):
    """One value for every 30 bases and track: another resolution, and its own way to read the features."""

    class Coverage(torch.nn.Module):
        def __init__(self, features: int, channels: list[str]) -> None:
            super().__init__()
            self.linear = BaseLogits(features, channels)

        def forward(self, features: torch.Tensor) -> torch.Tensor:
            return self.linear(features.unflatten(1, (-1, 30)).mean(2))

    monkeypatch.setitem(HEAD_KINDS, "expression", Coverage)
    model = tiny(structure=list(STATE_NAMES), sites=list(SITE_NAMES), expression=["leaf", "root"])
    model.save_pretrained(tmp_path)
    with torch.inference_mode():
        output, again = model(*batch()), load_model(AnnotationModel, tmp_path)(*batch())
    assert list(output) == ["structure", "sites", "expression"]
    assert output["expression"].shape == (1, 3, 2)
    assert torch.equal(again["expression"], output["expression"])


@pytest.mark.parametrize("head", ["structure", "sites"])
def test_gradients_reach_the_embedded_bases(released, window, head):
    """In float32, along random directions, as central differences in float64 give them: within 1 in 1,000."""
    generator = torch.Generator().manual_seed(2)
    bases, *rest = window

    def weighted(model: AnnotationModel, embedded: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return (model.read(model.features(embedded, *rest))[head] * weights.to(embedded.dtype)).sum()

    embedded = released.embed(bases)
    assert embedded.dtype == torch.float32
    assert embedded.shape[:2] == bases.shape
    assert (embedded[0, 700:709, :4] == 0).all(), "N has no base"
    weights = torch.zeros(1, 1_800, len(released.config.heads[head]))
    weights[:, 850:950] = torch.randn(100, weights.shape[-1], generator=generator)
    leaf = embedded.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(weighted(released, leaf, weights), leaf)
    assert gradient.isfinite().all()
    reached = gradient[0].abs().sum(-1).nonzero()
    assert reached.min() < 100, "through the encoder, far beyond the convolutions"
    exact = load_model(AnnotationModel, RELEASED).double()
    step = 1e-4
    for _ in range(4):
        direction = torch.randn(embedded.shape, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            up, down = (weighted(exact, embedded.double() + sign * step * direction, weights) for sign in (1, -1))
        expected = float((up - down) / (2 * step))
        assert float((gradient.double() * direction).sum()) == pytest.approx(expected, rel=1e-3)
