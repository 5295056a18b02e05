"""Values that fit badly: bytes for any place of a file, and texts for the columns of GFF lines and of indexes."""

from __future__ import annotations

FRAGMENTS = [b"\0", b"\xff", b"\xfe", b"\xc3", b"\x80", b"\r", b"\n", b"\t", b" ", b"\x0b", b"\x1c", b"\xc2\x85"]
FRAGMENTS += [
    b">",
    b"#",
    b";",
    b"=",
    b"%",
    b'"',
    b",",
    b"|",
    b"\xe2\x80\xa8",
    b"\xef\xbb\xbf",
    b"\x1f\x8b",
    b"##FASTA\n",
]
NUMBERS = ["0", "-1", "1", "2", "3", "10", "99999999", str(2**31), str(2**63), str(10**18), "9" * 5000, "1e3", "1.0"]
NUMBERS += [
    "+5",
    " 7",
    "0.98765",
    "1_000",
    "",
    ".",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "0x10",
    "٣",
    "５",
    "²",
    "--",
    "1,000",
]
TYPES = [
    "gene",
    "mRNA",
    "exon",
    "CDS",
    "transcript",
    "protein",
    "five_prime_UTR",
    "stop_codon",
    "pseudogene",
    "region",
]
TYPES += [
    "lnc_RNA",
    "mRNA_TE_gene",
    "",
    "GENE",
    "cds",
    "intron",
    "tRNA",
    "match",
    "5'-UTR",
    "genе",
    "ncRNA_gene",
    "my, odd_gene",
]
STRANDS = ["+", "-", ".", "?", "", "++", "1"]
COLUMN9 = [
    ".",
    "",
    ";",
    "=",
    "ID",
    "ID=",
    "ID=;Parent=",
    "=x",
    "Parent=a,,b",
    'gene_id "a";;transcript_id',
    'gene_id "a; transcript_id "b";',
    'transcript_id "";',
    "g1.t1",
    "%",
    "ID=%zz%2",
    "ID=%00%0A%09",
    "ID=%FF%FE",
    "ID=a;ID=b;Parent=a;Parent=a",
    '"',
    "ID==a=b",
    "ID = a ; Parent = b",
    "Is_circular=true;ID=chr1",
]
