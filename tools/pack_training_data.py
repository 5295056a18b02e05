"""Pack annotated genomes into the folder that tools/train_release.py reads.

One genome a call, for example:

    python tools/pack_training_data.py packed --name athaliana --species athaliana --lineage Brassicales \\
        --fasta genome.fa.gz --annotation annotation.gff3.gz --mask mask.bed --train Chr1 --validate Chr2,Chr3

Contigs in neither list are left out; ``--train all`` takes all that are not in ``--validate`` or ``--without``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

from phytoscribe.files import open_text
from phytoscribe.genome.intervals import read_bed
from phytoscribe.genome.sequence import Bases, encode
from phytoscribe.training.data.packed import PackedDescription, pack_genome


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--species", required=True)
    parser.add_argument("--lineage", default="")
    parser.add_argument("--group", help="genomes drawn from together; the species by default")
    parser.add_argument("--fasta", type=Path, required=True)
    parser.add_argument("--annotation", type=Path, required=True)
    parser.add_argument("--mask", type=Path, help="BED of intervals without loss and score")
    parser.add_argument("--ignore-ends", type=int, default=0, help="bases at each contig end without loss")
    parser.add_argument("--train", default="all")
    parser.add_argument("--validate", default="")
    parser.add_argument("--without", default="", help="contigs to leave out, for example those of the test part")
    parser.add_argument("--incomplete-utrs", action="store_true")
    arguments = parser.parse_args()

    validate, without = names(arguments.validate), names(arguments.without)
    sequences = {name: bases for name, bases in read_fasta(arguments.fasta).items() if name not in without}
    unknown = (validate | (names(arguments.train) - {"all"})) - set(sequences)
    if unknown:
        parser.error(f"{arguments.fasta} has no sequence {', '.join(sorted(unknown))}")
    train = set(sequences) - validate if arguments.train == "all" else names(arguments.train)
    sequences = {name: bases for name, bases in sequences.items() if name in train | validate}
    ignored = read_bed(arguments.mask) if arguments.mask else {}
    for contig, bases in sequences.items():
        ends = min(arguments.ignore_ends, bases.size // 2)
        if ends:
            ignored.setdefault(contig, []).extend([(0, ends), (bases.size - ends, bases.size)])
    parts = {name: "validate" if name in validate else "train" for name in sequences}
    description = PackedDescription(
        arguments.name,
        arguments.species,
        arguments.lineage,
        not arguments.incomplete_utrs,
        arguments.group or arguments.species,
    )
    pack_genome(description, sequences, parts, arguments.annotation, ignored, arguments.folder)
    print(f"{arguments.name}: {len(sequences)} contigs, {sum(map(len, sequences.values()))} bases")


def names(text: str) -> set[str]:
    return {name for name in text.split(",") if name}


def read_fasta(path: Path) -> dict[str, Bases]:
    sequences: dict[str, list[str]] = {}
    parts: list[str] = []
    with open_text(path) as lines:
        for line in lines:
            if line.startswith(">"):
                parts = sequences.setdefault(line[1:].split()[0], [])
            else:
                parts.append(line.strip())
    return {name: encode("".join(pieces)) for name, pieces in sequences.items()}


if __name__ == "__main__":
    main()
