"""Count what must never be in a predicted GFF3, straight from its lines and the FASTA, without the library's reader.

Usage: python benchmarks/validate_prediction.py PREDICTION.gff3 GENOME.fa

Prints one line per check; exit code 1 if one fails.  Checked: every CDS an intact open reading frame (ATG, stop, whole
codons, no stop in frame), every intron GT-AG or GC-AG, no CDS segment and no exon under 3 bp, no id twice (but for the
parts of one CDS), CDS phases right, every feature inside its parent, contig names as in the FASTA, `gt gff3validator`.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

COMPLEMENT = str.maketrans("ACGTN", "TGCAN")
STOPS = {"TAA", "TAG", "TGA"}


def read_fasta(path: str) -> dict[str, str]:
    records = Path(path).read_text().split(">")[1:]
    return {r.split(None, 1)[0]: "".join(r.split("\n")[1:]).upper() for r in records}


def spliced(segments: list[tuple[int, int]], strand: str, sequence: str) -> str:
    text = "".join(sequence[s - 1 : e] for s, e in sorted(segments))
    return text if strand == "+" else text[::-1].translate(COMPLEMENT)


def faults_in(gff3: str, fasta: str, minimum_intron: int = 0) -> tuple[int, Counter[str]]:
    """Number of transcripts and, for every check, how often it fails."""
    genome = read_fasta(fasta)
    faults: Counter[str] = Counter()
    ids: Counter[str] = Counter()
    spans: dict[str, tuple[str, int, int]] = {}
    parts: dict[str, dict[str, list[tuple[int, int, str]]]] = defaultdict(lambda: defaultdict(list))
    place: dict[str, tuple[str, str]] = {}
    for line in Path(gff3).read_text().splitlines():
        if line.startswith("#") or not line:
            continue
        contig, _, kind, start, end, _, strand, phase, attributes = line.split("\t")
        values = dict(item.split("=", 1) for item in attributes.split(";"))
        first, last = int(start), int(end)
        faults["contig not in the FASTA"] += contig not in genome
        faults["feature past the contig's end"] += not 1 <= first <= last <= len(genome.get(contig, ""))
        if "ID" in values and kind != "CDS":
            ids[values["ID"]] += 1
        if "ID" in values:
            spans.setdefault(values["ID"], (contig, first, last))
        if "Parent" in values:
            parent = spans.get(values["Parent"])
            inside = parent is not None and parent[0] == contig and parent[1] <= first and last <= parent[2]
            faults["feature outside its parent"] += not inside
            parts[values["Parent"]][kind].append((first, last, phase))
            place[values["Parent"]] = (contig, strand)
    faults["ids given twice"] = sum(n - 1 for n in ids.values())
    transcripts = {name: kinds for name, kinds in parts.items() if "exon" in kinds}
    for name, kinds in transcripts.items():
        contig, strand = place[name]
        sequence = genome[contig]
        cds = [(s, e) for s, e, _ in kinds["CDS"]]
        exons = sorted((s, e) for s, e, _ in kinds["exon"])
        text = spliced(cds, strand, sequence)
        codons = [text[i : i + 3] for i in range(0, len(text), 3)]
        intact = bool(codons) and len(text) % 3 == 0 and codons[0] == "ATG" and codons[-1] in STOPS
        faults["CDS that are no intact ORF"] += not (intact and not STOPS & set(codons[:-1]))
        faults["CDS segments under 3 bp"] += sum(e - s + 1 < 3 for s, e in cds)
        faults["exons under 3 bp"] += sum(e - s + 1 < 3 for s, e in exons)
        for chain in (sorted(cds), exons):
            for (_, left), (right, _) in pairwise(chain):
                if (left, right) in zip([e for _, e in exons], [s for s, _ in exons[1:]], strict=False):
                    intron = spliced([(left + 1, right - 1)], strand, sequence)
                    faults["introns not GT-AG or GC-AG"] += not (intron[:2] in ("GT", "GC") and intron[-2:] == "AG")
                    faults["introns under the minimum"] += len(intron) < minimum_intron
        done = 0
        for s, e, phase in sorted(kinds["CDS"], reverse=strand == "-"):
            faults["wrong CDS phases"] += phase != str(-done % 3)
            done += e - s + 1
    validator = subprocess.run(["gt", "gff3validator", gff3], capture_output=True, text=True, check=False)
    faults["gt gff3validator"] = int(validator.returncode != 0)
    return len(transcripts), faults


def main(gff3: str, fasta: str) -> int:
    transcripts, faults = faults_in(gff3, fasta)
    print(f"{gff3}: {transcripts} transcripts")
    for check, count in sorted(faults.items()):
        print(f"{count:8d}  {check}")
    return int(any(faults.values()))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
