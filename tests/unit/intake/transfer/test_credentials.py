"""The user's token: where it is read from, and that it shows itself nowhere."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback
from dataclasses import dataclass

import pytest

from phytoscribe.errors import DownloadError
from phytoscribe.intake.transfer.addresses import Hidden, read_token

TOKEN = "/api/sessions/5ec2e7d0c0ffee"


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.delenv("JGI_TOKEN", raising=False)


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "jgi_token"
    path.touch(mode=0o600)
    path.write_text(TOKEN)
    return path


@pytest.mark.parametrize("text", [TOKEN, f"  {TOKEN}\n", f"Bearer {TOKEN}\r\n", f"bearer  {TOKEN}"])
def test_from_the_file(token_file, text):
    token_file.write_text(text)
    assert read_token(token_file).encode() == TOKEN.encode()


def test_from_a_file_with_a_byte_order_mark(token_file):
    token_file.write_bytes(b"\xef\xbb\xbf" + TOKEN.encode() + b"\r\n")
    assert read_token(token_file).encode() == TOKEN.encode()


def test_from_the_users_own_folder(token_file, monkeypatch):
    monkeypatch.setenv("HOME", str(token_file.parent))
    assert read_token("~/jgi_token").encode() == TOKEN.encode()


@pytest.mark.parametrize(("value", "expected"), [("Bearer other", "other"), ("", TOKEN)])
def test_the_environment_comes_first(token_file, monkeypatch, value, expected):
    monkeypatch.setenv("JGI_TOKEN", value)
    assert read_token(token_file).encode() == expected.encode()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_file_that_others_can_read_is_refused(token_file, mode):
    token_file.chmod(mode)
    with pytest.raises(DownloadError, match=rf"jgi_token: other users .* run: chmod 600 {token_file}"):
        read_token(token_file)


def test_no_token_says_how_to_get_one(tmp_path):
    with pytest.raises(
        DownloadError, match=r"none in .*/nowhere: log in at https://data\.jgi\.doe\.gov, open the user"
    ):
        read_token(tmp_path / "nowhere")
    with pytest.raises(DownloadError, match=r"cannot be read \(Is a directory\)|other users"):
        read_token(tmp_path)
    with pytest.raises(DownloadError, match="none in ~no-such-user/token"):
        read_token("~no-such-user/token")


@pytest.mark.parametrize("text", ["", "\n", "Bearer", "Bearer  \n"])
def test_an_empty_file(token_file, text):
    token_file.write_text(text)
    with pytest.raises(DownloadError, match="jgi_token: holds no token"):
        read_token(token_file)


@pytest.mark.parametrize("text", ["5ec2 e7d0", "5ec2\ne7d0", "5ec2\r\nHost: a", "5ec2\x00", "5ec2é", "5" * 10_001])
def test_what_no_token_has(token_file, text, monkeypatch):
    token_file.write_text(text)
    with pytest.raises(DownloadError, match=r"jgi_token: holds blanks, line breaks or other characters") as caught:
        read_token(token_file)
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    locals_ = [
        frame.locals for frame in told.stack if frame.filename.endswith("phytoscribe/intake/transfer/addresses.py")
    ]
    assert locals_
    assert "'text': '***'" in str(locals_)
    if "\x00" not in text:
        monkeypatch.setenv("JGI_TOKEN", text)
        with pytest.raises(DownloadError, match="environment variable JGI_TOKEN: holds blanks"):
            read_token(token_file)


def test_it_shows_itself_nowhere(token_file, caplog):
    @dataclass
    class Holder:
        token: Hidden

    token = read_token(token_file)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("test").debug("%s %r %s", token, token, [token])
    shown = [str(token), repr(token), f"{token}", f"{token!r:>40}", "%s" % token, "{}".format(token)]  # noqa: UP031, UP032
    assert "5ec2" not in "".join(shown) + caplog.text + repr(Holder(token)) + repr([token])
    assert not hasattr(token, "__dict__")


def test_it_is_not_pickled_or_copied(token_file):
    token = read_token(token_file)
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled or copied"):
            way(token)


def test_hidden_stays_what_it_is():
    assert Hidden(Hidden("abc")).encode() == b"abc"
    assert "xabcx".replace(Hidden("abc"), "") == "xx"
