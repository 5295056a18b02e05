"""Compare a prediction with a reference annotation."""
