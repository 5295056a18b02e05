"""Downloads over http(s) and file: faults of lines and servers end in the right file or one clear message."""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phytozome_server import Fault, PhytozomeServer

from phytoscribe.errors import DownloadError
from phytoscribe.intake import partial as partial_module
from phytoscribe.intake.addresses import shown_url
from phytoscribe.intake.progress import Progress, watched
from phytoscribe.intake.retries import Interrupted, retry_after_seconds
from phytoscribe.intake.transfer import Expected, TransferSettings, fetch

LIBRARY = Path(__file__).parents[2] / "workflow" / "scripts"
BODY = b">chr1\n" + b"ACGTACGTTTGA" * 5 * 20_000  # 1.2 MB
OTHER = b">chr1\n" + b"TTTTACGTTTGA" * 5 * 20_000
MD5 = hashlib.md5(BODY).hexdigest()
UNKNOWN = Expected()
QUICK = TransferSettings(attempts=3, timeout_seconds=5.0)
PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign\n in</title></head><body>Please log in</body></html>"


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    with PhytozomeServer() as running:
        running.plain["a.fa"] = BODY
        yield running


@pytest.fixture
def waits():
    return []


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def get(server, folder, waits, expected=UNKNOWN, settings=QUICK, **more):
    fetch(server.url("a.fa"), folder / "a.fa", expected, settings, wait=waits.append, **more)
    return (folder / "a.fa").read_bytes()


def ranges(server) -> list[str | None]:
    return [request.headers.get("Range") for request in server.requests]


# What arrives


def test_a_file_arrives_whole_and_alone(server, tmp_path, waits):
    assert get(server, tmp_path / "new", waits, Expected(len(BODY), md5=MD5.upper())) == BODY
    assert left(tmp_path / "new") == ["a.fa"]
    assert waits == []
    assert server.requests[0].headers["Accept-Encoding"] == "identity"


def test_a_file_that_is_there_is_fetched_again(server, tmp_path, waits):
    (tmp_path / "a.fa").write_bytes(b"old")
    assert get(server, tmp_path, waits) == BODY


def test_what_was_cut_is_completed_by_a_range_request(server, tmp_path, waits):
    server.plan("plain", Fault(cut_at=0.5))
    assert get(server, tmp_path, waits) == BODY
    half = len(BODY) // 2
    assert ranges(server) == [None, f"bytes={half}-"]
    assert server.requests[1].headers["If-Range"].startswith('"')
    assert [request.sent for request in server.requests] == [half, len(BODY) - half]
    assert waits == [2.0]
    assert left(tmp_path) == ["a.fa"]


@pytest.mark.parametrize("fault", [Fault(chunked=True), Fault(chunked=True, cut_at=0.3)])
def test_a_body_in_chunks_of_unknown_length(server, tmp_path, waits, fault):
    server.plan("plain", fault)
    assert get(server, tmp_path, waits) == BODY


def test_a_server_without_ranges_sends_it_again(server, tmp_path, waits):
    server.ranges = False
    server.plan("plain", Fault(cut_at=0.5))
    assert get(server, tmp_path, waits) == BODY
    assert ranges(server) == [None, f"bytes={len(BODY) // 2}-"]
    assert server.requests[1].sent == len(BODY)


@pytest.mark.parametrize("expected", [Expected(), Expected(md5=MD5)])
def test_without_a_version_only_a_checksum_allows_to_resume(server, tmp_path, waits, expected):
    server.validators = False
    server.plan("plain", Fault(cut_at=0.5))
    assert get(server, tmp_path, waits, expected) == BODY
    assert ranges(server)[1] == (f"bytes={len(BODY) // 2}-" if expected.md5 else None)


@pytest.mark.parametrize("ranges_follow_etag", [True, False])
def test_a_file_that_changes_meanwhile_begins_anew(server, tmp_path, ranges_follow_etag):
    server.plan("plain", Fault(cut_at=0.5))
    if not ranges_follow_etag:  # a server that honours Range and ignores If-Range
        half = len(BODY) // 2
        rest = {"Content-Range": f"bytes {half}-{len(OTHER) - 1}/{len(OTHER)}", "ETag": '"other"'}
        server.plan("plain", Fault(status=206, body=OTHER[half:], headers=rest))

    def change(_seconds):
        server.plain["a.fa"] = OTHER

    fetch(server.url("a.fa"), tmp_path / "a.fa", settings=QUICK, wait=change)
    assert (tmp_path / "a.fa").read_bytes() == OTHER


def test_a_file_that_shrinks_meanwhile_begins_anew(server, tmp_path):
    server.plan("plain", Fault(cut_at=0.5), Fault(status=416, headers={"Content-Range": "bytes */1000"}))

    def shrink(_seconds):
        server.plain["a.fa"] = BODY[:1000]

    fetch(server.url("a.fa"), tmp_path / "a.fa", settings=QUICK, wait=shrink)
    assert (tmp_path / "a.fa").read_bytes() == BODY[:1000]


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip"])
def test_a_gzip_file_marked_as_encoded_stays_as_it_is(server, tmp_path, waits, encoding):
    packed = gzip.compress(BODY)
    server.plain["a.fa"] = packed
    server.plan("plain", Fault(headers={"Content-Encoding": encoding}, cut_at=0.5))
    assert get(server, tmp_path, waits, Expected(len(packed))) == packed


def test_true_data_with_a_wrong_content_type(server, tmp_path, waits):
    server.plan("plain", Fault(headers={"Content-Type": "text/html; charset=utf-8"}))
    assert get(server, tmp_path, waits) == BODY


@pytest.mark.parametrize("field", ["Content-Length", "Content-Range"])
def test_numbers_that_are_none(server, tmp_path, waits, field):
    """Python refuses to read numbers of more than 4300 digits."""
    server.plan("plain", Fault(cut_at=0.5), Fault(status=206, headers={field: f"bytes {'9' * 5000}-1/2"}))
    server.plan("plain", Fault(headers={"Content-Length": "9" * 5000, "Connection": "close"}))
    assert get(server, tmp_path, waits) == BODY


def test_file_urls(tmp_path, waits):
    (tmp_path / "b c.fa").write_bytes(BODY)
    fetch((tmp_path / "b c.fa").as_uri(), tmp_path / "a.fa", Expected(md5=MD5))
    assert (tmp_path / "a.fa").read_bytes() == BODY
    for url in ((tmp_path / "c.fa").as_uri(), "file://elsewhere/c.fa", tmp_path.as_uri()):
        with pytest.raises(DownloadError, match=r"^file://.*(cannot be read|another machine)"):
            fetch(url, tmp_path / "d.fa", wait=waits.append)
    assert (left(tmp_path), waits) == (["a.fa", "b c.fa"], [])


# Patience


def test_attempts_that_bring_much_are_not_counted(server, tmp_path, waits):
    large = b">chr1\n" + random.Random(1).randbytes(6 << 20)
    server.plain["a.fa"] = large
    server.plan("plain", *[Fault(cut_after=(1 << 20) + 1)] * 5)
    assert get(server, tmp_path, waits, settings=TransferSettings(attempts=1)) == large
    assert waits == [2.0] * 5
    assert sum(request.sent for request in server.requests) == len(large)


def test_a_byte_at_a_time_ends(server, tmp_path, waits):
    server.plan("plain", Fault(cut_after=600), *[Fault(cut_after=1)] * 100)
    message = r"a\.fa: could not be downloaded: 3 attempt\(s\) in a row failed, .* 602 bytes that have arrived are kept"
    with pytest.raises(DownloadError, match=message):
        get(server, tmp_path, waits)
    assert len(server.requests) == 3
    assert waits == [2.0, 4.0]
    assert left(tmp_path) == [".a.fa.part", ".a.fa.part.json"]


def test_half_of_it_again_and_again_ends(server, tmp_path, waits):
    server.plain["a.fa"] = BODY * 3
    server.ranges = False
    server.plan("plain", *[Fault(cut_at=0.5)] * 100)
    with pytest.raises(DownloadError, match="could not be downloaded"):
        get(server, tmp_path, waits)
    assert len(server.requests) == 1 + 3


def test_what_is_kept_is_the_next_runs_start(server, tmp_path, waits):
    server.plan("plain", Fault(cut_at=0.5), *[Fault(status=503)] * 2)
    with pytest.raises(DownloadError, match="503 Service Unavailable"):
        get(server, tmp_path, waits)
    assert get(server, tmp_path, waits) == BODY
    assert ranges(server)[-1] == f"bytes={len(BODY) // 2}-"
    assert left(tmp_path) == ["a.fa"]


def test_ctrl_c_keeps_what_has_arrived(server, tmp_path):
    server.plan("plain", Fault(cut_at=0.5))

    def interrupt(_seconds):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(server.url("a.fa"), tmp_path / "a.fa", wait=interrupt)
    assert left(tmp_path) == [".a.fa.part", ".a.fa.part.json"]
    fetch(server.url("a.fa"), tmp_path / "a.fa")
    assert server.requests[1].sent == len(BODY) - len(BODY) // 2


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_passing_refusals_are_asked_again(server, tmp_path, waits, status):
    server.plan("plain", Fault(status=status, body=PAGE))
    assert get(server, tmp_path, waits) == BODY
    assert waits == [2.0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 407, 409, 410])
def test_final_refusals_are_not(server, tmp_path, waits, status):
    server.plan("plain", Fault(status=status, body=b'{"error": "so \\n it\\u0007 is"}'))
    with pytest.raises(DownloadError, match=rf"/plain/a\.fa: the server answered {status} [\w ]+ \(so it is\): \w+"):
        get(server, tmp_path, waits)
    assert (len(server.requests), waits, left(tmp_path)) == (1, [], [])


def test_a_refused_login_keeps_what_has_arrived_and_a_missing_file_does_not(server, tmp_path, waits):
    server.plan("plain", Fault(cut_at=0.5), Fault(status=401))
    with pytest.raises(DownloadError, match="401 Unauthorized"):
        get(server, tmp_path, waits)
    assert (tmp_path / ".a.fa.part").stat().st_size == len(BODY) // 2
    server.plan("plain", Fault(status=404))
    with pytest.raises(DownloadError, match="404 Not Found"):
        get(server, tmp_path, waits)
    assert left(tmp_path) == []


def test_retry_after_in_seconds_and_as_a_date(server, tmp_path, waits, caplog):
    caplog.set_level(logging.INFO)
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    dates = {"Retry-After": format_datetime(moment + timedelta(seconds=44), usegmt=True)}
    now = {"Date": format_datetime(moment, usegmt=True)}
    server.plan("plain", Fault(status=429, headers={"Retry-After": "33"}), Fault(status=503, headers=dates | now))
    assert get(server, tmp_path, waits) == BODY
    assert waits == [33.0, 44.0]
    assert "trying again in 33 s as the server asks" in caplog.text


def test_a_too_long_retry_after_says_when_to_come_back(server, tmp_path, waits):
    server.plan("plain", Fault(cut_at=0.5), Fault(status=503, headers={"Retry-After": "7200"}))
    message = r"503 Service Unavailable, and asks to come back in 2\.0 h, at \d{4}-\d\d-\d\d \d\d:\d\d.*600,003 bytes"
    with pytest.raises(DownloadError, match=message):
        get(server, tmp_path, waits)
    assert waits == [2.0]
    assert left(tmp_path) == [".a.fa.part", ".a.fa.part.json"]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        (" 12 ", 12.0),
        ("Tue, 01 Jan 2030 00:00:10 GMT", 10.0),
        ("Mon, 31 Dec 2029 23:59:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("٣", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_values(value, seconds):
    assert retry_after_seconds(value, "Tue, 01 Jan 2030 00:00:00 GMT") == seconds


def test_a_stall_is_a_broken_connection(server, tmp_path, waits):
    server.plan("plain", Fault(stall_after=500_000))
    assert get(server, tmp_path, waits, settings=TransferSettings(timeout_seconds=0.3)) == BODY
    assert ranges(server) == [None, "bytes=500000-"]


def test_a_trickle_is_a_broken_connection(server, tmp_path, waits):
    server.plan("plain", *[Fault(block=1, pause=0.05)] * 2)
    settings = TransferSettings(attempts=2, timeout_seconds=0.2)
    with pytest.raises(DownloadError, match=r"2 attempt\(s\) in a row failed, .*only \d bytes came in 0 s"):
        get(server, tmp_path, waits, settings=settings)


def test_a_slow_body_arrives(server, tmp_path, waits):
    server.plan("plain", Fault(block=120_000, pause=0.05))
    assert get(server, tmp_path, waits, settings=TransferSettings(timeout_seconds=0.3)) == BODY
    assert len(server.requests) == 1


def test_nobody_listens(tmp_path, waits):
    with pytest.raises(DownloadError, match=r"/a\.fa: could not be downloaded: 3 .*Connection refused"):
        fetch("http://127.0.0.1:9/a.fa", tmp_path / "a.fa", settings=QUICK, wait=waits.append)
    assert left(tmp_path) == []


# Wrong files


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


# Any sequence of faults

FAULTS = st.one_of(
    st.builds(Fault, cut_after=st.integers(0, 6000)),
    st.builds(Fault, cut_after=st.integers(0, 6000), chunked=st.booleans(), no_ranges=st.booleans()),
    st.builds(Fault, status=st.sampled_from([401, 404, 409, 416, 429, 500, 503])),
    st.builds(Fault, body=st.sampled_from([PAGE, b'{"error": "no"}', b""])),
    st.just(Fault()),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    runs=st.lists(st.tuples(st.lists(FAULTS, max_size=5), st.booleans()), min_size=1, max_size=3),
    ranges_known=st.booleans(),
    validators=st.booleans(),
    checksum=st.booleans(),
)
def test_any_sequence_of_faults(server, tmp_path_factory, runs, ranges_known, validators, checksum):
    """Whatever happens over several runs, with a file that changes between them: a whole version or nothing."""
    folder = tmp_path_factory.mktemp("any")
    versions = [b">a\n" + bytes([letter]) * 5000 for letter in b"AC"]
    server.ranges, server.validators = ranges_known, validators
    now = 0
    for number, (faults, changes) in enumerate([*runs, ([], False)]):
        now ^= changes
        server.plain["a.fa"] = versions[now]
        server.forget("plain")
        server.plan("plain", *faults)
        md5 = hashlib.md5(versions[now]).hexdigest() if checksum else None
        (folder / "a.fa").unlink(missing_ok=True)
        try:
            fetch(server.url("a.fa"), folder / "a.fa", Expected(md5=md5), QUICK, wait=lambda _seconds: None)
        except DownloadError:
            assert number < len(runs), "without a fault it must arrive"
            assert not (folder / "a.fa").exists()
            assert left(folder) in ([], [".a.fa.part", ".a.fa.part.json"])
        else:
            assert (folder / "a.fa").read_bytes() == versions[now]
            assert left(folder) == ["a.fa"]


# What lies there from before


@pytest.mark.parametrize("state", [None, "{", "[]", "{}", '{"address": "another", "expected": {}}'])
def test_bytes_of_unknown_origin_are_not_used(server, tmp_path, waits, state):
    (tmp_path / ".a.fa.part").write_bytes(b"?" * 1000)
    if state is not None:
        (tmp_path / ".a.fa.part.json").write_text(state)
    assert get(server, tmp_path, waits) == BODY
    assert ranges(server) == [None]
    assert left(tmp_path) == ["a.fa"]


def test_bytes_that_were_to_have_another_checksum_are_not_used(server, tmp_path, waits):
    server.plan("plain", Fault(cut_at=0.5), *[Fault(status=503)] * 2)
    with pytest.raises(DownloadError):
        get(server, tmp_path, waits, Expected(md5="1" * 32))
    server.requests.clear()
    assert get(server, tmp_path, waits, Expected(md5=MD5)) == BODY
    assert ranges(server) == [None]


@pytest.mark.parametrize(("expected", "asked"), [(Expected(md5=MD5), []), (Expected(), [])])
def test_a_complete_file_that_was_not_yet_named_needs_no_request(server, tmp_path, waits, expected, asked, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(partial_module.Partial, "finish", lambda self: None)  # as if killed just before
        fetch(server.url("a.fa"), tmp_path / "a.fa", expected)
    assert (tmp_path / ".a.fa.part").read_bytes() == BODY
    server.requests.clear()
    assert get(server, tmp_path, waits, expected) == BODY
    assert server.requests == asked


# The disk


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


# Secrets and redirects

SECRET = "s3cr3t%21"


def test_credentials_in_urls_are_used_and_never_shown(server, tmp_path, waits, caplog):
    caplog.set_level(logging.DEBUG)
    server.plan("plain", Fault(cut_at=0.5), Fault(status=403, body=b'{"error": "no s3cr3t! for SESAME1234"}'))
    url = server.url("a.fa").replace("://", f"://me:{SECRET}@") + "?token=SESAME1234&lang=en"
    with pytest.raises(DownloadError) as caught:
        fetch(url, tmp_path / "a.fa", settings=QUICK, wait=waits.append)
    assert server.requests[0].headers["Authorization"] == "Basic bWU6czNjcjN0IQ=="
    assert server.requests[0].query["token"] == "SESAME1234"
    shown = caplog.text + str(caught.value) + (tmp_path / ".a.fa.part.json").read_text()
    for secret in (SECRET, "s3cr3t", "SESAME", "me:"):
        assert secret not in shown
    assert "***@127.0.0.1" in str(caught.value)
    assert "?token=***&lang=en: the server answered 403 Forbidden (no *** for ***)" in str(caught.value)
    assert "GET /plain/a.fa?token=***&lang=en" in caplog.text  # the HTTP library's own line
    fetch(url, tmp_path / "a.fa")
    assert (tmp_path / "a.fa").read_bytes() == BODY


@pytest.mark.parametrize(
    "said",
    ["no session 5ec2c0ffee", "at %2Fapi%2Fsessions%2F5ec2c0ffee", "x" * 135 + " /api/sessions/5ec2c0ffee is over"],
)
def test_an_answer_that_repeats_the_token(server, tmp_path, waits, said):
    server.plan("plain", Fault(status=403, body=json.dumps({"error": said}).encode()))
    with pytest.raises(DownloadError) as caught:
        get(server, tmp_path, waits, headers={"Authorization": "Bearer /api/sessions/5ec2c0ffee"})
    assert "***" in str(caught.value)
    assert "5ec2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.org/b.fa", "https://a.org/b.fa"),
        ("https://u:p@a.org:8080/b.fa#x", "https://***@a.org:8080/b.fa"),
        (
            "https://u@a.org/b?genome_id=447&X-Amz-Signature=abc",
            "https://***@a.org/b?genome_id=447&X-Amz-Signature=***",
        ),
        ("https://a.org/b?abcdef", "https://a.org/b?***"),
        ("https://a.org/b?api_KEY=1&", "https://a.org/b?api_KEY=***"),
        ("https://u:p@[a/b", "[a/b"),
        ("ftp://u:p%40q@a.org/b", "ftp://***@a.org/b"),
    ],
)
def test_shown_urls(url, shown):
    assert shown_url(url) == shown


def test_another_server_gets_no_headers(server, tmp_path, waits, caplog):
    headers = {"Authorization": "Bearer abc", "X-Api-Key": "def"}
    with PhytozomeServer() as other:
        other.plain["b.fa"] = BODY
        there = {"Location": other.url("b.fa") + "?sig=SESAME"}
        server.plan("plain", *[Fault(status=302, headers=there)] * 2)
        other.plan("plain", Fault(cut_at=0.5))
        assert get(server, tmp_path, waits, headers=headers) == BODY
        assert ranges(other) == [None, f"bytes={len(BODY) // 2}-"]
        for request in other.requests:
            assert not {"Authorization", "X-Api-Key", "Cookie"} & set(request.headers)
    assert all(request.headers["Authorization"] == "Bearer abc" for request in server.requests)
    assert "SESAME" not in caplog.text


def test_the_same_server_gets_them_again(server, tmp_path, waits):
    server.plan("plain", Fault(status=307, headers={"Location": "/plain/a.fa"}))
    assert get(server, tmp_path, waits, headers={"Authorization": "Bearer abc"}) == BODY
    assert [request.headers["Authorization"] for request in server.requests] == ["Bearer abc"] * 2


def test_a_login_file_does_not_replace_the_header(server, tmp_path, waits, monkeypatch):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password wrong\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    get(server, tmp_path, waits, headers={"Authorization": "Bearer abc"})
    get(server, tmp_path, waits)
    assert [request.headers["Authorization"].split()[0] for request in server.requests] == ["Bearer", "Basic"]


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("/plain/a.fa", "in a circle"),
        ("file:///etc/passwd", "no web address"),
        ("http://[", "cannot be sent"),
        ("", "elsewhere"),
    ],
)
def test_redirects_to_nowhere(server, tmp_path, waits, location, message):
    server.plan("plain", *[Fault(status=302, headers={"Location": location})] * 20)
    with pytest.raises(DownloadError, match=message):
        get(server, tmp_path, waits)
    assert left(tmp_path) == []


# Processes


def start(url: str, target: Path, **expected) -> subprocess.Popen:
    code = (
        "import logging, sys; logging.basicConfig(level='INFO')\n"
        "from phytoscribe.intake.transfer import Expected, fetch\n"
        f"fetch({url!r}, {str(target)!r}, Expected(**{expected!r}))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(LIBRARY)},
        stderr=subprocess.PIPE,
        text=True,
    )


def until(condition, seconds=30.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def test_after_kill_9_the_rest_comes_by_range_request(server, tmp_path, waits):
    server.plan("plain", Fault(block=60_000, pause=0.1))
    killed = start(server.url("a.fa"), tmp_path / "a.fa", md5=MD5)
    until(lambda: size_of(tmp_path / ".a.fa.part") >= 300_000)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    arrived = size_of(tmp_path / ".a.fa.part")
    assert left(tmp_path) == [".a.fa.part", ".a.fa.part.json", ".a.fa.part.lock"]
    again = start(server.url("a.fa"), tmp_path / "a.fa", md5=MD5)
    _, said = again.communicate(timeout=30)
    assert again.returncode == 0, said
    assert hashlib.md5((tmp_path / "a.fa").read_bytes()).hexdigest() == MD5
    assert ranges(server) == [None, f"bytes={arrived}-"]
    assert server.requests[1].sent == len(BODY) - arrived
    assert left(tmp_path) == ["a.fa"]


def test_two_processes_take_turns(server, tmp_path):
    server.plan("plain", Fault(block=60_000, pause=0.1))
    first = start(server.url("a.fa"), tmp_path / "a.fa", md5=MD5)
    until(lambda: size_of(tmp_path / ".a.fa.part") > 0)
    second = start(server.url("a.fa"), tmp_path / "a.fa", md5=MD5)
    said = [process.communicate(timeout=30)[1] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), said
    assert "another process is fetching it; waiting" in said[1]
    assert "another process has just fetched" in said[1]
    assert len(server.requests) == 1
    assert (tmp_path / "a.fa").read_bytes() == BODY
    assert left(tmp_path) == ["a.fa"]


def test_the_second_takes_over_when_the_first_dies(server, tmp_path):
    server.plan("plain", Fault(block=60_000, pause=0.1))
    first = start(server.url("a.fa"), tmp_path / "a.fa", md5=MD5)
    until(lambda: size_of(tmp_path / ".a.fa.part") > 0)
    second = start(server.url("a.fa"), tmp_path / "a.fa", md5=MD5)
    assert "another process is fetching" in second.stderr.readline()
    first.kill()
    first.communicate()
    said = second.communicate(timeout=30)[1]
    assert second.returncode == 0, said
    assert "going on from byte" in said
    assert (tmp_path / "a.fa").read_bytes() == BODY
    assert sum(request.sent for request in server.requests) < 1.5 * len(BODY)


# The log


def test_progress_lines(caplog):
    caplog.set_level(logging.INFO)
    times = iter([0.0, 1.0, 5.0, 5.1, 10.0])
    progress = Progress("a.fa", 1_000_000, 100_000_000, clock=lambda: next(times))
    for arrived in (2_000_000, 11_000_000, 12_000_000, 21_000_000):
        progress.update(arrived)
    assert caplog.messages == [
        "a.fa: 11.0 of 100.0 MB, 2.00 MB/s, 44 s left",
        "a.fa: 21.0 of 100.0 MB, 2.00 MB/s, 40 s left",
    ]


def test_slow_lines_are_told_from_dead_ones():
    times = iter([0.0, 61.0, 122.0])
    assert len(list(watched([b"x" * 1000] * 2, 60, lambda: next(times)))) == 2
    times = iter([0.0, 61.0, 122.0])
    with pytest.raises(Interrupted, match="only 999 bytes came in 61 s"):
        list(watched([b"x" * 999] * 2, 60, lambda: next(times)))


def test_what_could_not_be_checked_is_said(server, tmp_path, waits, caplog):
    caplog.set_level(logging.INFO)
    get(server, tmp_path, waits)
    assert "no checksum is known; that the file is right is shown by its size alone" in caplog.text
    server.plan("plain", Fault(chunked=True))
    get(server, tmp_path, waits)
    assert "shown by nothing" in caplog.text
    assert "does not say how long the file is" in caplog.text


def test_the_partial_says_what_it_is_part_of(server, tmp_path, waits):
    server.plan("plain", Fault(cut_at=0.5), *[Fault(status=503)] * 2)
    with pytest.raises(DownloadError):
        get(server, tmp_path, waits, Expected(md5=MD5))
    state = json.loads((tmp_path / ".a.fa.part.json").read_text())
    assert (state["url"], state["size"]) == (server.url("a.fa"), len(BODY))
    assert state["validator"] == f'"{hashlib.sha256(BODY).hexdigest()[:16]}"'
    assert state["expected"] == {"size": None, "sha256": None, "md5": MD5}
