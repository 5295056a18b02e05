"""Whole numbers in users' files, read only where they can be a place in a genome."""

from __future__ import annotations

#: Digits of the longest number that is read; no genome needs more, and Python refuses to read thousands.
MOST_DIGITS = 18


def is_coordinate(text: str) -> bool:
    """True for a whole number that ``int`` reads and that can be a place in a genome."""
    return text.isdecimal() and len(text) <= MOST_DIGITS
