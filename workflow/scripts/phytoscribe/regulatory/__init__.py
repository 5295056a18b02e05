"""Binding sites and open chromatin that users give as peaks, and the bins of a genome that hold them."""
