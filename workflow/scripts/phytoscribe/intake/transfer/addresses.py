"""Addresses and secrets: what can be fetched, with which token, and what may be shown.

The user's token for the JGI servers comes from the environment or a private file.  Whoever has it acts as the user: it
is no configuration value, no argument of a program, and no part of a log, an error message or a traceback.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit, urlunsplit

from phytoscribe.errors import DownloadError

MASK = "***"
VARIABLE = "JGI_TOKEN"
DEFAULT_FILE = "~/.config/phytoscribe/jgi_token"
HOW_TO_GET_ONE = (
    "log in at https://data.jgi.doe.gov, open the user menu, copy the session token (it lasts some hours to days), and "
    f"put it into the environment variable {VARIABLE} or a file with mode 600"
)

_LONGEST = 10_000
#: A query value is hidden if its key contains one of these: tokens, and the signed addresses of object stores.
_SECRET_KEYS = ("token", "key", "sig", "pass", "pwd", "secret", "auth", "cred", "session", "jwt", "code")


class Hidden(str):
    """A text that can be sent (``encode``) and compared but not seen (``repr``, ``str``, formats)."""

    __slots__ = ()

    def __new__(cls, text: str) -> Hidden:
        return super().__new__(cls, "".join(text))  # not str(text): that is the mask, if text is hidden already

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __reduce__(self) -> NoReturn:
        raise TypeError("a hidden value cannot be pickled or copied")


def split_url(url: str) -> SplitResult:
    """The parts of a URL.

    Raises:
        DownloadError: the text is no URL of a scheme that can be fetched.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise DownloadError(f"{shown_url(url)}: not a valid address; correct the URL") from None
    if parts.scheme not in ("http", "https", "ftp", "file"):
        raise DownloadError(f"{shown_url(url)}: only http, https, ftp and file addresses can be fetched")
    if parts.scheme != "file" and not parts.hostname:
        raise DownloadError(f"{shown_url(url)}: the address names no host; correct the URL")
    return parts


def shown_url(url: str) -> str:
    """The URL as it may stand in messages and logs: no user, no password, no token in the query.

    A query that is not made of ``key=value`` pairs is hidden whole.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.rpartition("@")[2].partition("?")[0]
    query, pairs = parts.query, parse_qsl(parts.query, keep_blank_values=True)
    if query:
        shown = "&".join(f"{quote(key)}={MASK if _is_secret(key) else quote(value)}" for key, value in pairs)
        query = shown if pairs and "=" in query else MASK
    _, at, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{MASK}@{host}" if at else host, query=query, fragment=""))


def secrets_in(url: str, token: Hidden | None) -> list[Hidden]:
    """What a server must not be quoted with: passwords, keys and the token of a request; longest first.

    The last part of a token such as ``/api/sessions/5ec2`` is a secret by itself, and in addresses its letters differ.
    """
    parts = urlsplit(url)
    found = [unquote(parts.password or ""), *(value for key, value in parse_qsl(parts.query) if _is_secret(key))]
    if token is not None:
        found += [token, token.rpartition("/")[2]]
    quoted = [quote(secret.encode(), safe="") for secret in found]
    return sorted((Hidden(secret) for secret in {*found, *quoted} if secret), key=len, reverse=True)


def conceal(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret masked, also one that a shortened text breaks off in."""
    for secret in secrets:
        text = text.replace(secret, MASK)
        for length in range(len(secret) - 1, 3, -1):
            text = text.replace(secret[:length] + "...", f"{MASK}...")
    return text


def _is_secret(key: str) -> bool:
    return any(word in key.lower() for word in _SECRET_KEYS)


def read_token(token_file: str | Path = DEFAULT_FILE) -> Hidden:
    """The token from the environment variable ``JGI_TOKEN``, else from the file.

    With or without "Bearer " before it, as the portal's page or its documentation show it.

    Raises:
        DownloadError: there is none, the file can be read by others, or it holds something else.
    """
    where = f"environment variable {VARIABLE}"
    text = Hidden(os.environ.get(VARIABLE, "").strip())
    if not text:
        path = Path(os.path.expanduser(token_file))
        where, text = str(path), _private_text(path)
    if text[:7].lower() in ("bearer ", "bearer"):
        text = Hidden(text[6:].strip())
    if not text:
        raise DownloadError(f"{where}: holds no token; {HOW_TO_GET_ONE}")
    if not _is_token(text):
        raise DownloadError(
            f"{where}: holds blanks, line breaks or other characters that no token has; copy the token alone"
        )
    return text


def _private_text(path: Path) -> Hidden:
    """The text of a file that no other user can read or write."""
    try:
        with path.open("rb") as handle:
            mode = os.fstat(handle.fileno()).st_mode
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise DownloadError(
                    f"{path}: other users can read or change the token file (mode {stat.S_IMODE(mode):o}); "
                    f"run: chmod 600 {path}"
                )
            # Editors on Windows put a byte order mark before the text.
            return Hidden(handle.read(_LONGEST + 4).removeprefix(b"\xef\xbb\xbf").decode("latin-1").strip())
    except FileNotFoundError:
        raise DownloadError(
            f"Phytozome downloads need a token, and there is none in {path}: {HOW_TO_GET_ONE}"
        ) from None
    except OSError as error:
        raise DownloadError(f"{path}: the token file cannot be read ({error.strerror}); {HOW_TO_GET_ONE}") from None


def _is_token(text: str) -> bool:
    """True for visible ASCII characters alone (in a function of its own: its frame is in no traceback)."""
    return len(text) <= _LONGEST and all("!" <= letter <= "~" for letter in text)
