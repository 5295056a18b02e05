"""Phytozome, played by a local server: what is chosen, what is refused, and that the token goes nowhere else."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import replace
from pathlib import Path

import pytest
from phytozome_server import EXAMPLE, TOKEN, Fault, PhytozomeServer, Served

from phytoscribe.errors import ConfigError, DownloadError
from phytoscribe.intake.phytozome.client import fetch_file, resolve, version_in_name
from phytoscribe.intake.phytozome.listing import Downloads, PhytozomeFile, PhytozomeHosts
from phytoscribe.intake.transfer.answers import request_json
from phytoscribe.intake.transfer.transfer import TransferSettings

LIBRARY = Path(__file__).parents[4] / "workflow" / "scripts"
QUICK = TransferSettings(attempts=3, timeout_seconds=5.0)
ATHALIANA = {"genome_id": 447}
POPLAR = {"genome_id": 533}
SECRET = TOKEN.rpartition("/")[2]
FASTA = EXAMPLE / "genome.fa.gz"


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "private" / "token"
    path.parent.mkdir()
    path.touch(mode=0o600)
    path.write_text(f"{TOKEN}\n")
    return path


@pytest.fixture(autouse=True)
def nothing_shows_the_token(caplog):
    """Every test here: the token is in no line of any log, at any level."""
    caplog.set_level(logging.DEBUG)
    yield
    assert SECRET not in caplog.text


@pytest.fixture
def find(server, waits, token_file):
    return lambda query: resolve(query, Downloads(QUICK, server.hosts, token_file, waits.append))


@pytest.fixture
def bring(server, waits, token_file, tmp_path):
    """Fetch a file of the server; its bytes."""

    def fetched(name="Athaliana_447_TAIR10.fa.gz", settings=QUICK):
        entry = server.file(name).entry()
        file = PhytozomeFile(entry["_id"], name, entry.get("file_size"), entry.get("md5sum"), genome_id=447)
        fetch_file(file, tmp_path / "to" / "a", Downloads(settings, server.hosts, token_file, waits.append))
        return (tmp_path / "to" / "a").read_bytes()

    return fetched


def left(tmp_path):
    return sorted(path.name for path in (tmp_path / "to").iterdir())


# Which genome


def test_a_genome_by_its_number(find, server):
    found = find(ATHALIANA)
    assert found.genome_id == found.annotation.genome_id == 447
    assert (found.annotation.proteome, found.annotation.organism) == ("Athaliana", "Arabidopsis thaliana")
    assert (found.genome.assembly_version, found.annotation.annotation_version) == ("TAIR9", "Araport11")
    assert found.genome.file_name == "Athaliana_447_TAIR10.fa.gz"
    assert found.annotation.file_name == "Athaliana_447_Araport11.gene_exons.gff3.gz"
    assert (found.genome.size, found.genome.md5) == (
        FASTA.stat().st_size,
        hashlib.md5(FASTA.read_bytes()).hexdigest(),
    )
    asked = server.requests[0].query
    assert asked == {"genome_id": "447", "api_version": "2", "a": "false", "h": "false", "d": "asc"} | {
        "p": "1",
        "x": "50",
        "t": "simple",
    }


@pytest.mark.parametrize("version", ["v4.1", "V4.1 "])
def test_a_genome_by_name_and_version(find, version):
    found = find({"proteome": "ptrichocarpa", "version": version})
    assert found.genome_id == 533
    assert found.genome.file_name == "Ptrichocarpa_533_v4.0.fa.gz"
    assert found.annotation.file_name == "Ptrichocarpa_533_v4.1.gene_exons.gff3.gz"


def test_a_name_with_another_version_lists_what_there_is(find):
    message = r"Phytozome Ptrichocarpa v3\.0: no genomes have .*; found: Ptrichocarpa v4\.1 \(genome_id 533\); give"
    with pytest.raises(ConfigError, match=message):
        find({"proteome": "Ptrichocarpa", "version": "v3.0"})


def test_a_name_that_two_genomes_have_is_no_choice(find, server):
    server.files += [replace(file, genome_id=999, file_id=f"x{file.file_id}") for file in server.files[:5]]
    message = r"2 genomes have .* Athaliana Araport11 \(genome_id 447\), Athaliana Araport11 \(genome_id 999\)"
    with pytest.raises(ConfigError, match=message):
        find({"proteome": "Athaliana", "version": "Araport11"})


@pytest.mark.parametrize("query", [{"genome_id": 1}, {"proteome": "Nobody", "version": "v1"}])
def test_an_empty_list(find, query):
    with pytest.raises(
        ConfigError, match=r"^Phytozome (1|Nobody v1): (the server lists no files|no genomes .* nothing)"
    ):
        find(query)


def test_files_of_other_genomes_in_the_answer_are_left_out(find, server):
    stray = replace(server.file("Ptrichocarpa_533_v4.0.fa.gz"), file_id="77")
    server.files.insert(0, stray)
    server.plan("listing", Fault(body=json.dumps(all_in_one(server)).encode()))
    assert find(ATHALIANA).genome.genome_id == 447


def all_in_one(server):
    return {"organisms": [{"files": [file.entry() for file in server.files]}], "next_page": False}


@pytest.mark.parametrize("query", [ATHALIANA, {"proteome": "Athaliana", "version": "Araport11"}])
def test_two_pages(find, server, query):
    server.page_size = 4
    assert find(query).annotation.file_name == "Athaliana_447_Araport11.gene_exons.gff3.gz"
    assert [request.query["p"] for request in server.asked("file_list")] == ["1", "2"]


def test_pages_without_end(find, server):
    body = {**all_in_one(server), "next_page": 1}
    server.plan("listing", *[Fault(body=json.dumps(body).encode())] * 5)
    with pytest.raises(DownloadError, match="list of files does not end"):
        find(ATHALIANA)
    assert len(server.requests) == 1


def test_ever_new_pages_end(find, server, monkeypatch):
    pages = iter(range(2, 10_000))
    monkeypatch.setattr(Downloads, "json", lambda *_: {"organisms": [], "next_page": next(pages)})
    with pytest.raises(DownloadError, match=rf"^{server.address}: the list of files does not end; .* give genome_id"):
        find(ATHALIANA)
    assert next(pages) == 402


# Which files


def drop(server, *names):
    server.files = [file for file in server.files if file.name not in names]


def test_a_soft_masked_assembly_only_where_there_is_no_other(find, server, caplog):
    drop(server, "Athaliana_447_TAIR10.fa.gz")
    assert find(ATHALIANA).genome.file_name == "Athaliana_447_TAIR10.softmasked.fa.gz"
    assert "only a soft-masked assembly is listed" in caplog.text


def test_a_hard_masked_assembly_never(find, server):
    drop(server, "Athaliana_447_TAIR10.fa.gz", "Athaliana_447_TAIR10.softmasked.fa.gz")
    with pytest.raises(ConfigError, match=r"Phytozome 447: no assembly \(\.fa\.gz, not hard-masked\) is listed; .*cds"):
        find(ATHALIANA)
    with pytest.raises(ConfigError, match="is hard-masked"):
        find({**ATHALIANA, "genome_file": "Athaliana_447_TAIR10.hardmasked.fa.gz"})


def test_an_annotation_without_exons_only_where_there_is_no_other(find, server, caplog):
    drop(server, "Athaliana_447_Araport11.gene_exons.gff3.gz")
    assert find(ATHALIANA).annotation.file_name == "Athaliana_447_Araport11.gene.gff3.gz"
    assert "no gene_exons.gff3.gz is listed" in caplog.text
    drop(server, "Athaliana_447_Araport11.gene.gff3.gz")
    with pytest.raises(ConfigError, match=r"no gene annotation .* name one with `annotation_file`"):
        find(ATHALIANA)


def test_several_assemblies_are_no_choice(find, server):
    server.files.append(Served("5b09", "Athaliana_447_TAIR10.mtMinus.fa.gz", b"\x1f\x8b", "assembly"))
    message = (
        r"2 files could be the assembly .*TAIR10\.fa\.gz \(id 5b01\), .*mtMinus\.fa\.gz \(id 5b09\); .*genome_file`"
    )
    with pytest.raises(ConfigError, match=message):
        find(ATHALIANA)
    for choice in ("Athaliana_447_TAIR10.mtMinus.fa.gz", "5b09"):
        assert find({**ATHALIANA, "genome_file": choice}).genome.file_id == "5b09"
    with pytest.raises(ConfigError, match="no file nothing is listed"):
        find({**ATHALIANA, "genome_file": "nothing"})
    assert find({**ATHALIANA, "genome_file": "5b09", "annotation_file": "5b04"}).annotation.file_id == "5b04"


def test_the_same_file_listed_twice_is_one(find, server):
    server.files.append(replace(server.file("Athaliana_447_TAIR10.fa.gz"), file_id="5b99"))
    assert find(ATHALIANA).genome.file_id == "5b01"


@pytest.mark.parametrize(
    "declared",
    [
        {"assembly": "TAIR10"},
        {"assembly": "tair9"},
        {"assembly": ["TAIR10.1", "TAIR9"], "annotation": "Araport11"},
        {"annotation": ["x", "araport11"]},
    ],
)
def test_declared_versions_that_hold(find, declared):
    assert find({**ATHALIANA, **declared}).genome_id == 447


def test_the_pair_of_poplar(find):
    assert find({**POPLAR, "assembly": "v4.0", "annotation": "v4.1"}).genome_id == 533
    message = (
        r"Phytozome 533: the configuration declares assembly v4\.1, but Ptrichocarpa_533_v4\.0\.fa\.gz is v4\.0 for"
    )
    with pytest.raises(ConfigError, match=message):
        find({**POPLAR, "assembly": "v4.1"})
    with pytest.raises(ConfigError, match=r"declares annotation v4\.0 = 4, but .*gene_exons\.gff3\.gz is v4\.1"):
        find({**POPLAR, "annotation": ["v4.0", "4"]})


def test_an_annotation_of_another_assembly(find, server):
    server.file("Athaliana_447_Araport11.gene_exons.gff3.gz").assembly_version = "TAIR8"
    message = r"is assembly TAIR9, but .* was made on assembly TAIR8; .* declare `assembly: \[TAIR9, TAIR8\]`"
    with pytest.raises(ConfigError, match=message):
        find(ATHALIANA)
    assert find({**ATHALIANA, "assembly": ["TAIR9", "TAIR8"]}).genome_id == 447


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("Athaliana_447_TAIR10.fa.gz", "TAIR10"),
        ("Ptrichocarpa_533_v4.1.gene_exons.gff3.gz", "v4.1"),
        ("Gmax_880_Wm82.a6.v1.softmasked.fa.gz", "Wm82.a6.v1"),
        ("Zmays_284_Ensembl-18_2010-01-MaizeSequence.gene.gff3.gz", "Ensembl-18_2010-01-MaizeSequence"),
        ("genome.fa.gz", None),
        ("Athaliana_447_TAIR10.txt", None),
    ],
)
def test_versions_in_names(name, version):
    assert version_in_name(name) == version


def test_what_the_listing_leaves_out(find, server, bring, caplog):
    name = "Athaliana_447_TAIR10.fa.gz"
    server.file(name).md5, server.file(name).size = None, None
    found = find(ATHALIANA).genome
    assert (found.md5, found.size) == (None, None)
    assert bring(name) == FASTA.read_bytes()
    assert f"{name}: the listing gives no size and no md5 to check the download by" in caplog.text


def test_sparse_entries(find, server):
    """Numbers as texts, lists of one, and files that say nothing of themselves."""
    body = all_in_one(server)
    files = body["organisms"][0]["files"]
    for entry in files:
        about = entry["metadata"]["phytozome"]
        about["proteome_id"] = str(about["proteome_id"])
        about["annotation_version"] = [about["annotation_version"]]
        entry["file_size"] = str(entry["file_size"])
    files += [{}, {"_id": "1"}, None, {"_id": "2", "file_name": "readme.txt", "metadata": None}]
    body["organisms"].append({"files": None})
    server.plan("listing", Fault(body=json.dumps(body).encode()))
    found = find({"proteome": "Athaliana", "version": "Araport11"})
    assert (found.genome_id, found.genome.size) == (447, FASTA.stat().st_size)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error": "index is\\nbeing rebuilt"}', r"phytozome_file_list/.*the server reports: index is being rebuilt"),
        (b'{"files": []}', "not the expected list of files"),
        (b"[]", "not the expected list of files"),
        (b'{"organisms": ["a"]}', "not the expected list of files"),
        (b'{"organisms": [{"files": [{"_id": "../x", "file_name": "a_447_b.fa.gz"}]}]}', "an id that cannot be asked"),
        (b"<html><title>Maintenance</title>", 'web page titled "Maintenance"'),
        (b"all fine", "the answer is no JSON"),
        (b"[" * 100_000, "report instead of the file"),
    ],
)
def test_answers_that_are_no_list(find, server, body, message):
    server.plan("listing", Fault(body=body))
    with pytest.raises(DownloadError, match=message):
        find(ATHALIANA)
    assert len(server.requests) == 1


def test_a_busy_listing_is_asked_again(find, server, waits):
    server.plan("listing", Fault(status=503, headers={"Retry-After": "7"}), Fault(cut_at=0.5), Fault(stall_after=10))
    settings = TransferSettings(attempts=4, timeout_seconds=0.3)
    assert resolve(ATHALIANA, Downloads(settings, server.hosts, wait=waits.append)).genome_id == 447
    assert waits == [7.0, 4.0, 8.0]


def test_no_more_than_the_page_size_is_asked(server):
    assert server.page_size <= 50
    with pytest.raises(DownloadError, match=r"400 Bad Request \(max page size is 50\)"):
        request_json(f"{server.address}/phytozome_file_list/?genome_id=447&p=1&x=51", QUICK)


def test_an_answer_without_end_does_not_fill_the_memory(server):
    server.plan("listing", Fault(body=b" " * (80 << 20)))
    with pytest.raises(DownloadError, match=r"far too long for a list of files; check the address"):
        request_json(f"{server.address}/phytozome_file_list/?genome_id=447&p=1&x=50", QUICK)


# Terms


def test_unrestricted_terms(find, server, caplog):
    page = f"{server.address}/info/447"
    assert find(ATHALIANA).terms == f"unrestricted, see {page}"
    assert f"Phytozome 447: data usage is unrestricted, see {page}" in caplog.text


def test_restricted_terms_are_a_warning(find, server, caplog):
    assert find(POPLAR).terms.startswith("restricted, see ")
    (warning,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "agreement of the data's owners" in warning.getMessage()
    assert f"{server.address}/info/533" in warning.getMessage()


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(status=404), Fault(body=b"<html>"), Fault(body=b"[]")])
@pytest.mark.parametrize(("listed", "terms"), [("Restricted", "restricted"), (None, "not stated")])
def test_terms_from_the_listing_where_the_service_is_silent(find, server, caplog, fault, listed, terms):
    body = all_in_one(server)
    if listed:
        body["organisms"][0]["data_utilization_status"] = listed
    server.plan("listing", Fault(body=json.dumps(body).encode()))
    server.plan("properties", fault, fault)
    assert find(ATHALIANA).terms.startswith(f"{terms}, see ")
    assert f"states no usage terms; according to the file listing: {terms}" in caplog.text


# The download


def test_a_file_comes_with_the_token(bring, server):
    assert bring() == FASTA.read_bytes()
    assert server.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_the_token_goes_to_the_downloads_alone(find, bring, server):
    find(ATHALIANA)
    bring()
    for request in server.requests:
        assert ("Authorization" in request.headers) == request.path.startswith("/download_files/")
        told = {key: value for key, value in request.headers.items() if key != "Authorization"}
        assert SECRET not in request.path + str(request.query) + str(told) + request.body.decode()


def test_both_kinds_of_retry_after(bring, server, waits):
    server.plan("files", Fault(status=429, headers={"Retry-After": "11"}))
    dates = {"Retry-After": "Tue, 01 Jan 2030 00:00:13 GMT", "Date": "Tue, 01 Jan 2030 00:00:00 GMT"}
    server.plan("files", Fault(status=503, headers=dates))
    assert bring() == FASTA.read_bytes()
    assert waits == [11.0, 13.0]


@pytest.mark.parametrize(
    "faults",
    [
        [Fault(cut_at=0.5)],
        [Fault(cut_at=0.5), Fault(no_ranges=True)],
        [Fault(stall_after=900)],
        [Fault(cut_at=0.9, headers={"ETag": '"old"'}, body=b">" + bytes(1_000_000), length=None, chunked=True)],
        [Fault(chunked=True, cut_at=0.1)],
        [Fault(block=700_000, pause=0.05)],
    ],
    ids=["cut", "no ranges", "stall", "changed", "chunks", "slow"],
)
def test_faults_of_the_line(bring, server, tmp_path, faults):
    server.plan("files", *faults)
    assert bring(settings=TransferSettings(timeout_seconds=0.5)) == FASTA.read_bytes()
    assert left(tmp_path) == ["a"]


def test_a_cut_file_is_completed_by_range(bring, server):
    server.plan("files", Fault(cut_at=0.5))
    bring()
    half = FASTA.stat().st_size // 2
    assert [request.sent for request in server.requests] == [half, FASTA.stat().st_size - half]
    assert server.requests[1].headers["Range"] == f"bytes={half}-"


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (
            401,
            r"TAIR10\.fa\.gz: the JGI does not accept your token \(401: Session \*\*\*\): it has expired .* log in at",
        ),
        (403, r"TAIR10\.fa\.gz: the JGI does not allow you this file \(403: Session \*\*\*\): its terms .*/info/447 "),
        (404, r"TAIR10\.fa\.gz \(.*\): the server answered 404 Not Found \(Session \*\*\*\): there is no such file"),
    ],
)
def test_refusals(bring, server, tmp_path, status, message):
    """The server repeats the token in its answer; the message does not."""
    server.plan("files", Fault(status=status, body=json.dumps({"error": f"Session {TOKEN}"}).encode()))
    with pytest.raises(DownloadError, match=message) as caught:
        bring()
    assert SECRET not in str(caught.value)
    assert (len(server.requests), left(tmp_path)) == (1, [])


def shown_with_locals(error: BaseException) -> str:
    """A traceback as the most talkative programs print it, without this file's own frames."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in told.stack if "scripts/phytoscribe/" in frame.filename]
    assert frames
    return str(error) + "".join(str(frame.locals) for frame in frames)


@pytest.mark.parametrize(
    "faults", [[Fault(cut_at=0.01)] * 3, [Fault(status=401)], [Fault(status=404)], [Fault(body=b"<html>")]]
)
def test_no_traceback_shows_the_token(bring, server, faults):
    server.plan("files", *faults)
    with pytest.raises(DownloadError) as caught:
        bring()
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in shown_with_locals(error)
        error = error.__cause__ or error.__context__


def test_without_a_token_nothing_is_asked(bring, server, token_file):
    token_file.unlink()
    with pytest.raises(
        DownloadError, match=r"Phytozome downloads need a token, .* log in at https://data\.jgi\.doe\.gov"
    ):
        bring()
    assert server.requests == []


def test_a_wrong_token(bring, server, token_file):
    token_file.write_text("another")
    with pytest.raises(DownloadError, match=r"does not accept your token \(401: Unauthorized\)"):
        bring()


@pytest.mark.parametrize(
    ("md5", "size", "message"),
    [
        (
            "0" * 32,
            -1,
            rf"TAIR10\.fa\.gz .*wrong md5: {hashlib.md5(FASTA.read_bytes()).hexdigest()} arrived, 0{{32}} is",
        ),
        ("true", 5, r"TAIR10\.fa\.gz .*wrong size: \d{7} bytes .* 5 bytes are expected"),
    ],
)
def test_another_file_than_listed(bring, server, tmp_path, md5, size, message):
    file = server.file("Athaliana_447_TAIR10.fa.gz")
    file.md5, file.size = md5, size
    with pytest.raises(DownloadError, match=message):
        bring()
    assert (len(server.requests), left(tmp_path)) == (1, [])


@pytest.mark.parametrize("body", [b"<!doctype HTML><title>Log in</title>", b'{"error": "no"}'])
def test_a_page_in_place_of_the_file(bring, server, tmp_path, body):
    server.plan("files", Fault(body=body))
    with pytest.raises(DownloadError, match=r'(web page titled "Log in"|a report) instead of the file'):
        bring()
    assert left(tmp_path) == []


def test_a_redirect_to_a_store_gets_no_token(bring, server):
    with PhytozomeServer() as store:
        store.plain["a"] = FASTA.read_bytes()
        server.plan("files", Fault(status=302, headers={"Location": store.url("a") + "?X-Amz-Signature=abc"}))
        assert bring() == FASTA.read_bytes()
    assert "Authorization" not in store.requests[0].headers
    assert store.requests[0].query == {"X-Amz-Signature": "abc"}


# On tape


def test_files_on_tape_are_asked_for_together(find, server):
    for name in ("Athaliana_447_TAIR10.fa.gz", "Athaliana_447_Araport11.gene_exons.gff3.gz"):
        server.file(name).status = "PURGED"
    message = (
        r"^Athaliana_447_TAIR10\.fa\.gz and Athaliana_447_Araport11\.gene_exons\.gff3\.gz: on tape at the JGI, .*"
        r"\(request 220699\) .*: run the same command again then$"
    )
    with pytest.raises(DownloadError, match=message):
        find(ATHALIANA)
    (asked,) = server.asked("request_archived_files")
    assert json.loads(asked.body) == {"ids": ["5b01", "5b05"], "send_mail": False, "api_version": "2"}
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_file_that_turns_out_to_be_on_tape(bring, server, tmp_path):
    server.plan("files", Fault(status=409))
    with pytest.raises(
        DownloadError, match=r"^Athaliana_447_TAIR10\.fa\.gz: on tape .*run the same command again then$"
    ):
        bring()
    (asked,) = server.asked("request_archived_files")
    assert json.loads(asked.body)["ids"] == ["5b01"]
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault(status=401), "does not accept your token"),
        (Fault(status=403), "does not allow you this file"),
        (
            Fault(status=400, body=b'{"error": "quota"}'),
            r"on tape .* could not be requested: .*400 Bad Request \(quota\)",
        ),
        (
            Fault(body=json.dumps({"error": f"no {TOKEN}"}).encode()),
            r"could not be requested: no \*\*\*; try again later",
        ),
        (Fault(body=b"{}"), "restoring has been requested and usually"),
    ],
)
def test_restoring_that_fails(find, server, fault, message):
    server.file("Athaliana_447_TAIR10.fa.gz").status = "PURGED"
    server.plan("restore", fault)
    with pytest.raises(DownloadError, match=message) as caught:
        find(ATHALIANA)
    assert SECRET not in str(caught.value)


def test_restoring_needs_a_token(find, server, token_file):
    server.file("Athaliana_447_TAIR10.fa.gz").status = "PURGED"
    token_file.unlink()
    with pytest.raises(DownloadError, match=r"on tape .* needs a token: .* log in at https://data\.jgi\.doe\.gov"):
        find(ATHALIANA)
    assert server.asked("request_archived_files") == []


# Hosts


@pytest.mark.parametrize("name", ["listing", "files", "properties"])
@pytest.mark.parametrize(
    "address", ["http://files.jgi.doe.gov", "ftp://a.org", "files.jgi.doe.gov", "http://127.0.0.1.a.org"]
)
def test_hosts_must_be_safe(name, address):
    with pytest.raises(ConfigError, match=rf"download\.phytozome\.{name}: .* is no https address"):
        PhytozomeHosts(**{name: address})


def test_hosts_of_the_world():
    assert PhytozomeHosts(listing="https://files.jgi.doe.gov/") == PhytozomeHosts()


# A process of its own


def command_lines(process: int) -> list[bytes]:
    """Those of a process and its children."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [Path(f"/proc/{number}/cmdline").read_bytes() for number in (process, *children)]


def test_kill_9_and_again_from_the_command_line(server, tmp_path, token_file):
    """The token is on no command line and in no file; the rest comes by range, with the right checksum."""
    code = (
        "import logging, sys\n"
        "logging.basicConfig(level='DEBUG')\n"
        "from phytoscribe.intake.phytozome.client import fetch_file, resolve\n"
        "from phytoscribe.intake.phytozome.listing import Downloads, PhytozomeHosts\n"
        f"downloads = Downloads(hosts=PhytozomeHosts(*['{server.address}'] * 3))\n"
        "found = resolve({'genome_id': 447}, downloads)\n"
        f"fetch_file(found.genome, '{tmp_path}/to/a', downloads)\n"
    )

    def start():
        return subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(LIBRARY), "JGI_TOKEN": TOKEN},
            stderr=subprocess.PIPE,
        )

    server.plan("files", Fault(block=100_000, pause=0.1))
    partial = tmp_path / "to" / ".a.part"
    killed = start()
    end = time.monotonic() + 30
    while not (partial.exists() and partial.stat().st_size >= 500_000):
        assert time.monotonic() < end, "nothing arrives"
        assert killed.poll() is None, killed.stderr.read()
        time.sleep(0.01)
    assert [SECRET.encode() in line for line in command_lines(killed.pid)] == [False, False], "Python's and curl's"
    killed.send_signal(signal.SIGKILL)
    said = killed.communicate()[1]
    arrived = partial.stat().st_size
    for path in (tmp_path / "to").iterdir():
        assert SECRET.encode() not in path.read_bytes()
    again = start()
    said += again.communicate(timeout=120)[1]
    assert again.returncode == 0, said
    assert SECRET.encode() not in said
    assert (tmp_path / "to" / "a").read_bytes() == FASTA.read_bytes()
    _, second = server.asked("download_files")
    assert second.headers["Range"] == f"bytes={arrived}-"
    assert second.sent == FASTA.stat().st_size - arrived
    assert left(tmp_path) == ["a"]
