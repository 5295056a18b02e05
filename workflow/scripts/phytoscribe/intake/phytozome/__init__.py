"""Phytozome: read its file listing, choose an assembly and an annotation, and download them."""
