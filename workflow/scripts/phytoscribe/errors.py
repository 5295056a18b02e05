"""Errors that a user can cause and mend.

Every message names the file, line or id, says what is wrong and what to do.  Scripts print the message alone,
without a traceback (see :mod:`phytoscribe.session`); anything else is a fault of the program and keeps its traceback.
"""


class PhytoScribeError(Exception):
    """Base of all errors that a user can mend; the text is complete and needs no traceback."""


class ConfigError(PhytoScribeError, ValueError):
    """The configuration is wrong: unknown key, missing file, contradicting roles."""


class FastaError(PhytoScribeError, ValueError):
    """A genome FASTA cannot be used."""


class GffError(PhytoScribeError, ValueError):
    """An annotation file cannot be used."""


class DownloadError(PhytoScribeError, RuntimeError):
    """A file or an answer could not be had from a server, or is not what was asked for."""


class ToolError(PhytoScribeError, RuntimeError):
    """An external program is missing or failed."""


class StoppedError(PhytoScribeError, RuntimeError):
    """A signal ended a training run; it goes on where it was when the same command is given again."""


class ModelError(PhytoScribeError, ValueError):
    """A model folder is incomplete, or does not fit the data or the configuration."""
