"""URLs and secrets: which URLs can be fetched, how the token is read, and what may be shown.

The user's token for the JGI servers comes from the environment or a private file.  Anyone who has it can act as the
user, so it never appears in the configuration, on a command line, in a log, an error message or a traceback.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from phytoscribe.errors import DownloadError

MASK = "***"
VARIABLE = "JGI_TOKEN"
DEFAULT_FILE = "~/.config/phytoscribe/jgi_token"
HOW_TO_GET_ONE = (
    "log in at https://data.jgi.doe.gov, open the user menu, copy the session token (it lasts some hours to days), and "
    f"put it into the environment variable {VARIABLE} or a file with mode 600"
)

_LONGEST = 10_000
#: Keys of tokens and of the signed addresses of object stores contain one of these.
_SECRET_KEYS = ("token", "key", "sig", "pass", "pwd", "secret", "auth", "cred", "session", "jwt", "code")

_SHORTEST_SECRET = 8
#: A key that may be shown; a longer one may be a token.
_KEY = re.compile(r"[A-Za-z][\w.-]{0,31}")
_PARAMETER = re.compile(r";([^/;]*)")
_TAG = re.compile(r"[0-9a-f]{6}")


class Hidden(str):
    """A text that can be sent (``encode``) and compared but is never displayed (``repr``, ``str``, formats)."""

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
        DownloadError: the text is not a URL with a supported scheme.
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
    """The URL as it may appear in messages, logs and records; applying the function twice changes nothing.

    User and password, all query values and all ``;parameters`` are masked.  Values whose key does not suggest a secret
    are summarised by six digits of a hash after ``#``: a page number can distinguish two files, and a download must
    restart when it changes.  A secret in the path itself is not recognised.

    >>> shown_url("https://me:pw@a.org/b.fa;jsessionid=1?id=447&token=1")
    'https://***@a.org/b.fa;jsessionid=***?id=***&token=***#c498f3'
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return re.split("[;?#]", url.rpartition("@")[2])[0]
    _, at, host = parts.netloc.rpartition("@")
    netloc = f"{MASK}@{host}" if at else host
    path = _PARAMETER.sub(lambda found: f";{_masked(found[1])}", parts.path)
    query = "&".join(_masked(item) for item in parts.query.split("&") if item)
    told = [value for key, value in _hidden_values(parts) if value != MASK and not _is_secret(key)]
    if told:
        tag = hashlib.sha256("\n".join(told).encode()).hexdigest()[:6]
    else:
        tag = parts.fragment if MASK in query + path and _TAG.fullmatch(parts.fragment) else ""
    return urlunsplit(parts._replace(netloc=netloc, path=path, query=query, fragment=tag))


def _masked(item: str) -> str:
    """``key=***`` for ``key=value``; hidden whole where the key may be the secret, as of base64 with its ``=``."""
    key, _, value = item.partition("=")
    return f"{key}={MASK}" if value.strip("=") and _KEY.fullmatch(key) else MASK


def _hidden_values(parts: SplitResult) -> Iterator[tuple[str, str]]:
    """Keys and values of the query and of the path's parameters; "" is the key of a value that has none."""
    for item in [*parts.query.split("&"), *_PARAMETER.findall(parts.path)]:
        key, _, value = item.partition("=")
        if item:
            yield (key, unquote(value)) if value.strip("=") else ("", unquote(item))


def secrets_in(url: str, token: Hidden | None) -> list[Hidden]:
    """Texts to remove from a server's answers: passwords, keys and the token of a request; longest first.

    The last part of a token such as ``/api/sessions/5ec2`` is a secret by itself, and in addresses its letters differ.
    Of values under keys that do not look like secrets, short ones such as a page number hide nothing but the answer.
    """
    parts = urlsplit(url)
    values = [value for key, value in _hidden_values(parts) if _is_secret(key) or len(value) >= _SHORTEST_SECRET]
    found = [unquote(parts.password or ""), *values]
    if token is not None:
        found += [token, token.rpartition("/")[2]]
    quoted = [quote(secret.encode(), safe="") for secret in found]
    return sorted((Hidden(secret) for secret in {*found, *quoted} if secret), key=len, reverse=True)


def conceal(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret masked, including one that is cut off at its end."""
    for secret in secrets:
        text = text.replace(secret, MASK)
        for length in range(len(secret) - 1, 3, -1):
            text = text.replace(secret[:length] + "...", f"{MASK}...")
    return text


def _is_secret(key: str) -> bool:
    return any(word in key.lower() for word in _SECRET_KEYS)


def read_token(token_file: str | Path = DEFAULT_FILE) -> Hidden:
    """Read the token from the environment variable ``JGI_TOKEN``, else from the file.

    A leading "Bearer ", as on the portal's page or in its documentation, is optional.

    Raises:
        DownloadError: there is no token, other users can read the file, or it holds something else.
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
