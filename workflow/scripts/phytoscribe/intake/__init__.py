"""Intake: fetch files from a path, a URL or Phytozome, check them, and record where they come from."""
