"""Genome sequence: FASTA files, contigs, base codes."""

from phytoscribe.genome.fasta import Genome, check_fasta, read_index
from phytoscribe.genome.sequence import BASES, N_CODE, decode, encode, reverse_complement

__all__ = ["BASES", "N_CODE", "Genome", "check_fasta", "decode", "encode", "read_index", "reverse_complement"]
