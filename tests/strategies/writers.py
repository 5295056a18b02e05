"""Writers of isoforms that nobody has trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from phytoscribe.models.isoform_writer import IsoformWriter, WriterConfig, save_writer
from phytoscribe.sentences.generated import GeneratedIsoforms
from phytoscribe.sentences.site_evidence import EVIDENCE
from phytoscribe.sentences.tokens import EOS, KINDS, TRANSCRIPT
from phytoscribe.sentences.writing import WORDS, Search

#: Words of a sentence that is not searched to its end, so that a test takes seconds.
SHORT = 16


def random_network(seed: int = 3, eager: float = 2.0, **sizes: int) -> IsoformWriter:
    """A small one in double precision that has its favourites among the sites, and likes to go on."""
    torch.manual_seed(seed)
    given = {"width": 16, "heads": 2, "encoder_layers": 1, "decoder_layers": 2, "longest": 192, **sizes}
    network = IsoformWriter(WriterConfig(features=EVIDENCE, kinds=len(KINDS), tokens=len(WORDS), **given))
    with torch.no_grad():
        network.deviation.fill_(3.0)
        network.query.weight.mul_(12.0)
        network.choice.bias[WORDS.id(TRANSCRIPT)] += eager
        network.choice.bias[WORDS.id(EOS)] += eager
    return network.double().eval()


def random_writer(search: Search | None = None) -> GeneratedIsoforms:
    """With this network."""
    return GeneratedIsoforms(random_network(longest=SHORT), search or Search(), slope=0.9, offset=0.2)


def write_writer(folder: Path, cut: float, **more: Any) -> None:
    """The files of a random writer of short sentences, with this cut and whatever else the JSON file shall say."""
    report = {"minimum_probability": {"generated": cut}, "calibration": [0.9, 0.2], **more}
    save_writer(random_network(longest=SHORT), report, folder)
