"""Score alternative isoforms: the transcripts that a prediction has beside the first one of each gene."""
