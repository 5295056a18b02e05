"""A gene's further isoforms written one after the other: the network that is trained on a finished structure model."""
