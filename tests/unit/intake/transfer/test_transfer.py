"""Downloads over http(s) and file: what arrives, how patiently, and what the next run takes up."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import random
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from phytozome_server import Fault
from transfers import BODY, MD5, OTHER, PAGE, QUICK, get, left, ranges

from phytoscribe.errors import DownloadError
from phytoscribe.intake.transfer import partial as partial_module
from phytoscribe.intake.transfer.retries import retry_after_seconds
from phytoscribe.intake.transfer.transfer import Expected, TransferSettings, fetch

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


@pytest.mark.parametrize("md5", [MD5, None, "0" * 32])
def test_where_no_rest_is_left_a_checksum_decides(server, tmp_path, waits, md5):
    """All but the mark of the end had arrived of a file whose length the server did not say."""
    server.plan("plain", Fault(chunked=True, cut_at=0.5), *[Fault(status=503)] * 2)
    with pytest.raises(DownloadError, match="503"):
        get(server, tmp_path, waits, Expected(md5=md5))
    (tmp_path / ".a.fa.part").write_bytes(BODY)
    server.requests.clear()
    if md5 == "0" * 32:
        with pytest.raises(DownloadError, match="wrong md5"):
            get(server, tmp_path, waits, Expected(md5=md5))
        assert left(tmp_path) == []
    else:
        assert get(server, tmp_path, waits, Expected(md5=md5)) == BODY
    assert ranges(server) == [f"bytes={len(BODY)}-", *([] if md5 == MD5 else [None])]


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip"])
def test_a_gzip_file_marked_as_encoded_stays_as_it_is(server, tmp_path, waits, caplog, encoding):
    packed = gzip.compress(BODY)
    server.plain["a.fa"] = packed
    server.plan("plain", Fault(headers={"Content-Encoding": encoding}, cut_at=0.5))
    assert get(server, tmp_path, waits, Expected(len(packed))) == packed
    assert "a.fa: the server marks the file as compressed on the way; it is kept as it comes" in caplog.text


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
        ("Tue, 01 Jan 2030 00:00:10", 10.0),
        ("Tue, 01 Jan 2030 00:00:10 -0000", 10.0),
        ("soon", None),
        ("-3", None),
        ("٣", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_values(value, seconds):
    assert retry_after_seconds(value, "Tue, 01 Jan 2030 00:00:00 GMT") == seconds


@pytest.mark.parametrize(
    "date", ["", "soon", "Tue, 99 Jan 2030 00:00:00 GMT", "Tue, 01 Jan 99999999999999999999 00:00", None]
)
def test_retry_after_a_date_that_is_none(date):
    """The clock of this machine counts then."""
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert 90 < retry_after_seconds(until, date) <= 100


def test_a_stall_is_a_broken_connection(server, tmp_path, waits):
    server.plan("plain", Fault(stall_after=900))
    assert get(server, tmp_path, waits, settings=TransferSettings(timeout_seconds=0.3)) == BODY
    assert ranges(server) == [None, "bytes=900-"]


def test_a_trickle_is_a_broken_connection(server, tmp_path, waits):
    server.plan("plain", *[Fault(block=1, pause=0.05)] * 2)
    settings = TransferSettings(attempts=2, timeout_seconds=0.2)
    with pytest.raises(DownloadError, match=r"2 attempt\(s\) in a row failed, .*next to nothing, within the time-out"):
        get(server, tmp_path, waits, settings=settings)


def test_a_slow_body_arrives(server, tmp_path, waits):
    server.plan("plain", Fault(block=120_000, pause=0.05))
    assert get(server, tmp_path, waits, settings=TransferSettings(timeout_seconds=0.3)) == BODY
    assert len(server.requests) == 1


def test_nobody_listens(tmp_path, waits):
    with pytest.raises(DownloadError, match=r"/a\.fa: could not be downloaded: 3 .*connect to server"):
        fetch("http://127.0.0.1:9/a.fa", tmp_path / "a.fa", settings=QUICK, wait=waits.append)
    assert left(tmp_path) == []


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


# The log


def test_progress_lines(server, tmp_path, waits, caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(partial_module, "SECONDS_BETWEEN_LINES", 0.1)
    server.plan("plain", Fault(block=300_000, pause=0.15))
    get(server, tmp_path, waits)
    assert re.search(r"a\.fa: 0\.\d of 1\.2 MB, \d\.\d\d MB/s, 0 min left", caplog.text)


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
