"""The former place of :func:`fit_decoder`, kept until no caller names it."""

from phytoscribe.training.tasks.structure.decoder_fit import fit_decoder

__all__ = ["fit_decoder"]
