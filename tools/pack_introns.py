"""Pack introns that were cut out with some exon on each side into the folder that tools/train_release.py reads.

    python tools/pack_introns.py packed --introns exon_intron_exon.txt.gz --species athaliana --lineage Brassicales

Each line of the file holds exon, intron and exon in reading direction, then whatever else, separated by spaces.  The
pieces are laid end to end with gaps of N between them.  Of such a piece only the splice sites are known: the states of
its bases count in no loss.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import numpy as np

from phytoscribe.files import open_text, scratch_folder
from phytoscribe.genome.sequence import N_CODE, encode
from phytoscribe.training.data.packed import PackedDescription, pack_genome

GAP = 30
PIECES_PER_CONTIG = 5000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--introns", type=Path, required=True)
    parser.add_argument("--name", default="introns")
    parser.add_argument("--species", required=True)
    parser.add_argument("--lineage", default="")
    arguments = parser.parse_args()

    with open_text(arguments.introns) as lines:
        pieces = [line.split()[:3] for line in lines if line.strip()]
    gap = np.full(GAP, N_CODE, dtype=np.uint8)
    sequences, rows = {}, ["##gff-version 3"]
    for first in range(0, len(pieces), PIECES_PER_CONTIG):
        contig = f"{arguments.name}_{first // PIECES_PER_CONTIG + 1}"
        parts, position = [], 0
        for number, (left, intron, right) in enumerate(pieces[first : first + PIECES_PER_CONTIG], start=first + 1):
            ends = np.cumsum([position + GAP, len(left), len(intron), len(right)]).tolist()
            parts += [gap, encode(left + intron + right)]
            position = ends[-1]
            columns = f"{contig}\tintrons\t{{}}\t{{}}\t{{}}\t.\t+\t.\t{{}}"
            rows.append(columns.format("gene", ends[0] + 1, ends[3], f"ID=i{number}"))
            rows.append(columns.format("mRNA", ends[0] + 1, ends[3], f"ID=i{number}.1;Parent=i{number}"))
            rows.append(columns.format("exon", ends[0] + 1, ends[1], f"Parent=i{number}.1"))
            rows.append(columns.format("exon", ends[2] + 1, ends[3], f"Parent=i{number}.1"))
        sequences[contig] = np.concatenate([*parts, gap])
    description = PackedDescription(
        arguments.name, arguments.species, arguments.lineage, complete_utrs=True, group="introns", sites_only=True
    )
    with scratch_folder("phytoscribe-introns-") as scratch:
        annotation = scratch / "introns.gff3.gz"
        with gzip.open(annotation, "wt", encoding="utf-8") as handle:
            handle.write("\n".join(rows) + "\n")
        pack_genome(description, sequences, dict.fromkeys(sequences, "train"), annotation, {}, arguments.folder)
    print(f"{arguments.name}: {len(pieces)} introns on {len(sequences)} contigs")


if __name__ == "__main__":
    main()
