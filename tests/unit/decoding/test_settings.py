"""Settings of decoders: what they refuse, which one a species has, and decoder.json with and without faults."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phytoscribe.decoding.settings import Decoders, DecoderSettings, LengthScore
from phytoscribe.errors import ModelError


def test_settings_refuse_what_cannot_be():
    with pytest.raises(ModelError, match="minimum_intron is 3"):
        DecoderSettings(minimum_intron=3)
    with pytest.raises(ModelError, match="sensitivity is nan"):
        DecoderSettings(sensitivity=math.nan)
    with pytest.raises(ModelError, match="ascending"):
        LengthScore((10, 5), (0.0, 0.0))


NUMBERS = st.floats(-100, 100)
SETTINGS = st.builds(
    DecoderSettings,
    gene_score=NUMBERS,
    donor_scores=st.tuples(NUMBERS, NUMBERS, NUMBERS),
    intron_lengths=st.builds(LengthScore, st.just((40, 100)), st.tuples(NUMBERS, NUMBERS), st.floats(-1, 0)),
    site_cutoff=st.none() | NUMBERS,
    codon_margin=st.floats(0, 10),
    at_ac=st.booleans(),
    minimum_intron=st.integers(8, 100),
    calibrated_on=st.lists(st.text(max_size=5), max_size=2).map(tuple),
)


NAMED = st.dictionaries(st.from_regex(r"[A-Z][a-z_-]{1,9}", fullmatch=True), SETTINGS, max_size=3)


@settings(max_examples=30, deadline=None)
@given(SETTINGS, NAMED, NAMED)
def test_decoders_round_trip(fallback, lineages, species):
    made = Decoders(fallback, lineages, species)
    found = Decoders.from_json(made.to_json(), "x")
    assert found == made
    assert found.of("Solanales-1") == found.of("Solanales-1", "slycopersicum") == fallback
    assert all(found.of(name) == found.of(name, "slycopersicum") == own for name, own in lineages.items())
    assert all(found.of(lineage, name) == own for name, own in species.items() for lineage in ("", *lineages))


def test_a_file_without_lineages_is_that_of_earlier_versions(tmp_path):
    found = Decoders.load(Path(__file__).parents[2] / "data/models/decoder_without_lineages.json")
    found.save(tmp_path / "decoder.json")
    assert Decoders.load(tmp_path / "decoder.json") == found
    assert found.name_of("Poales") == ""
    # Starts and stops had the cut-off of splice sites then.
    assert found.fallback.codon_margin == 0.0


def test_which_decoder_is_used_is_said():
    fallback, own = DecoderSettings(), DecoderSettings(gene_score=1.0)
    decoders = Decoders(fallback, {"Poales": own}, {"zmays": own})
    assert decoders.name_of("Poales") == decoders.name_of("Poales", "osativa") == "Poales"
    assert decoders.name_of("Poales", "zmays") == decoders.name_of("", "zmays") == "zmays"
    assert Decoders(fallback, species={"zmays": own}).name_of("unknown").startswith("any lineage")
    assert decoders.name_of("Solanales") == "any lineage (the model has none for Solanales)"
    assert decoders.name_of("unknown") == decoders.name_of("") == "any lineage (that of the genome is not known)"


def test_unknown_keys(tmp_path):
    (tmp_path / "decoder.json").write_text('{"typo": 1}')
    with pytest.raises(ModelError, match="typo"):
        Decoders.load(tmp_path / "decoder.json")


FAULTS = {
    "gene_score": [None, "1", math.nan, 1e308, True, [1.0]],
    "donor_scores": [[1, 2], ["a", 1, 2], 0.5],
    "intron_lengths": [[], {"lengths": [1]}, {"lengths": [1], "scores": [math.nan], "slope": 0}],
    "initial_lengths": [{"lengths": [5, 3], "scores": [0, 0], "slope": 0}],
    "partial": ["no", 1],
    "minimum_intron": [40.5, None, 3],
    "maximum_utr": [-5, 10**12],
    "calibrated_on": ["abc", [1]],
    "site_cutoff": ["x", -math.inf],
    "codon_margin": [-1.0, None],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in FAULTS.items() for value in values])
def test_faulty_settings_are_told(tmp_path, name, value):
    path = tmp_path / "decoder.json"
    told = "length score" if name == "initial_lengths" else name
    path.write_text(json.dumps({name: value}))
    with pytest.raises(ModelError, match=rf"decoder\.json: .*{told}"):
        Decoders.load(path)
    path.write_text(json.dumps({"lineages": {"Fabales": {}, "Poales": {name: value}}}))
    with pytest.raises(ModelError, match=rf"decoder\.json, lineages: Poales: .*{told}"):
        Decoders.load(path)


@pytest.mark.parametrize(
    ("lineages", "told"),
    [
        (["Poales"], r"decoder\.json: lineages is \['Poales'\], not settings by name"),
        (None, r"decoder\.json: lineages is None"),
        ({"Poales": 3}, r"decoder\.json, lineages: Poales: no decoder settings"),
        ({"Poales": {"typo": 1}}, r"decoder\.json, lineages: Poales: unknown decoder settings \['typo'\]"),
        ({"Poales": {"lineages": {}}}, r"decoder\.json, lineages: Poales: unknown decoder settings \['lineages'\]"),
        ({"unknown": {}}, r"decoder\.json: lineages has 'unknown', but all that are unknown share one decoder"),
        ({"": {}}, r"decoder\.json: lineages has ''"),
    ],
)
def test_faulty_lineages_are_told(tmp_path, lineages, told):
    (tmp_path / "decoder.json").write_text(json.dumps({"lineages": lineages}))
    with pytest.raises(ModelError, match=told):
        Decoders.load(tmp_path / "decoder.json")


@pytest.mark.parametrize("text", ["", "[]", "null", "3", '"x"'])
def test_no_settings_at_all(tmp_path, text):
    (tmp_path / "decoder.json").write_text(text)
    with pytest.raises(ModelError, match=r"decoder\.json: "):
        Decoders.load(tmp_path / "decoder.json")
