"""Downloads of the wrong file, or to a disk without room: one clear message, and nothing is left that is of no use."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import socket
import threading
from collections import namedtuple

import pytest
from phytozome_server import Fault
from transfers import BODY, MD5, OTHER, PAGE, QUICK, get, left, ranges

from phytoscribe.errors import DownloadError, ToolError
from phytoscribe.intake.transfer import partial as partial_module
from phytoscribe.intake.transfer.transfer import Expected, fetch


def test_a_wrong_checksum_names_both_and_leaves_nothing(server, tmp_path, waits):
    digest = hashlib.sha256(BODY).hexdigest()
    with pytest.raises(DownloadError, match=rf"a\.fa: wrong sha256: {digest} arrived, {'0' * 64} is expected"):
        get(server, tmp_path, waits, Expected(sha256="0" * 64))
    assert (len(server.requests), left(tmp_path)) == (1, [])


def test_a_wrong_size_is_noticed_before_the_body(server, tmp_path, waits):
    with pytest.raises(DownloadError, match=rf"wrong size: {len(BODY)} bytes .* 77 bytes are expected"):
        get(server, tmp_path, waits, Expected(77))
    assert (len(server.requests), left(tmp_path)) == (1, [])


@pytest.mark.parametrize("size", [len(BODY) - 1, len(BODY) + 1])
def test_a_wrong_size_of_a_body_in_chunks(server, tmp_path, waits, size):
    server.plan("plain", *[Fault(chunked=True)] * 9)
    with pytest.raises(DownloadError, match=rf"wrong size: .*{size} bytes"):
        get(server, tmp_path, waits, Expected(size))
    assert (len(server.requests), left(tmp_path)) == (1, [])


def test_pieces_that_do_not_fit_are_fetched_once_more(server, tmp_path, waits, caplog):
    server.plan("plain", Fault(cut_at=0.5, body=OTHER, headers={"ETag": '"one"'}))
    server.plan("plain", Fault(status=503), Fault(status=503))
    with pytest.raises(DownloadError):
        get(server, tmp_path, waits, Expected(md5=MD5))
    # As if the server had kept the name of the version and changed the file.
    etag = f'"{hashlib.sha256(BODY).hexdigest()[:16]}"'
    state = tmp_path / ".a.fa.part.json"
    state.write_text(state.read_text().replace('\\"one\\"', etag.replace('"', '\\"')))
    server.requests.clear()
    assert get(server, tmp_path, waits, Expected(md5=MD5)) == BODY
    assert ranges(server) == [f"bytes={len(OTHER) // 2}-", None]
    assert "fetched in pieces: fetching it anew" in caplog.text


def test_pieces_are_fetched_once_more_but_not_for_ever(server, tmp_path, waits):
    server.plan("plain", *[Fault(cut_at=0.5), Fault()] * 9)
    with pytest.raises(DownloadError, match="wrong md5"):
        get(server, tmp_path, waits, Expected(md5="0" * 32))
    assert (len(server.requests), left(tmp_path)) == (4, [])


def test_an_empty_file(server, tmp_path, waits):
    server.plain["a.fa"] = b""
    with pytest.raises(DownloadError, match="the file is empty"):
        get(server, tmp_path, waits)
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (PAGE, "application/octet-stream", r'web page titled "Sign in" .*login or maintenance page'),
        (b" \r\n<html>" + b"x" * 1000, "", "web page instead of the file"),
        (b"Sorry.", "text/html", "web page instead of the file"),
        (b'{"error": "no such file"}', "application/octet-stream", "a report instead of the file: no such file;"),
        (b"nothing", "application/json", "a report instead of the file: nothing;"),
    ],
)
def test_a_page_with_status_200_is_no_file(server, tmp_path, waits, body, content_type, message):
    server.plan("plain", Fault(body=body, headers={"Content-Type": content_type}))
    with pytest.raises(DownloadError, match=message):
        get(server, tmp_path, waits, Expected(len(BODY)))
    assert (len(server.requests), waits, left(tmp_path)) == (1, [], [])


def test_a_page_in_place_of_the_rest_destroys_nothing(server, tmp_path, waits):
    server.plan("plain", Fault(cut_at=0.5), Fault(body=PAGE, no_ranges=True))
    with pytest.raises(DownloadError, match="web page"):
        get(server, tmp_path, waits, Expected(len(BODY)))
    assert (tmp_path / ".a.fa.part").read_bytes() == BODY[: len(BODY) // 2]


def test_an_unreadable_encoding(server, tmp_path, waits):
    server.plan("plain", Fault(headers={"Content-Encoding": "br"}))
    with pytest.raises(DownloadError, match="compresses the file by br"):
        get(server, tmp_path, waits)


@pytest.mark.parametrize("url", ["gopher://a/b", "http://", "http://[::1/a", "/a/b.fa", "http://a:port/b", "http:///b"])
def test_addresses_that_are_none(url, tmp_path):
    with pytest.raises(DownloadError, match=r"address"):
        fetch(url, tmp_path / "a.fa")
    assert left(tmp_path) == []


def test_a_proxy_that_refuses(server, tmp_path, waits, monkeypatch):
    monkeypatch.setenv("https_proxy", server.address.replace("://", "://me:s3cr3t@"))
    with pytest.raises(DownloadError, match=r"the proxy of your network refuses the connection \(.* 501\)") as caught:
        fetch("https://genomes.example/a.fa", tmp_path / "a.fa", settings=QUICK, wait=waits.append)
    assert "s3cr3t" not in str(caught.value)
    monkeypatch.setenv("https_proxy", "http://no-such-proxy.invalid:9")
    with pytest.raises(DownloadError, match="the proxy of your network cannot be reached"):
        fetch("https://genomes.example/a.fa", tmp_path / "a.fa", settings=QUICK, wait=waits.append)


def test_an_answer_that_is_no_http(tmp_path, waits):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/a.fa"

        def answer():
            for _ in range(3):
                connection, _ = listening.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        answering = threading.Thread(target=answer)
        answering.start()
        with pytest.raises(DownloadError, match=r"3 attempt\(s\) in a row failed, .* HTTP/0\.9 .*check the address"):
            fetch(url, tmp_path / "a.fa", settings=QUICK, wait=waits.append)
        answering.join()


def test_an_answer_cannot_give_orders_to_curl(server, tmp_path, waits):
    etag = f'"a"\r\n output = "{tmp_path}/stolen'
    server.plan("plain", Fault(cut_at=0.5, headers={"ETag": etag}))
    assert get(server, tmp_path, waits) == BODY
    assert left(tmp_path) == ["a.fa"]


def test_without_curl(server, tmp_path, waits, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    message = r"curl is not on PATH, but a download needs it; install it with 'apt install curl' or 'conda install "
    with pytest.raises(ToolError, match=message):
        get(server, tmp_path, waits)
    assert left(tmp_path) == []


def test_no_secure_connection(server, tmp_path, waits, monkeypatch):
    url = server.url("a.fa").replace("http:", "https:")
    with pytest.raises(DownloadError, match=r"the secure connection failed \(.*wrong version number"):
        fetch(url, tmp_path / "a.fa", settings=QUICK, wait=waits.append)
    waits.clear()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "nowhere.pem"))
    with pytest.raises(
        DownloadError, match=r"not where CURL_CA_BUNDLE \(or REQUESTS_CA_BUNDLE, .* correct that environment variable"
    ):
        fetch(url, tmp_path / "a.fa", settings=QUICK, wait=waits.append)
    assert waits == []


def disk(free):
    return lambda _folder: namedtuple("Usage", "total used free")(1 << 40, 0, free)


def test_a_disk_without_room_is_noticed_before(server, tmp_path, waits, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", disk(len(BODY)))
    with pytest.raises(DownloadError, match=r"1,200,006 bytes are still to come .* only 1,200,006 bytes are free in "):
        get(server, tmp_path, waits)
    assert (waits, left(tmp_path)) == ([], [])


def test_only_the_rest_needs_room(server, tmp_path, waits, monkeypatch):
    server.plan("plain", Fault(cut_at=0.5), *[Fault(status=503)] * 2)
    with pytest.raises(DownloadError):
        get(server, tmp_path, waits)
    monkeypatch.setattr(shutil, "disk_usage", disk(len(BODY) // 2 + partial_module.MARGIN_BYTES))
    assert get(server, tmp_path, waits) == BODY


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_meanwhile(server, tmp_path, waits, monkeypatch, number):
    write = partial_module._write_all

    def full(out, block):
        if out.tell() > 300_000:
            raise OSError(number, os.strerror(number))
        write(out, block)

    with monkeypatch.context() as patched:
        patched.setattr(partial_module, "_write_all", full)
        with pytest.raises(
            DownloadError, match=r"the disk \(or your quota\) of .* is full after [\d,]+ bytes, .* kept"
        ):
            get(server, tmp_path, waits)
    assert waits == []
    assert get(server, tmp_path, waits) == BODY
    assert ranges(server)[1].startswith("bytes=")


@pytest.mark.parametrize("name", ["file/a.fa", "a" * 250])
def test_where_nothing_can_be_written(server, tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match=r"a\.fa: nothing can be written into .* \(.*\); check the folder"):
        fetch(server.url("a.fa"), tmp_path / name)
    assert left(tmp_path) == ["file"]
