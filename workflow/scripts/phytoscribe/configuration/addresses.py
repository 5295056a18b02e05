"""Keep secrets in the configuration's URLs out of the files that Snakemake writes, and pass them to downloads.

Snakemake copies the configuration into the script of every job, and rule parameters into its metadata and report.  The
rules therefore see masked addresses, and downloads get the true ones through environment variables, like ``JGI_TOKEN``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, MutableMapping
from itertools import count
from typing import Any

from phytoscribe.errors import DownloadError
from phytoscribe.intake.transfer.addresses import MASK, shown_url

#: Name of the variable that holds an address, before its number among the texts of the configuration.
VARIABLE = "PHYTOSCRIBE_ADDRESS_"

_ADDRESS = re.compile(r"[A-Za-z][\w+.-]*://")
_ADDRESS_IN_TEXT = re.compile(r"""[^\s'"<>]*(?:://|\?[^\s'"<>]+=)[^\s'"<>]*""")


def without_secrets(text: str) -> str:
    """Mask the secrets of all addresses in a text, such as a message about a faulty address."""
    return _ADDRESS_IN_TEXT.sub(lambda found: shown if MASK in (shown := shown_url(found[0])) else found[0], text)


def hand_over(config: Mapping[str, Any], environment: MutableMapping[str, str]) -> dict[str, Any]:
    """The configuration with the secrets of its addresses masked; ``environment`` receives the originals.

    Variables left by another configuration are removed.
    """
    for name in [name for name in environment if name.startswith(VARIABLE)]:
        del environment[name]

    def mask(key: str, text: str, number: int) -> str:
        if key == "terms":
            return without_secrets(text)
        if _ADDRESS.match(text) is None:
            return text
        shown = shown_url(text)
        if shown != text:
            environment[f"{VARIABLE}{number}"] = text
        return shown

    return _with_texts(config, mask)


def with_addresses(config: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The configuration before :func:`hand_over`.

    Raises:
        DownloadError: an address is masked, and the environment does not contain the original.
    """

    def restore(key: str, text: str, number: int) -> str:
        given = environment.get(f"{VARIABLE}{number}")
        if given is not None and text == shown_url(given):
            return given
        if _ADDRESS.match(text) and key != "terms" and MASK in text:
            raise DownloadError(
                f"{text}: its secret part comes to the job in the environment variable {VARIABLE}{number}, which is "
                "missing; let jobs keep the environment (no `--cleanenv` for Apptainer, no `--export=NONE` for SLURM)"
            )
        return text

    return _with_texts(config, restore)


def _with_texts(config: Mapping[str, Any], change: Callable[[str, str, int], str]) -> dict[str, Any]:
    """A copy with every text replaced by ``change(key, text, number)``; items of a list have the key of the list."""
    numbers = count(1)

    def copied(key: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: copied(name, part) for name, part in value.items()}
        if isinstance(value, list):
            return [copied(key, part) for part in value]
        return change(key, value, next(numbers)) if isinstance(value, str) else value

    return copied("", config)
