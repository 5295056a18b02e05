"""The proteins of a genome's evidence, aligned by miniprot, in one table (rule gather_proteins)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from phytoscribe.annotation.gff_text import encode_id
from phytoscribe.annotation.sequences import splice
from phytoscribe.errors import PhytoScribeError, ToolError
from phytoscribe.files import atomic_open, scratch_folder, sha256_of
from phytoscribe.genome.aligned_proteins import AlignedProtein, ProteinFile, read_miniprot, write_aligned
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.spliced_reads import strand_by_motif
from phytoscribe.programs import require, run
from phytoscribe.splits.clusters import read_proteins

log = logging.getLogger(__name__)

#: Endings of files of alignments, also packed; all others are proteins.
ALIGNMENTS = (".gff3", ".gff")
PACKED = (".gz", ".bz2", ".xz")
#: Longest intron that is looked for, bp.
LONGEST_INTRON = 20_000
#: Alignments of less quality are left out: nearly all of them are of other genes with a domain in common.
LEAST_QUALITY = 0.2
#: Least share of introns with the ends of introns and of stop codons that are some.  Of alignments to this assembly
#: nearly all are.
LEAST_FITTING = 0.8
#: Share of the letters of nucleotides above which a file holds no proteins; of proteins it is about a third.
MOST_NUCLEOTIDES = 0.8
_NUCLEOTIDES = frozenset("ACGTUN")
_STOPS = ("TAA", "TAG", "TGA")


def gather_proteins(
    paths: Sequence[str | Path],
    fasta: str | Path,
    table: str | Path,
    strict: bool = True,
    seqid_map: Mapping[str, str | None] | None = None,
    threads: int = 1,
) -> list[str]:
    """Align the proteins of all files and write the table of their alignments.

    Args:
        paths: proteins (FASTA), or miniprot's GFF3 (:data:`ALIGNMENTS`).
        fasta: the indexed genome.
        table: written.
        strict: whether a file that is no evidence for this genome is an error; else it is left out.
        seqid_map: names of sequences in GFF3 files, where they differ from the genome's.

    Returns:
        Warnings, one for each file that was left out.

    Raises:
        PhytoScribeError: a file is no evidence for this genome, and ``strict``.
        ToolError: miniprot is missing, or fails.
    """
    files, found, warnings = [], [], []
    with Genome(fasta) as genome:
        for path in paths:
            name, digest = Path(path).name, sha256_of(path)
            try:
                own = _alignments(path, genome, seqid_map, threads)
            except ToolError:
                raise
            except PhytoScribeError as error:
                if strict:
                    raise PhytoScribeError(f"{error} (or set strict: false to go on without this file)") from error
                warnings.append(f"evidence is left out: {error}")
                files.append(ProteinFile(name, digest, left_out=str(error).replace(str(path), name)))
                continue
            files.append(ProteinFile(name, digest, len(own)))
            found += own
        write_aligned(table, files, found, genome.contigs)
    for file in files:
        log.info("%s", file)
    return warnings


def _alignments(
    path: str | Path, genome: Genome, seqid_map: Mapping[str, str | None] | None, threads: int
) -> list[AlignedProtein]:
    if is_alignment(path):
        found = read_miniprot(path, genome.contigs, seqid_map)
    else:
        with scratch_folder() as scratch:
            gff3 = scratch / "aligned.gff3"
            align_proteins(path, genome.path, gff3, threads)
            found = read_miniprot(gff3, genome.contigs)
    check_fits(found, path, genome)
    return [protein for protein in found if protein.quality >= LEAST_QUALITY]


def is_alignment(path: str | Path) -> bool:
    """Whether a file holds alignments, by its name."""
    name = Path(str(path).lower())
    return (name.with_suffix("") if name.suffix in PACKED else name).suffix in ALIGNMENTS


def align_proteins(proteins: str | Path, fasta: str | Path, gff3: Path, threads: int) -> None:
    """Check proteins and align them with miniprot.

    Raises:
        PhytoScribeError: the file is empty, holds nucleotides, or has an id twice.
        ToolError: miniprot is missing, or fails.
    """
    records = read_proteins([proteins])
    if not records:
        raise PhytoScribeError(f"{proteins}: it has no proteins; give a FASTA file, or leave it out")
    if empty := next((name for name, sequence in records if not sequence), None):
        raise PhytoScribeError(f"{proteins}: the protein {empty!r} has no residues; remove it, or mend the file")
    letters = Counter("".join(sequence for _, sequence in records).upper())
    if sum(letters[letter] for letter in _NUCLEOTIDES) > MOST_NUCLEOTIDES * letters.total():
        raise PhytoScribeError(f"{proteins}: it holds nucleotides; give the proteins (translated CDS) instead")
    program = require("miniprot", "evidence by proteins")
    with scratch_folder() as scratch:
        plain = scratch / "proteins.faa"
        with atomic_open(plain) as handle:
            # miniprot writes names as they are, and in GFF3 a ';' would end them.
            handle.writelines(f">{encode_id(name)}\n{sequence.rstrip('*.')}\n" for name, sequence in records)
        run([program, "-t", threads, "-G", LONGEST_INTRON, "--gff", fasta, plain], stdout=gff3)


def check_fits(proteins: Sequence[AlignedProtein], path: str | Path, genome: Genome) -> None:
    """Stop at alignments to another assembly whose sequences have the same names.

    Raises:
        PhytoScribeError: too few introns begin and end as introns do, too few stop codons are some.
    """
    strand_by = strand_by_motif(genome)
    fitting = [strand_by(p.contig, intron) == p.strand for p in proteins for intron in p.introns]
    for p in (p for p in proteins if p.ends):
        cut = p.stop_codon
        codon = (cut - 3, cut) if p.strand == "+" else (cut, cut + 3)
        bases = genome.bases(p.contig, *codon)
        fitting.append(splice([(0, 3)], p.strand, bases) in _STOPS)
    share = sum(fitting) / max(1, len(fitting))
    if fitting and share < LEAST_FITTING:
        raise PhytoScribeError(
            f"{path}: only {100 * share:.0f} % of its introns and stop codons are such in the FASTA, so the proteins "
            "were aligned to another assembly; align them to this FASTA"
        )
