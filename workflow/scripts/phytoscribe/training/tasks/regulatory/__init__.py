"""The regulatory head: binding sites and open chromatin of each bin, learned from peaks."""
