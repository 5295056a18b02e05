"""Genes as sentences: tokens, candidate sites of a locus, the grammar, and the form that people read."""
