"""What the regulatory head looks at: which bases decide, how far that can be trusted, and which motifs they spell."""
