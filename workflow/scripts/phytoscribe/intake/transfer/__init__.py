"""Downloads that resume and retry, and never leave an incomplete file."""
