"""Phytozome: its listing, the choice of files, and their download."""
