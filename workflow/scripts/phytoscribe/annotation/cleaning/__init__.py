"""Cleaning: turn any GFF3 or GTF file into well-formed gene models, and list every repair."""
