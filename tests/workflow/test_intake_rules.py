"""The intake rules under Snakemake, against a local server that speaks Phytozome's protocol."""

from __future__ import annotations

import csv
import gzip
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from phytozome_server import TOKEN, Fault, PhytozomeServer
from tiny_workflow import TEST, copy_house, cut_annotation, cut_fasta, jobs_of, start, write_config

from phytoscribe.configuration.checks import RELEASED_MODEL_FILES

PIECE = dict([TEST])
FASTA, GFF = cut_fasta(PIECE).encode(), cut_annotation(PIECE).encode()
MANIFEST = "resources/genomes/manifest.tsv"


@pytest.fixture
def server():
    with PhytozomeServer() as running:
        for file in running.files:
            if file.name.endswith((".fa.gz", ".gff3.gz")):
                file.content = gzip.compress(FASTA if ".fa" in file.name else GFF, mtime=0)
        running.plain = {"x.fa.gz": gzip.compress(FASTA, mtime=0), "x.gff3": GFF, "reads.fq": b"@r1\nACGT\n+\nIIII\n"}
        yield running


@pytest.fixture
def house(tmp_path) -> Path:
    """A folder with the workflow and a model folder, so that nothing is trained."""
    folder = copy_house(tmp_path)
    (folder / "released").mkdir()
    for name in RELEASED_MODEL_FILES:
        (folder / "released" / name).write_text("{}")
    return folder


def config_of(server: PhytozomeServer, *genomes: dict) -> dict:
    hosts = {"listing": server.address, "files": server.address, "properties": server.address}
    return {
        "genomes": [{"role": "predict", **genome} for genome in genomes],
        "clean": {"backend": "builtin"},
        "predict": {"model": "released"},
        "download": {"phytozome": hosts, "token_file": "token"},
    }


def of_url(server: PhytozomeServer, **changes) -> dict:
    return {
        "name": "x",
        "genome": {"url": server.url("x.fa.gz"), "version": "v1"},
        "annotation": {"url": server.url("x.gff3"), "assembly": "v1", "version": "v1.1"},
        "isoseq": [{"url": server.url("reads.fq")}],
        "terms": "our own",
        **changes,
    }


THALE = {"name": "thale", "source": {"phytozome": {"genome_id": 447, "assembly": ["TAIR9", "TAIR10"]}}}


def left_in(folder: Path) -> list[str]:
    """Files of the folder ``resources/genomes``."""
    return sorted(str(path.relative_to(folder)) for path in (folder / "resources").rglob("*") if path.is_file())


def holding(folder: Path, secret: str) -> list[str]:
    """Files anywhere in the folder that hold a text, those of Snakemake included."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(".snakemake" in path.parts for path in files)
    return [str(path) for path in files if secret.encode() in path.read_bytes()]


def test_files_of_all_sources_arrive_with_records_and_manifest(house, server):
    config = config_of(server, {"catalogue": "ptrichocarpa"}, THALE, of_url(server))
    write_config(house, config)
    (house / "token").write_text(TOKEN)
    (house / "token").chmod(0o600)
    done = start(house, MANIFEST, environment={"JGI_TOKEN": ""})
    assert done.returncode == 0, done.stdout
    for name in ("ptrichocarpa", "thale", "x"):
        assert (house / f"resources/genomes/{name}/{name}.fa").read_bytes().startswith(FASTA[:60])
        assert (house / f"resources/genomes/{name}/{name}.annotation.gff3").read_bytes() == GFF
    hidden = [path for path in left_in(house) if Path(path).name.startswith(".")]
    assert hidden == [], "downloads are gone once they are used"

    rows = list(csv.DictReader((house / MANIFEST).open(), delimiter="\t"))
    seen = [[row[key] for key in ("genome", "source", "assembly_version", "annotation_version")] for row in rows]
    assert seen == [
        ["ptrichocarpa", "Phytozome 533 (Ptrichocarpa)", "v4.0", "-"],
        ["ptrichocarpa", "Phytozome 533 (Ptrichocarpa)", "v4.0", "v4.1"],
        ["thale", "Phytozome 447 (Athaliana)", "TAIR9 (= TAIR10)", "-"],
        ["thale", "Phytozome 447 (Athaliana)", "TAIR9 (= TAIR10)", "Araport11"],
        ["x", server.url("x.fa.gz"), "v1", "-"],
        ["x", server.url("x.gff3"), "v1", "v1.1"],
        ["x", server.url("reads.fq"), "-", "-"],
    ]
    packed = gzip.compress(FASTA, mtime=0)
    assert rows[0]["file_name"] == "Ptrichocarpa_533_v4.0.fa.gz"
    assert (rows[0]["size"], rows[0]["sha256"]) == (str(len(packed)), hashlib.sha256(packed).hexdigest())
    assert rows[0]["terms"].startswith("restricted")
    assert rows[-1]["terms"] == "our own"

    assert done.stdout.count("ptrichocarpa: Phytozome 533 (Ptrichocarpa): data usage: restricted") == 1
    assert TOKEN not in done.stdout
    assert holding(house, TOKEN) == [str(house / "token")]

    assert "Nothing to be done" in start(house, MANIFEST, "-n").stdout, "no token is needed for what is there"
    # What only describes a file is corrected without another download.
    config["genomes"][2]["terms"] = "changed"
    config["genomes"][2]["genome"]["version"] = ["v1", "1"]
    config["genomes"][1] = {**config["genomes"][1], "source": {"phytozome": {"genome_id": 447}}}
    config["download"]["attempts"] = 2
    write_config(house, config)
    assert set(jobs_of(start(house, MANIFEST, "-n").stdout)) == {"write_manifest"}
    config["genomes"][2]["genome"]["sha256"] = "0" * 64
    write_config(house, config)
    changed = {"download_genome", "download_annotation", "write_manifest"}
    assert set(jobs_of(start(house, MANIFEST, "-n").stdout)) == changed


def kill_in_the_download(house: Path) -> Path:
    """Start a download of genome x, and kill all of its processes once bytes are there; the folder of the genome."""
    folder = house / "resources/genomes/x"
    command = ["snakemake", "resources/genomes/x/x.fa"]
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    with subprocess.Popen(
        command, cwd=house, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    ) as running:
        deadline = time.monotonic() + 60
        while not any(part.stat().st_size >= 2048 for part in folder.glob(".*.part")):
            assert running.poll() is None, running.stdout.read().decode()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.killpg(running.pid, signal.SIGKILL)
    return folder


def test_a_refused_token_is_one_message_and_leaves_nothing(house, server):
    write_config(house, config_of(server, THALE))
    wrong = "no-such-session-c0ffee"
    done = start(house, "resources/genomes/thale/thale.fa", environment={"JGI_TOKEN": wrong})
    assert done.returncode == 1
    assert done.stdout.count("the JGI does not accept your token (401") == 1
    assert "Traceback" not in done.stdout
    log = (house / "logs/intake/thale.genome.log").read_text()
    assert "the JGI does not accept your token (401" in log
    assert len(server.asked("/download_files/5b01/")) == 2
    assert left_in(house) == []
    assert wrong not in done.stdout
    assert holding(house, wrong) == []


def test_a_token_in_an_address_is_in_no_file(house, server):
    """Not in the records of rules, and not in the script of a job that was killed."""
    query = "?token=PLANTED&X-Amz-Signature=PLANTED&lang=en"
    genome = {"url": server.url("x.fa.gz") + query}
    write_config(house, config_of(server, {"name": "x", "genome": genome, "terms": f"see {genome['url']}"}))
    server.plan("plain", Fault(pause=0.2, block=512))
    kill_in_the_download(house)
    assert list(house.glob(".snakemake/scripts/*.download_genome.py"))
    config = [str(house / "config/config.yaml")]
    assert holding(house, "PLANTED") == config
    assert start(house, "--unlock").returncode == 0
    done = start(house, MANIFEST)
    assert done.returncode == 0, done.stdout
    assert server.requests[-1].query == {"token": "PLANTED", "X-Amz-Signature": "PLANTED", "lang": "en"}
    assert holding(house, "PLANTED") == config
    assert "PLANTED" not in done.stdout


def test_a_pair_that_does_not_belong_together_stops_the_annotation(house, server):
    item = of_url(server)
    item["annotation"]["assembly"] = "v2"
    write_config(house, config_of(server, item))
    done = start(house, "resources/genomes/x/x.annotation.gff3")
    assert done.returncode == 1
    message = (
        f"the assembly ({server.url('x.fa.gz')}) is v1, but the annotation ({server.url('x.gff3')}) was made on v2"
    )
    assert done.stdout.count(message) == 1
    assert left_in(house) == ["resources/genomes/x/genome.source.json", "resources/genomes/x/x.fa"]


def test_versions_that_phytozome_does_not_have_stop_the_genome(house, server):
    query = {"genome_id": 533, "assembly": "v4.0", "annotation": "v5.9"}
    write_config(house, config_of(server, {"catalogue": "ptrichocarpa", "source": {"phytozome": query}}))
    done = start(house, "resources/genomes/ptrichocarpa/ptrichocarpa.fa", environment={"JGI_TOKEN": TOKEN})
    assert done.returncode == 1
    assert "declares annotation v5.9, but Ptrichocarpa_533_v4.1.gene_exons.gff3.gz is v4.1" in done.stdout
    assert left_in(house) == []


def test_a_page_in_place_of_a_file(house, server):
    server.plan("plain", *[Fault(body=b"<!DOCTYPE html><title>Log in</title>")] * 2)
    write_config(house, config_of(server, of_url(server)))
    done = start(house, "resources/genomes/x/x.fa")
    assert done.returncode == 1
    assert done.stdout.count('the server sent a web page titled "Log in" instead of the file') == 1
    assert left_in(house) == []


def test_a_killed_run_goes_on_where_it_was(house, server):
    write_config(house, config_of(server, of_url(server)))
    server.plan("plain", Fault(pause=0.2, block=512))
    folder = kill_in_the_download(house)
    assert not (folder / "x.fa").exists()
    assert start(house, "--unlock").returncode == 0
    done = start(house, "resources/genomes/x/x.fa")
    assert done.returncode == 0, done.stdout
    *_, again = server.asked("/plain/x.fa.gz")
    assert int(again.headers["Range"].removeprefix("bytes=").rstrip("-")) >= 2048
    assert (folder / "x.fa").read_bytes().startswith(FASTA[:60])
    assert left_in(house) == ["resources/genomes/x/genome.source.json", "resources/genomes/x/x.fa"]


def test_downloads_run_on_the_login_node(house, server):
    """With the profile of a cluster but none of its programs, downloads arrive: they are no jobs."""
    write_config(house, config_of(server, of_url(server)))
    slurm = ("--profile", "profiles/slurm", "--slurm-init-seconds-before-status-checks", "1")
    done = start(house, "resources/genomes/x/x.annotation.gff3", "resources/genomes/x/isoseq.fastq.gz", *slurm)
    assert done.returncode == 0, done.stdout
    assert (house / "resources/genomes/x/isoseq.fastq.gz").is_file()
    assert "sbatch" not in done.stdout


def test_a_genome_of_unknown_catalogue_entry(house, server):
    write_config(house, config_of(server, {"catalogue": "ptrichocarp"}))
    done = start(house, "all", "-n")
    assert done.returncode == 1
    assert "the catalogue has no entry 'ptrichocarp' (did you mean 'ptrichocarpa'?)" in done.stdout
    assert "Traceback" not in done.stdout
