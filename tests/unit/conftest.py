"""The example genome, unpacked and indexed once per session; a server to download from."""

from pathlib import Path

import pytest
from phytozome_server import PhytozomeServer
from transfers import BODY

from phytoscribe.annotation.checking.check import CheckLimits, check_annotation
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel
from phytoscribe.genome.fasta import Genome, check_fasta, write_index

EXAMPLE = Path(__file__).parents[2] / "resources" / "example" / "athaliana"


@pytest.fixture(scope="session")
def arabidopsis_fasta(tmp_path_factory) -> Path:
    """The example's FASTA with its index beside it."""
    fasta = tmp_path_factory.mktemp("genome") / "athaliana.fa"
    check_fasta(EXAMPLE / "genome.fa.gz", fasta)
    write_index(fasta, f"{fasta}.fai")
    return fasta


@pytest.fixture(scope="session")
def arabidopsis_genes(arabidopsis_fasta) -> list[GeneModel]:
    """The example's accepted gene models."""
    with Genome(arabidopsis_fasta) as genome:
        genes = read_gff3(EXAMPLE / "annotation.gff3.gz", genome.contigs)
        return check_annotation(genes, genome, CheckLimits())[0]


@pytest.fixture
def server(monkeypatch):
    """A server of Phytozome's protocol that also sends ``/plain/a.fa`` without a token."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.delenv("JGI_TOKEN", raising=False)
    with PhytozomeServer() as running:
        running.plain["a.fa"] = BODY
        yield running


@pytest.fixture
def waits() -> list[float]:
    """Seconds that a download wanted to wait: give its ``append`` as ``wait``."""
    return []
