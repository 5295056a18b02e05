"""Intake: files from a path, a URL or Phytozome arrive whole and checked, with a record of where they come from."""
