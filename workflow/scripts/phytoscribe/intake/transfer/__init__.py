"""Downloads that resume, retry and arrive whole or not at all."""
