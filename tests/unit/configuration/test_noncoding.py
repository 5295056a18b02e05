"""The section ``noncoding``: what it asks for, which files are wanted, and its mistakes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from phytoscribe.configuration.genomes import Genomes
from phytoscribe.configuration.read import read_config
from phytoscribe.configuration.result_files import NoncodingFiles, TrackFiles, check_targets
from phytoscribe.errors import ConfigError

SCHEMA = Path(__file__).parents[3] / "workflow/schemas/config.schema.yaml"


def checked(tmp_path, noncoding=None, with_repeats=False):
    fasta = tmp_path / "g.fa"
    fasta.write_text(">a\nACGT\n")
    with_file = {"repeats": {"path": str(fasta)}} if with_repeats else {}
    genome = {"role": "predict", "genome": {"path": str(fasta)}}
    config = {"genomes": [{"name": "plain", **genome}, {"name": "masked", **genome, **with_file}]}
    return read_config(config | ({} if noncoding is None else {"noncoding": noncoding}), SCHEMA)


def test_nothing_is_searched_unless_asked_for(tmp_path):
    config = checked(tmp_path, with_repeats=True)
    genomes = Genomes(config)
    files = NoncodingFiles(genomes, config)
    assert files.tools() == {}
    assert files.wanted() == files.scored() == files.models() == []
    here = SimpleNamespace(genome="masked")
    assert "results/tracks/masked/noncoding.gff3.gz" not in TrackFiles(genomes, config).annotations(here)
    check_targets(["results/predictions/masked.noncoding.gff3"], genomes)
    with pytest.raises(ConfigError, match=r"gives genome 'plain' no program for non-coding genes .* that have: masked"):
        check_targets(["results/predictions/plain.all.gff3"], genomes)


def test_programs_make_files_of_all_genomes(tmp_path):
    config = checked(tmp_path, {"tRNA": "trnascan", "rRNA": "barrnap"})
    genomes = Genomes(config)
    files = NoncodingFiles(genomes, config)
    assert files.tools() == {"tRNA": "tRNAscan-SE", "rRNA": "pybarrnap"}
    assert files.wanted() == ["plain", "masked"]
    assert files.found(SimpleNamespace(genome="plain")) == [
        "results/noncoding/plain.tRNA.gff3",
        "results/noncoding/plain.rRNA.gff3",
    ]
    assert files.scored() == [], "no genome has an annotation"
    here = SimpleNamespace(genome="plain", annotation="noncoding")
    assert "results/tracks/plain/noncoding.gff3.gz" in TrackFiles(genomes, config).annotations(here)
    assert TrackFiles(genomes, config).source(here) == "results/predictions/plain.noncoding.gff3"
    with pytest.raises(ConfigError, match="gives genome 'plain' no annotation"):
        check_targets(["results/evaluation/plain.noncoding.tsv"], genomes)


def test_genes_in_repeats_can_be_dropped_where_there_are_repeats(tmp_path):
    config = checked(tmp_path, {"drop_in_repeats": True}, with_repeats=True)
    assert NoncodingFiles(Genomes(config), config).wanted() == ["masked"]


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"tRNA": "tRNAscan"}, r"noncoding\.tRNA: 'tRNAscan' is not allowed.*allowed: aragorn, trnascan, none"),
        ({"rRNA": None}, r"noncoding\.rRNA: "),
        ({"rRNA": "barnap"}, r"did you mean 'barrnap'\?"),
        ({"trna": "aragorn"}, r"unknown key 'trna'; allowed: clanin, drop_in_repeats, rRNA, rfam, tRNA"),
        ({"rfam": "Rfam.cm"}, r"noncoding\.rfam: Rfam\.cm: no such file"),
        ({"rfam": False}, r"noncoding\.rfam: False given, but this must be a text"),
        ({"clanin": "Rfam.clanin"}, r"noncoding\.clanin: clans are only for the models"),
        ({"drop_in_repeats": True}, r"noncoding\.drop_in_repeats: no genome has `repeats`"),
    ],
)
def test_mistakes(tmp_path, section, message):
    with pytest.raises(ConfigError, match=message):
        checked(tmp_path, section)


def test_models_must_be_pressed_and_clans_there(tmp_path):
    models = tmp_path / "Rfam.cm"
    models.write_text("INFERNAL1/a\n")
    with pytest.raises(ConfigError, match=r"2 mistakes") as error:
        checked(tmp_path, {"rfam": str(models), "clanin": str(tmp_path / "no")})
    assert f"noncoding.rfam: {models}: is not pressed" in str(error.value)
    assert f"noncoding.clanin: {tmp_path / 'no'}: no such file" in str(error.value)
