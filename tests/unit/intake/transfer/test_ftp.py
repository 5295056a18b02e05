"""Downloads over FTP, from a real server in a thread."""

from __future__ import annotations

import logging
import threading

import pytest
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import DTPHandler, FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer
from transfers import BODY, MD5, QUICK, UNKNOWN

from phytoscribe.errors import DownloadError
from phytoscribe.intake.transfer.transfer import Expected, fetch


class Server:
    """An FTP server over a folder.

    Attributes:
        commands: what clients said, without logins.
        cuts: each download takes one: the connection ends after so many bytes (None: it does not).
        unknown: commands that the server does not know; "REST 1" stands for all but ``REST 0``.
    """

    def __init__(self, folder):
        self.folder, self.commands, self.cuts, self.unknown = folder, [], [], set()
        outer = self

        class Data(DTPHandler):
            left = None

            def send(self, data):
                if self.left is None:
                    self.left = (outer.cuts.pop(0) if outer.cuts else None) or 1 << 40
                sent = super().send(data[: self.left])
                self.left -= sent
                if not self.left:
                    self.cmd_channel.respond("426 Connection closed; transfer aborted.")
                    self.close()
                return sent

        class Handler(FTPHandler):
            use_sendfile = False
            dtp_handler = Data
            auth_failed_timeout = 0

            def pre_process_command(self, line, cmd, arg):
                if cmd not in ("USER", "PASS"):
                    outer.commands.append(line)
                if cmd == "PASS" and arg == "wr0ng":
                    self.respond(f"530 The password {arg} is wrong.")
                elif cmd in outer.unknown or ("REST 1" in outer.unknown and cmd == "REST" and arg != "0"):
                    self.respond(f"502 Command {cmd} not implemented.")
                else:
                    super().pre_process_command(line, cmd, arg)

        Handler.authorizer = DummyAuthorizer()
        Handler.authorizer.add_anonymous(str(folder))
        Handler.authorizer.add_user("me", "s3cr3t!", str(folder))
        self._loop = IOLoop()
        self._server = FTPServer(("127.0.0.1", 0), Handler, ioloop=self._loop)
        self.port = self._server.address[1]
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def _serve(self):
        while not self._end.is_set():
            self._loop.loop(timeout=0.01, blocking=False)
        self._server.close_all()

    def url(self, name, login=""):
        return f"ftp://{login}127.0.0.1:{self.port}/{name}"

    def asked(self, command):
        """Such commands; curl's question whether REST is known is none that resumes."""
        return [line for line in self.commands if line.startswith(command) and line != "REST 0"]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()


@pytest.fixture
def server(tmp_path, caplog):
    caplog.set_level(logging.WARNING, logger="pyftpdlib")
    folder = tmp_path / "served"
    (folder / "pub").mkdir(parents=True)
    (folder / "pub" / "a b.fa").write_bytes(BODY)
    with Server(folder) as running:
        yield running


def get(server, tmp_path, waits, expected=UNKNOWN, name="pub/a%20b.fa"):
    fetch(server.url(name), tmp_path / "to" / "a.fa", expected, QUICK, wait=waits.append)
    return (tmp_path / "to" / "a.fa").read_bytes()


def left(tmp_path):
    return sorted(path.name for path in (tmp_path / "to").iterdir())


def test_a_file_arrives(server, tmp_path, waits):
    assert get(server, tmp_path, waits, Expected(len(BODY), md5=MD5)) == BODY
    assert (left(tmp_path), waits) == (["a.fa"], [])


def test_what_was_cut_is_completed_from_where_it_ended(server, tmp_path, waits):
    server.cuts = [500_000]
    assert get(server, tmp_path, waits) == BODY
    assert server.asked("REST") == ["REST 500000"]
    assert waits == [2.0]


def test_the_next_run_goes_on(server, tmp_path, waits):
    server.cuts = [300_000, 100, 100]
    with pytest.raises(DownloadError, match=r"could not be downloaded: 3 attempt.*300,200 bytes that have arrived"):
        get(server, tmp_path, waits)
    assert left(tmp_path) == [".a.fa.part", ".a.fa.part.json"]
    assert get(server, tmp_path, waits) == BODY
    assert server.asked("REST")[-1] == "REST 300200"


def test_a_changed_file_begins_anew(server, tmp_path):
    server.cuts = [500_000]
    other = BODY.replace(b"ACGT", b"TTTT")

    def change(_seconds):
        (server.folder / "pub" / "a b.fa").write_bytes(other + b"\n")

    fetch(server.url("pub/a%20b.fa"), tmp_path / "to" / "a.fa", settings=QUICK, wait=change)
    assert (tmp_path / "to" / "a.fa").read_bytes() == other + b"\n"
    assert server.asked("REST") == []


@pytest.mark.parametrize("unknown", [{"SIZE"}, {"MDTM"}, {"SIZE", "MDTM"}, {"REST"}, {"REST 1"}])
def test_old_servers_send_it_again_where_they_must(server, tmp_path, waits, unknown):
    server.unknown, server.cuts = unknown, [500_000]
    expected = Expected(len(BODY), md5=MD5)
    assert get(server, tmp_path, waits, expected) == BODY
    assert len(server.asked("RETR")) == 2
    assert len(waits) == 1


def test_a_missing_file(server, tmp_path, waits):
    with pytest.raises(
        DownloadError, match=r"ftp://127\.0\.0\.1:\d+/pub/b\.fa: the server answered 550 .*no such file"
    ):
        get(server, tmp_path, waits, name="pub/b.fa")
    assert (left(tmp_path), waits) == ([], [])


def test_a_login_is_used_and_never_shown(server, tmp_path, waits, caplog):
    caplog.set_level(logging.DEBUG)
    fetch(server.url("pub/a%20b.fa", "me:s3cr3t!@"), tmp_path / "to" / "a.fa", settings=QUICK)
    with pytest.raises(
        DownloadError, match=r"ftp://\*\*\*@127\.0\.0\.1:.*530 .*check the address and the login"
    ) as caught:
        fetch(server.url("pub/a%20b.fa", "me:wr0ng@"), tmp_path / "to" / "b.fa", settings=QUICK, wait=waits.append)
    assert waits == []
    assert caught.value.__context__ is None  # the library's frames hold the password
    for secret in ("s3cr3t", "wr0ng"):
        assert secret not in caplog.text + str(caught.value)


def test_wrong_files(server, tmp_path, waits):
    with pytest.raises(DownloadError, match=rf"wrong size: {len(BODY)} bytes .* 5 bytes are expected"):
        get(server, tmp_path, waits, Expected(5))
    with pytest.raises(DownloadError, match="wrong md5"):
        get(server, tmp_path, waits, Expected(md5="0" * 32))
    (server.folder / "pub" / "page").write_bytes(b"<html><title>No</title></html>")
    with pytest.raises(DownloadError, match='web page titled "No"'):
        get(server, tmp_path, waits, name="pub/page")
    assert (left(tmp_path), waits) == ([], [])


@pytest.mark.parametrize(
    ("head", "expected", "message"),
    [
        (b"<html><title>No</title>", UNKNOWN, 'web page titled "No"'),
        (b">a\n", Expected(500), "more than the expected 500"),
    ],
)
def test_a_wrong_file_is_not_asked_for_again(server, tmp_path, waits, head, expected, message):
    """The server has still much to send when it is refused, and says so in its next answer."""
    server.unknown = {"SIZE"}
    (server.folder / "large").write_bytes(head + b"A" * 20_000_000)
    with pytest.raises(DownloadError, match=message):
        get(server, tmp_path, waits, expected, name="large")
    assert (len(server.asked("RETR")), waits, left(tmp_path)) == (1, [], [])


@pytest.mark.parametrize("path", ["", "pub/a%0D%0ADELE%20b", "pub/%00"])
def test_addresses_that_are_none(server, tmp_path, path):
    with pytest.raises(DownloadError, match="names no file"):
        fetch(server.url(path), tmp_path / "to" / "a.fa")
    assert server.commands == []


def test_a_closed_port(tmp_path, waits):
    with pytest.raises(DownloadError, match=r"could not be downloaded: 3 attempt\(s\).*connect to server"):
        fetch("ftp://127.0.0.1:9/a.fa", tmp_path / "to" / "a.fa", settings=QUICK, wait=waits.append)
