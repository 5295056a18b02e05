"""PhytoScribe: plant genome annotation with a small neural network and a hard gene grammar.

Imports point one way: ``genome``, ``annotation`` -> ``labels``, ``splits``, ``tokenizer`` -> ``models`` ->
``decoding`` -> ``training``, ``prediction``, ``evaluation``, ``reporting``.  The library never imports snakemake.

Coordinates are 0-based and half-open everywhere but in the GFF3 reader and writer.
"""

__version__ = "0.1.0"
