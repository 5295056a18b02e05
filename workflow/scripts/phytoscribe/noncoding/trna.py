"""tRNA genes by ARAGORN or tRNAscan-SE, introns included.

ARAGORN: Laslett and Canback 2004, Nucleic Acids Research 32:11 (doi 10.1093/nar/gkh152).
tRNAscan-SE: Chan et al. 2021, Nucleic Acids Research 49:9077 (doi 10.1093/nar/gkab688).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from phytoscribe.annotation.sequences import write_fasta
from phytoscribe.errors import ToolError
from phytoscribe.files import scratch_folder
from phytoscribe.genome.fasta import Genome
from phytoscribe.noncoding.pieces import Rna, search
from phytoscribe.programs import require, run, version_line

#: tRNA genes alone, linear contigs, short lines with scores.  Introns lie between positions 37 and 38, as those of all
#: nuclear tRNA genes of plants do; known ones (tRNA-Tyr, elongator tRNA-Met) have 6 to some 30 bases.
ARAGORN_OPTIONS = ("-t", "-l", "-w", "-e", "-if0,60")
#: The eukaryotic models.
TRNASCAN_OPTIONS = ("-E", "--detail", "-q")
#: What the programs call a tRNA whose amino acid is not one of the twenty.
_AMINO_ACIDS = {"SeC": "Sec", "Stop": "Sup", "???": "Xxx", "Undet": "Xxx", "iMet": "Met", "fMet": "Met", "Ile2": "Ile"}
_ARAGORN_LINE = re.compile(
    r"\d+\s+tRNA-(?P<amino>\S+)\s+(?P<reverse>c?)\[(?P<first>-?\d+),(?P<last>-?\d+)\]\s+(?P<score>-?[\d.]+)"
    r"\s+\d+\s+\((?P<anticodon>[A-Za-z]+)\)(?:i\((?P<intron>\d+),(?P<bases>\d+)\))?\s*"
)
_OTHER_LINE = re.compile(r"\s*|\d+ genes? found|Nothing found.*|>end.*")
Sequences = Sequence[tuple[str, str]]


def find_trna(genome: Genome, contigs: Mapping[str, int], tool: str, threads: int) -> tuple[list[Rna], str]:
    """tRNA genes of ``contigs`` in order of place, and a line with the program, its version and its options.

    Args:
        tool: ``aragorn`` or ``trnascan``.
        threads: the result does not depend on it.

    Raises:
        ToolError: the program is missing or fails, or prints what is not understood.
    """
    purpose = f"noncoding.tRNA: {tool}"
    if tool == "aragorn":
        program = require("aragorn", purpose)
        version = version_line(program, "-h", "ARAGORN")
        found = search(genome, contigs, partial(_by_aragorn, program), threads)
        return found, f"{version}: aragorn {' '.join(ARAGORN_OPTIONS)}"
    program = require("tRNAscan-SE", purpose)
    version = version_line(program, "-h", "tRNAscan-SE")
    # It runs its own threads, each with a part of the sequences that it is given.
    found = search(genome, contigs, partial(_by_trnascan, program, threads), 1)
    return found, f"{version}: tRNAscan-SE {' '.join(TRNASCAN_OPTIONS)}"


def _by_aragorn(program: str, sequences: Sequences) -> list[Rna]:
    with scratch_folder("aragorn-") as folder:
        return read_aragorn(run([program, *ARAGORN_OPTIONS, _fasta(sequences, folder)]))


def _by_trnascan(program: str, threads: int, sequences: Sequences) -> list[Rna]:
    with scratch_folder("trnascan-") as folder:
        fasta, table = _fasta(sequences, folder), folder / "found.txt"
        run([program, *TRNASCAN_OPTIONS, "--thread", threads, "-o", table, fasta], cwd=folder)
        # Without any tRNA it writes no file.
        return read_trnascan(table.read_text(encoding="utf-8") if table.exists() else "")


def _fasta(sequences: Sequences, folder: Path) -> Path:
    path = folder / "pieces.fa"
    with path.open("w", encoding="utf-8") as handle:
        write_fasta(handle, sequences)
    return path


def read_aragorn(text: str) -> list[Rna]:
    """Genes in ARAGORN's batch output (``-w -e``).

    Raises:
        ToolError: a line is of another form.
    """
    found, contig = [], ""
    for line in text.splitlines():
        if line.startswith(">") and not line.startswith(">end"):
            contig = line[1:].strip()
            continue
        match = _ARAGORN_LINE.fullmatch(line)
        if match is None:
            if _OTHER_LINE.fullmatch(line):
                continue
            raise ToolError(f"ARAGORN printed a line that is not understood: {line!r}; install 1.2.38 or 1.2.41")
        start, end = max(0, int(match["first"]) - 1), int(match["last"])
        introns = ()
        if match["bases"] and int(match["bases"]):
            introns = (_in_contig(int(match["intron"]) - 1, int(match["bases"]), start, end, bool(match["reverse"])),)
        found.append(
            Rna(
                contig,
                start,
                end,
                "-" if match["reverse"] else "+",
                "tRNA",
                float(match["score"]),
                introns,
                _described(match["amino"], match["anticodon"]),
            )
        )
    return found


def _in_contig(offset: int, bases: int, start: int, end: int, reverse: bool) -> tuple[int, int]:
    """An intron that begins ``offset`` bases behind the 5' end of the gene ``[start, end)``."""
    return (end - offset - bases, end - offset) if reverse else (start + offset, start + offset + bases)


def read_trnascan(text: str) -> list[Rna]:
    """Genes in the detailed table of tRNAscan-SE 2, which has three lines of titles.

    Raises:
        ToolError: a row is of another form.
    """
    found = []
    for line in text.splitlines()[3:]:
        columns = [column.strip() for column in line.split("\t")]
        try:
            contig, _, first, last, amino, anticodon, intron_first, intron_last, score = columns[:9]
            begin, end = int(first), int(last)
            firsts, lasts = ([int(part) for part in text.split(",")] for text in (intron_first, intron_last))
            introns = sorted((min(a, b) - 1, max(a, b)) for a, b in zip(firsts, lasts, strict=True) if a > 0)
            attributes = _described(amino, anticodon)
            if "pseudo" in columns[-1]:
                attributes["pseudo"] = "true"
            found.append(
                Rna(
                    contig,
                    min(begin, end) - 1,
                    max(begin, end),
                    "+" if begin < end else "-",
                    "tRNA",
                    float(score),
                    tuple(introns),
                    attributes,
                )
            )
        except ValueError as error:
            raise ToolError(
                f"tRNAscan-SE wrote a row that is not understood ({error}): {line!r}; install version 2.0.12"
            ) from error
    return found


def _described(amino: str, anticodon: str) -> dict[str, str]:
    """Attributes of a tRNA: its product, and the anticodon as DNA where it is known."""
    amino = amino if re.fullmatch(r"[A-Za-z]{3}[a-z2]?|\?\?\?", amino) or amino == "Undet" else "???"
    known = {} if set(anticodon.upper()) <= {"N"} else {"anticodon": anticodon.upper().replace("U", "T")}
    return {"product": f"tRNA-{_AMINO_ACIDS.get(amino, amino)}", **known}
