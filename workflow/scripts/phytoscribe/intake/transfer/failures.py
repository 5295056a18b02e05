"""Errors of the HTTP library as errors of ours: in plain words, and without the addresses that the library quotes."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator

import requests
import urllib3

from phytoscribe.errors import DownloadError
from phytoscribe.intake.transfer.content import one_line
from phytoscribe.intake.transfer.retries import Interrupted

#: How Python words a proxy's refusal to connect through it.
_TUNNEL_REFUSED = re.compile(r"Tunnel connection failed: (.*)", re.DOTALL)


def failure_of(error: Exception, shown: str) -> Exception:
    """A failed request as an error of ours."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return DownloadError(
                f"{shown}: the server's certificate is not trusted ({cause.verify_message}); check the address; "
                "if your network has a certificate of its own, name its file in the environment variable "
                "REQUESTS_CA_BUNDLE"
            )
        if isinstance(cause, OSError) and "CA certificate bundle" in str(cause):
            return DownloadError(
                f"{shown}: the certificates of your network are not where REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE) says; "
                "correct that environment variable, or unset it"
            )
    broken = (
        requests.exceptions.ConnectionError,
        requests.exceptions.Timeout,
        requests.exceptions.ChunkedEncodingError,
        urllib3.exceptions.HTTPError,
        OSError,
    )
    invalid = (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.InvalidHeader)
    if isinstance(error, broken) and not isinstance(error, (ValueError, *invalid)):
        return interruption_of(error)
    return DownloadError(f"{shown}: the request cannot be sent ({type(error).__name__}); correct the address")


def interruption_of(error: Exception) -> Interrupted:
    """A broken connection in words, without the addresses that the HTTP library's texts quote."""
    causes = list(_causes(error))
    refusals = (_TUNNEL_REFUSED.match(str(cause)) for cause in causes if isinstance(cause, OSError))
    if refusal := next(filter(None, refusals), None):
        return Interrupted(f"the proxy of your network refuses the connection ({one_line(refusal[1])})")
    if any(isinstance(cause, urllib3.exceptions.ProxyError) for cause in causes):
        return Interrupted("the proxy of your network cannot be reached")
    for cause in causes:
        if isinstance(cause, socket.gaierror):
            return Interrupted("the host name cannot be resolved")
        if isinstance(cause, ssl.SSLError) and cause.reason:
            return Interrupted(f"the secure connection failed ({cause.reason})")
        if isinstance(cause, OSError) and cause.errno and cause.strerror and not isinstance(cause, ssl.SSLError):
            return Interrupted(f"the connection failed ({cause.strerror})")
    # Last, because the library counts a refused connection as a time-out too.
    timeouts = TimeoutError | urllib3.exceptions.TimeoutError | requests.exceptions.Timeout
    if any(isinstance(cause, timeouts) for cause in causes):
        return Interrupted("the server sent nothing within the time-out")
    return Interrupted("the connection broke")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that it wraps."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        linked = [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        waiting.extend(other for other in linked if isinstance(other, BaseException))
