"""Downloads with passwords and tokens: they go to the server that they are for, and are shown nowhere."""

from __future__ import annotations

import json
import logging
import re
import ssl
import subprocess

import pytest
from phytozome_server import Fault, PhytozomeServer
from transfers import BODY, QUICK, get, left, ranges

from phytoscribe.errors import DownloadError
from phytoscribe.intake.transfer.addresses import Hidden, shown_url
from phytoscribe.intake.transfer.transfer import fetch

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
    assert "?token=***&lang=***#dbd3a4: the server answered 403 Forbidden (no *** for ***)" in str(caught.value)
    fetch(url, tmp_path / "a.fa")
    assert (tmp_path / "a.fa").read_bytes() == BODY


@pytest.mark.parametrize(
    "said",
    ["no session 5ec2c0ffee", "at %2Fapi%2Fsessions%2F5ec2c0ffee", "x" * 135 + " /api/sessions/5ec2c0ffee is over"],
)
def test_an_answer_that_repeats_the_token(server, tmp_path, waits, said):
    server.plan("plain", Fault(status=403, body=json.dumps({"error": said}).encode()))
    with pytest.raises(DownloadError) as caught:
        get(server, tmp_path, waits, token=Hidden("/api/sessions/5ec2c0ffee"))
    assert "***" in str(caught.value)
    assert "5ec2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.org/b.fa", "https://a.org/b.fa"),
        ("https://u:p@a.org:8080/b.fa#x", "https://***@a.org:8080/b.fa"),
        (
            "https://a.org/b?genome_id=447&X-Amz-Signature=abc",
            "https://a.org/b?genome_id=***&X-Amz-Signature=***#6c9a63",
        ),
        ("https://a.org/b?sv=PLANTED&x=", "https://a.org/b?sv=***&***#6c9a63"),
        ("https://a.org/b?PLANTED", "https://a.org/b?***#6c9a63"),
        ("https://a.org/b?UExBTlRFRA==", "https://a.org/b?***#6c9a63"),
        ("https://a.org/b?page=1&PLANTED", "https://a.org/b?page=***&***#6c9a63"),
        ("https://a.org/b?page=1;PLANTED#PLANTED", "https://a.org/b?page=***#6c9a63"),
        ("https://a.org/b?" + "PLANTED" * 9 + "=1", "https://a.org/b?***#6c9a63"),
        ("https://a.org/b?api_KEY=1&", "https://a.org/b?api_KEY=***"),
        ("https://a.org/b.fa;jsessionid=PLANTED", "https://a.org/b.fa;jsessionid=***"),
        ("https://a.org/a;PLANTED;v=PLANTED/b.fa;c?t=", "https://a.org/a;***;v=***/b.fa;***?***#6c9a63"),
        ("https://u:p@[a/b;PLANTED?PLANTED", "[a/b"),
        ("ftp://u:p%40q@a.org/b", "ftp://***@a.org/b"),
    ],
)
def test_shown_urls(url, shown):
    assert "PLANTED" not in shown_url(url)
    assert re.sub("#.*", "#6c9a63", shown_url(url)) == shown
    assert shown_url(shown_url(url)) == shown_url(url)


def test_what_is_hidden_and_no_secret_still_tells_files_apart():
    def shown(query):
        return shown_url(f"https://a.org/download?{query}")

    assert shown("id=447&token=a") == shown("id=447&token=b") != shown("id=448&token=a")
    assert "447" not in shown("id=447&token=a").partition("#")[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_another_server_gets_no_token(server, tmp_path, waits, caplog, host):
    """Another port of the same host is another server too."""
    with PhytozomeServer() as other:
        other.plain["b.fa"] = BODY
        there = {"Location": other.url("b.fa").replace("127.0.0.1", host) + "?sig=SESAME"}
        server.plan("plain", *[Fault(status=302, headers=there)] * 2)
        other.plan("plain", Fault(cut_at=0.5))
        assert get(server, tmp_path, waits, token=Hidden("abc")) == BODY
        assert ranges(other) == [None, f"bytes={len(BODY) // 2}-"]
        for request in other.requests:
            assert not {"Authorization", "Cookie"} & set(request.headers)
    assert all(request.headers["Authorization"] == "Bearer abc" for request in server.requests)
    assert "SESAME" not in caplog.text


def test_no_redirect_from_https_to_http(server, tmp_path, waits, monkeypatch):
    certificate = tmp_path / "certificate.pem"
    new = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    command = ["openssl", *new.split(), "-keyout", certificate, "-out", tmp_path / "public.pem"]
    subprocess.run(command, check=True, capture_output=True)
    certificate.write_bytes(certificate.read_bytes() + (tmp_path / "public.pem").read_bytes())
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with PhytozomeServer() as safe:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        safe.socket = context.wrap_socket(safe.socket, server_side=True)
        url = f"https://localhost:{safe.server_port}/plain/a.fa"
        for less_safe in (server.url("a.fa"), server.url("a.fa").replace("http:", "ftp:")):
            safe.plan("plain", Fault(status=302, headers={"Location": less_safe}))
            with pytest.raises(DownloadError, match="no web address, or from https to http"):
                fetch(url, tmp_path / "a.fa", settings=QUICK, token=Hidden("abc"), wait=waits.append)
        safe.plain["a.fa"] = BODY
        fetch(url, tmp_path / "a.fa", settings=QUICK, token=Hidden("abc"), wait=waits.append)
        for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.delenv(variable, raising=False)
        with pytest.raises(DownloadError, match=r"certificate is not trusted \(.*\); .* variable CURL_CA_BUNDLE"):
            fetch(url, tmp_path / "b.fa", settings=QUICK, wait=waits.append)
    assert (server.requests, waits) == ([], [])


def test_the_same_server_gets_them_again(server, tmp_path, waits):
    server.plan("plain", Fault(status=307, headers={"Location": "/plain/a.fa"}))
    assert get(server, tmp_path, waits, token=Hidden("abc")) == BODY
    assert [request.headers["Authorization"] for request in server.requests] == ["Bearer abc"] * 2


def test_a_login_file_does_not_replace_the_header(server, tmp_path, waits, monkeypatch):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password wrong\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    get(server, tmp_path, waits, token=Hidden("abc"))
    get(server, tmp_path, waits)
    assert [request.headers["Authorization"].split()[0] for request in server.requests] == ["Bearer", "Basic"]


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("/plain/a.fa", "in a circle"),
        ("file:///etc/passwd", "no web address"),
        ("ftp://127.0.0.1:9/a.fa", "no web address"),
        ("http://[", "cannot be sent"),
        ("", "elsewhere"),
    ],
)
def test_redirects_to_nowhere(server, tmp_path, waits, location, message):
    server.plan("plain", *[Fault(status=302, headers={"Location": location})] * 20)
    with pytest.raises(DownloadError, match=message):
        get(server, tmp_path, waits)
    assert left(tmp_path) == []
