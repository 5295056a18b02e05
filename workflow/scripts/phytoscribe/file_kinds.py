"""Files that users give by mistake, told by how they begin: what they are, and what to do."""

from __future__ import annotations

import re

#: Bytes of a file that are enough to tell.
HEAD_BYTES = 512

_UNPACK = "unpack it and give the file inside"
_SEQUENCE_OR_GENES = "take the FASTA (of a genome) or the GFF3 (of an annotation) from the same record"
_AS_TEXT = "save its table as text, with tabs between the columns"
#: Place and bytes, what such a file is, what to do.
_BINARY = (
    (257, b"ustar", "a tar archive", "unpack it (tar -xf) and give the file inside"),
    (0, b"PK\x03\x04", "a zip archive, or an Excel sheet", f"{_UNPACK} (unzip), or {_AS_TEXT}"),
    (0, b"PK\x05\x06", "an empty zip archive", "get the file again"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", f"{_UNPACK} (7z x)"),
    (0, b"Rar!", "a RAR archive", _UNPACK),
    (0, b"\x28\xb5\x2f\xfd", "a zstd file", "unpack it (zstd -d), or pack it with gzip"),
    (0, b"\x04\x22\x4d\x18", "an lz4 file", "unpack it (lz4 -d), or pack it with gzip"),
    (0, b"LZIP", "an lzip file", "unpack it (lzip -d), or pack it with gzip"),
    (0, b"\x1f\x9d", "a file packed by compress (.Z)", "unpack it (gzip -d)"),
    (0, b"\x1f\x8b", "a file that was packed twice", "unpack it once"),
    (0, b"BZh", "a file that was packed twice", "unpack it once"),
    (0, b"\xfd7zXZ\x00", "a file that was packed twice", "unpack it once"),
    (0, b"\x43\x27\x41\x1a", "a 2bit file", "convert it: twoBitToFa FILE genome.fa"),
    (0, b"\x1a\x41\x27\x43", "a 2bit file", "convert it: twoBitToFa FILE genome.fa"),
    (0, b"BAM\1", "a BAM file (alignments)", "correct its path or address in the configuration"),
    (0, b"CRAM", "a CRAM file (alignments)", "correct its path or address in the configuration"),
    (0, b"BCF", "a BCF file (variants)", "correct its path or address in the configuration"),
    (0, b"TBI\1", "a tabix index", "give the file without .tbi"),
    (0, b"CSI\1", "an index (.csi)", "give the file without .csi"),
    (0, b"\xeb\xf2\x89\x87", "a bigBed file", "convert it: bigBedToBed FILE genes.bed"),
    (0, b"\x87\x89\xf2\xeb", "a bigBed file", "convert it: bigBedToBed FILE genes.bed"),
    (0, b"\x26\xfc\x8f\x88", "a bigWig file", "correct its path or address in the configuration"),
    (0, b"\x88\x8f\xfc\x26", "a bigWig file", "correct its path or address in the configuration"),
    (0, b"\x89HDF", "an HDF5 file", "give the text file that it was made of"),
    (0, b"SQLite format 3", "an SQLite database", "give the text file that it was made of"),
    (0, b"\xd0\xcf\x11\xe0", "an Excel or Word file", _AS_TEXT),
    (0, b"%PDF", "a PDF file", _AS_TEXT),
    (0, b"\x89PNG", "a picture", "correct its path or address in the configuration"),
    (0, b"\x7fELF", "a program", "correct its path or address in the configuration"),
)
#: What a text begins with, lower case, blanks before it left out.
_TEXTS = (
    (rb"locus {2,}\S", "a GenBank flat file", _SEQUENCE_OR_GENES),
    (rb"id {3}\S[^\n]*;", "an EMBL flat file", _SEQUENCE_OR_GENES),
    (rb"(seq-entry|bioseq-set) ::=", "an ASN.1 file of NCBI", _SEQUENCE_OR_GENES),
    (rb"(<!--|<!doctype html|<html|<head|<body)", "a web page", "download the file itself, not the page about it"),
    (rb"(<\?xml|<[a-z]+>)", "an XML file", "correct its path or address in the configuration"),
    (rb"\{\s*\"|\[\s*\{", "a JSON file, perhaps a server's report", "get the file itself"),
    (rb"\{\\rtf", "a file of a word processor (RTF)", "save it as plain text"),
    (rb"version https://git-lfs", "a pointer of Git LFS, not the file", "fetch the file: git lfs pull"),
)
#: Text that is data of another kind; :func:`text_kind` names it.
_KINDS = (
    (r"##gff-version|#gtf|([^\t]+\t){3}[1-9]\d*\t[1-9]\d*\t[^\t]+\t[-+.?]\t[.012]\t", "GFF"),
    (r">", "FASTA"),
    (r"##fileformat=VCF", "VCF"),
    (r"@(HD|SQ|RG|PG|CO)\t", "SAM"),
    (r"@\S", "FASTQ"),
    (r"H\tVN:Z:|S\t[^\t]+\t[ACGTNacgtn*]+(\t|$)", "GFA (an assembly graph)"),
    (r"[ACGTUNacgtun]{4,}\s*$", "bases without a header"),
    (r"CLUSTAL|#NEXUS|# STOCKHOLM", "an alignment"),
    (r"##agp-version", "AGP"),
)


def foreign_kind(head: bytes) -> str:
    """What a file is that begins so, and what to do about it; "" for anything that may be data in text form.

    Args:
        head: the first :data:`HEAD_BYTES` bytes, unpacked, or the whole file.
    """
    for place, magic, what, advice in _BINARY:
        if head.startswith(magic, place):
            return f"this is {what}; {advice}"
    if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return "UTF-32 text; save the file as UTF-8"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or _has_a_nul_in_each_pair(head):
        return "UTF-16 text; save the file as UTF-8"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for pattern, what, advice in _TEXTS:
        if re.match(pattern, text):
            return f"this is {what}; {advice}"
    return ""


def text_kind(line: str) -> str:
    """The kind of a text, by its first line that is not empty: GFF, FASTA, FASTQ, ...; "" if it is not known."""
    return next((kind for pattern, kind in _KINDS if re.match(pattern, line)), "")


def _has_a_nul_in_each_pair(head: bytes) -> bool:
    """True for UTF-16 without its mark."""
    text = head[: min(len(head), 64) // 2 * 2]
    low, high = text[::2], text[1::2]
    return len(low) > 3 and any(
        not one.strip(b"\0") and b"\0" not in other for one, other in ((low, high), (high, low))
    )
