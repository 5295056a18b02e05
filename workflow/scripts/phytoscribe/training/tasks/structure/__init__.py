"""Task: gene structure."""
