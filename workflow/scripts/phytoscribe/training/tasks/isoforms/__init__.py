"""Which isoforms of a gene are real: the ranker that is trained on a finished structure model."""
