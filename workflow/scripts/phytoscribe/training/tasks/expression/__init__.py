"""The expression head: levels of genes by tissue, learned from measured ones."""
