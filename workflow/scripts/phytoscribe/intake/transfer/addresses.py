"""URLs and secrets: what can be fetched, and what may be shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit, urlunsplit

from phytoscribe.errors import DownloadError

MASK = "***"

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
    """The URL as it may stand in messages and logs: no user, no password, no token in the query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.rpartition("@")[2].partition("?")[0]
    netloc = parts.netloc
    if "@" in netloc:
        netloc = f"{MASK}@{netloc.rpartition('@')[2]}"
    return urlunsplit(parts._replace(netloc=netloc, query=_shown_query(parts.query), fragment=""))


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


def _shown_query(query: str) -> str:
    """The query with hidden secrets; one that is not made of ``key=value`` pairs is hidden whole."""
    if not query:
        return ""
    pairs = parse_qsl(query, keep_blank_values=True)
    if not pairs or "=" not in query:
        return MASK
    return "&".join(f"{quote(key)}={MASK if _is_secret(key) else quote(value)}" for key, value in pairs)
