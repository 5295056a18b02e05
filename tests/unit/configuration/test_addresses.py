"""Addresses with secrets: rules and messages get masked ones, downloads the true ones."""

from pathlib import Path

import pytest
import yaml

from phytoscribe.configuration.addresses import VARIABLE, hand_over, with_addresses, without_secrets
from phytoscribe.configuration.read import read_config
from phytoscribe.errors import ConfigError, DownloadError
from phytoscribe.intake.transfer.addresses import shown_url

ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
EXAMPLE = ROOT / "config/config.yaml"
SECRET = "https://a.org/x.fa?token=PLANTED&lang=en"


def planted() -> dict:
    """The example's configuration with secrets in addresses, and in places that hold no address to fetch."""
    config = yaml.safe_load(EXAMPLE.read_text())
    (genome,) = config["genomes"]
    genome |= {"genome": {"url": SECRET}, "annotation": {"url": "file:///no/secret.gff3"}}
    genome |= {"isoseq": [{"url": "ftp://me:PLANTED@a.org/1"}, {"url": "https://a.org/2?sig=PLANTED"}]}
    genome["terms"] = f"CC0, see {SECRET}, and https://a.org/terms#all"
    genome["mask"] = {"path": "odd?key=name.bed"}
    config["download"] = {"phytozome": {"files": "https://me:PLANTED@mirror.org"}}
    return config


def test_rules_see_masks_and_downloads_see_addresses():
    config, environment = planted(), {f"{VARIABLE}99": "of another run"}
    masked = hand_over(config, environment)
    assert "PLANTED" not in str(masked)
    assert masked["genomes"][0]["genome"]["url"] == shown_url(SECRET)
    assert masked["genomes"][0]["mask"] == config["genomes"][0]["mask"]
    assert "https://a.org/terms#all" in masked["genomes"][0]["terms"]
    assert sorted(environment.values()) == sorted(
        [SECRET, "ftp://me:PLANTED@a.org/1", "https://a.org/2?sig=PLANTED", "https://me:PLANTED@mirror.org"]
    )
    given = with_addresses(masked, environment)
    terms = {"terms": masked["genomes"][0]["terms"]}
    assert given == config | {"genomes": [config["genomes"][0] | terms]}, "all but the text of the terms"


def test_a_lost_or_foreign_variable_is_no_address():
    environment = {}
    masked = hand_over(planted(), environment)
    for wrong in ({}, dict.fromkeys(environment, "https://b.org/x.fa?token=OTHER")):
        with pytest.raises(DownloadError, match=rf"token=\*\*\*&lang=.*: .* variable {VARIABLE}"):
            with_addresses(masked, wrong)


def test_without_secrets_nothing_changes():
    config, environment = yaml.safe_load(EXAMPLE.read_text()), {}
    assert hand_over(config, environment) == with_addresses(config, environment) == config
    assert not environment


@pytest.mark.parametrize("key", ["url", "path"])
@pytest.mark.parametrize(
    "address", ["htps://a.org/x?token=PLANTED", "a.org/x.fa?token=PLANTED", "https://a b?key=PLANTED"]
)
def test_messages_about_faulty_addresses_hold_no_secret(key, address):
    config = planted()
    config["genomes"][0] |= {"genome": {key: address}, "isoseq": [], "mask": {"path": "no.bed"}}
    del config["download"]
    with pytest.raises(ConfigError) as caught:
        read_config(config, SCHEMA)
    assert "PLANTED" not in str(caught.value)


def test_a_question_in_a_message_is_left_alone():
    text = "genomes: unknown key 'a' (did you mean 'b'?); see https://a.org/x/2"
    assert without_secrets(text) == text
