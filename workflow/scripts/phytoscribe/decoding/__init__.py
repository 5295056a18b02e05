"""Decode per-base state probabilities into gene models that obey the gene grammar."""
