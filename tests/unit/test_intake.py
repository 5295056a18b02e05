"""Intake: paths and URLs, checksums, truncated and flaky downloads, and that nothing half-fetched stays."""

import gzip
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from phytoscribe.errors import PhytoScribeError
from phytoscribe.intake.reads import join_reads
from phytoscribe.intake.sources import FIRST_WAIT_SECONDS, copy_text, fetch, local_copy

BODY = b">a\nACGT\n" * 1000


class Server(ThreadingHTTPServer):
    """Answers each path with a list of planned answers: (status, announced length, body)."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.plans, self.requests = {}, []

    def url(self, name):
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append(self.path)
        answers = self.server.plans[self.path.strip("/")]
        status, length, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def waits():
    return []


def test_a_local_file_is_used_where_it_lies(tmp_path):
    (tmp_path / "a.fa").write_bytes(BODY)
    source = {"path": str(tmp_path / "a.fa"), "sha256": hashlib.sha256(BODY).hexdigest().upper()}
    with local_copy(source, tmp_path / "out") as path:
        assert path == tmp_path / "a.fa"
    assert path.exists()


def test_missing_file(tmp_path):
    with (
        pytest.raises(PhytoScribeError, match=r"nowhere\.fa: no such file"),
        local_copy({"path": "nowhere.fa"}, tmp_path),
    ):
        pass


@pytest.mark.parametrize("method", ["sha256", "md5"])
def test_wrong_checksum(tmp_path, method):
    (tmp_path / "a.fa").write_bytes(BODY)
    found = hashlib.new(method, BODY).hexdigest()
    source = {"path": str(tmp_path / "a.fa"), method: "0" * len(found)}
    message = rf"a\.fa: the {method} is {found}, the configuration expects 000"
    with pytest.raises(PhytoScribeError, match=message), local_copy(source, tmp_path / "out"):
        pass


def test_a_url_is_fetched_checked_and_removed(tmp_path, server):
    server.plans["a.fa"] = [(200, len(BODY), BODY)]
    source = {"url": server.url("a.fa"), "md5": hashlib.md5(BODY).hexdigest()}
    with local_copy(source, tmp_path / "new" / "out.fa") as path:
        assert path.read_bytes() == BODY
    assert list((tmp_path / "new").iterdir()) == []


def test_wrong_checksum_of_a_download_leaves_nothing(tmp_path, server):
    server.plans["a.fa"] = [(200, len(BODY), BODY)]
    source = {"url": server.url("a.fa"), "sha256": "0" * 64}
    with (
        pytest.raises(PhytoScribeError, match=r"http://.*a\.fa: the sha256 is"),
        local_copy(source, tmp_path / "out.fa"),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_truncated_download_is_noticed_and_tried_again(tmp_path, server, waits):
    server.plans["a.fa"] = [(200, len(BODY), BODY[:1000]), (503, 0, b""), (200, len(BODY), BODY)]
    fetch(server.url("a.fa"), tmp_path / "a.fa", wait=waits.append)
    assert (tmp_path / "a.fa").read_bytes() == BODY
    assert waits == [FIRST_WAIT_SECONDS, 2 * FIRST_WAIT_SECONDS]


def test_a_download_that_stays_truncated_fails_and_leaves_nothing(tmp_path, server, waits):
    server.plans["a.fa"] = [(200, len(BODY), BODY[:1000])]
    with pytest.raises(PhytoScribeError, match=r"after 3 attempt\(s\): 1000 of 8000 bytes arrived"):
        fetch(server.url("a.fa"), tmp_path / "a.fa", attempts=3, wait=waits.append)
    assert list(tmp_path.iterdir()) == []
    assert len(waits) == 2


def test_what_does_not_exist_is_asked_for_once(tmp_path, server, waits):
    server.plans["a.fa"] = [(404, 0, b"")]
    with pytest.raises(PhytoScribeError, match=r"after 1 attempt\(s\): HTTP Error 404"):
        fetch(server.url("a.fa"), tmp_path / "a.fa", wait=waits.append)
    assert server.requests == ["/a.fa"]
    assert waits == []


def test_file_urls(tmp_path, waits):
    (tmp_path / "a.fa").write_bytes(BODY)
    fetch((tmp_path / "a.fa").as_uri(), tmp_path / "b.fa")
    assert (tmp_path / "b.fa").read_bytes() == BODY
    with pytest.raises(PhytoScribeError, match=r"after 1 attempt\(s\)"):
        fetch((tmp_path / "c.fa").as_uri(), tmp_path / "d.fa", wait=waits.append)
    assert waits == []


def test_text_is_unpacked(tmp_path):
    (tmp_path / "a.gff3.gz").write_bytes(gzip.compress(b"one\r\ntwo\n"))
    assert copy_text(tmp_path / "a.gff3.gz", tmp_path / "a.gff3") == 2
    assert (tmp_path / "a.gff3").read_bytes() == b"one\ntwo\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [(gzip.compress(BODY)[:-20], "truncated or corrupt gzip"), (b"\x00\xff\xfe" * 9, "not a text file")],
)
def test_text_that_is_none_leaves_nothing(tmp_path, content, message):
    (tmp_path / "a.gff3.gz").write_bytes(content)
    with pytest.raises(PhytoScribeError, match=message):
        copy_text(tmp_path / "a.gff3.gz", tmp_path / "out" / "a.gff3")
    assert list((tmp_path / "out").iterdir()) == []


def test_reads_are_joined_the_same_way_each_time(tmp_path):
    (tmp_path / "a.fq.gz").write_bytes(gzip.compress(b"@r1\nACGT\n+\nIIII"))  # no newline at the end
    (tmp_path / "b.fq").write_bytes(b"@r2\nAC\n+\nII\n")
    sources = [{"path": str(tmp_path / name)} for name in ("a.fq.gz", "b.fq")]
    for name in ("one.gz", "two.gz"):
        join_reads(sources, tmp_path / name)
    assert gzip.decompress((tmp_path / "one.gz").read_bytes()) == b"@r1\nACGT\n+\nIIII\n@r2\nAC\n+\nII\n"
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "neither FASTQ nor FASTA"),
        (b"ACGT\n", "neither FASTQ nor FASTA"),
        (gzip.compress(b"@r\n" * 99)[:-9], "truncated"),
    ],
)
def test_reads_that_are_none(tmp_path, content, message):
    (tmp_path / "a.fq").write_bytes(content)
    with pytest.raises(PhytoScribeError, match=message):
        join_reads([{"path": str(tmp_path / "a.fq")}], tmp_path / "out" / "reads.gz")
    assert list((tmp_path / "out").iterdir()) == []
