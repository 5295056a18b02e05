"""Cleaning: from any GFF3 or GTF to well-formed gene models, with a row for every repair."""
