"""Checking: which gene models can be learned from, and the reason wherever one cannot."""
