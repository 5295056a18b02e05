"""Compare a prediction with Iso-Seq reads."""
