"""Genes that code for no protein and mobile elements: found by other programs, joined, counted and scored."""

#: Column 2 of the genes that each program finds.
SOURCES = {"aragorn": "ARAGORN", "trnascan": "tRNAscan-SE", "barrnap": "pybarrnap", "rfam": "Infernal"}
