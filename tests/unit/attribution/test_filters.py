"""Filters of the motif stem: what was planted comes back, on either strand and however the sequence is cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from planted_sites import PLANTED, planted_files

from phytoscribe.attribution import filters
from phytoscribe.attribution.attribute import HeadAtSites
from phytoscribe.attribution.filters import TOO_FEW, compare_filters, filter_logos, filter_motifs, filter_places
from phytoscribe.attribution.motifs import Motif, read_meme
from phytoscribe.genome.sequence import encode, reverse_complement
from phytoscribe.models.regulatory import RegulatoryConfig, RegulatoryHead
from phytoscribe.training.tasks.regulatory.windows import RegulatoryData

JASPAR = Path(__file__).parents[3] / "resources/motifs/jaspar_plants.meme"
WIDTH = 11


def filter_of(site: str) -> torch.Tensor:
    """One for each base of a site, minus one for each other; bases behind the site do not matter."""
    found = torch.zeros(WIDTH, 4)
    found[: len(site)] = torch.from_numpy(2.0 * np.eye(4)[encode(site)] - 1).float()
    return found


@pytest.fixture(scope="module")
def at(tmp_path_factory) -> HeadAtSites:
    """A head with a filter for each planted site, one that never matches, and one for a word that is hardly there."""
    made = planted_files(tmp_path_factory.mktemp("filters"))
    head = RegulatoryHead(RegulatoryConfig((*PLANTED,), filters=4, motif=WIDTH, width=4, hidden=4)).eval()
    with torch.no_grad():
        head.stem.weight.copy_(torch.stack([filter_of(word) for word in (*PLANTED.values(), "ACGT", "ACGTTGCATG")]))
        head.stem.bias.copy_(torch.tensor([-6.0, -6.0, -5.0, -9.0]))
        head.motifs.weight.copy_(torch.tensor([[2.0, -1.0, 1.0, 0.0], [0.5, 3.0, 1.0, 0.0]]))
    data = RegulatoryData.read([made["fasta"]], [made["peaks"]], [made["parts"]], 1, labels=head.config.labels)
    return HeadAtSites(head, data, ["GARP"], Path(), None)


def test_a_filter_returns_the_word_that_was_planted_for_it(at, monkeypatch):
    places = filter_places(at)
    motifs = filter_motifs(places)
    known = [*read_meme(JASPAR)[:300], Motif("own", np.eye(4)[encode("GATGACGTGG")], 9, "planted")]
    assert [(motif.name, motif.consensus) for motif in motifs] == [
        ("filter_001", PLANTED["bZIP"]),
        ("filter_002", PLANTED["GARP"]),
    ]
    table = compare_filters(at, places, motifs, known).set_index("filter")
    assert table.loc["filter_001", ["match", "match_name"]].tolist() == ["own", "planted"]
    assert table.loc["filter_001", "q"] < 0.001
    assert table.loc["filter_002", "match"] != "own"
    assert table["match"].tolist()[2:] == [TOO_FEW, TOO_FEW]
    # All ten bases give 4; a filter whose best is below zero adds nothing, and the label that gets most stands first.
    assert table["weight"].tolist() == pytest.approx([8.0, 12.0, 0.0, 0.0])
    assert table["labels"].tolist() == ["bZIP,GARP", "GARP", "", ""]
    assert [logo.name for logo in filter_logos(table.reset_index(), motifs, known)] == ["filter_002", "filter_001"]
    monkeypatch.setattr(filters, "_AT_ONCE", 777)
    assert (filter_places(at).counts == places.counts).all(), "where the sequence is cut decides nothing"


def test_places_are_those_of_both_strands_of_the_validation_blocks(at):
    (segment,) = at.data.segments("validate")[0]
    bases = at.data.genomes[0].genome.bases(segment.contig, segment.start, segment.end)
    # Nine of ten bases give half of what ten give, and more than half is asked for.
    for number, site in enumerate(PLANTED.values()):
        words = [np.lib.stride_tricks.sliding_window_view(one, 10) for one in (bases, reverse_complement(bases))]
        hits = [(strand == encode(site)).all(axis=1).sum() for strand in words]
        assert min(hits) > 20
        assert filter_places(at).places[number] == sum(hits)


def test_without_validation_blocks_no_filter_has_a_motif(at, caplog, monkeypatch):
    monkeypatch.setattr(filters, "VALIDATE", "none")
    places = filter_places(at)
    assert filter_motifs(places) == []
    assert set(compare_filters(at, places, [], [])["match"]) == {TOO_FEW}
    assert "no filter matches anywhere in the validation blocks" in caplog.text
