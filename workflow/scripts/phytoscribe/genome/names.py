"""Names and other texts of users' files in messages: in quotes or listed, never longer than a line."""

from __future__ import annotations

from collections.abc import Collection


def shown(text: str, limit: int = 60) -> str:
    """A text of a file in quotes: control characters escaped, cut if it is long."""
    return repr(text) if len(text) <= limit else f"{text[:limit]!r}... ({len(text)} characters)"


def unquoted(text: str, limit: int = 60) -> str:
    """A text of a file as it is, if it is printable and short; else as by :func:`shown`."""
    return text if len(text) <= limit and text.isprintable() else shown(text, limit)


def some_names(names: Collection[str], limit: int = 5) -> str:
    """The first names, and how many there are."""
    listed = ", ".join(map(unquoted, list(names)[:limit]))
    return listed if len(names) <= limit else f"{listed}, ... ({len(names)} in all)"
