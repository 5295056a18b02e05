"""Made contigs with planted sites of two labels on either strand: one to train, one to validate, one to test."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from phytoscribe.genome.fasta import read_index, write_index
from phytoscribe.genome.sequence import decode, encode, reverse_complement
from phytoscribe.regulatory.peaks import read_peaks
from phytoscribe.splits.blocks import block_parts
from phytoscribe.splits.parts import write_parts

PLANTED = {"bZIP": "GATGACGTGG", "GARP": "AAAGATTCGA"}
LENGTHS = {"c1": 240_000, "c2": 60_000, "c3": 60_000}
HELD_OUT = {"c2": "validate", "c3": "test"}


def plant_sites(folder: Path) -> tuple[Path, Path]:
    """Write ``made.fa`` and ``made.bed``, in which column 4 is the label; c3 has 900 N from 5,000 on."""
    generator = np.random.default_rng(3)
    fasta, bed = folder / "made.fa", folder / "made.bed"
    with fasta.open("w") as sequence, bed.open("w") as peaks:
        for name, length in LENGTHS.items():
            bases = generator.integers(0, 4, length).astype(np.uint8)
            for at in range(300, length - 300, 150):
                label = generator.choice([*PLANTED, "", "", ""])
                if label:
                    site = encode(PLANTED[label])
                    bases[at - 5 : at + 5] = site if generator.random() < 0.5 else reverse_complement(site)
                    peaks.write(f"{name}\t{at}\t{at + 1}\t{label}\n")
            bases[5_000:5_900] = 4 if name == "c3" else bases[5_000:5_900]
            sequence.write(f">{name}\n{decode(bases)}\n")
    return fasta, bed


def planted_files(folder: Path) -> dict[str, str]:
    """What the rules before the training make of them: paths of ``fasta``, ``peaks`` and ``parts``."""
    fasta, bed = plant_sites(folder)
    write_index(fasta, Path(f"{fasta}.fai"))
    contigs = read_index(Path(f"{fasta}.fai"))
    read_peaks({"path": str(bed)}, contigs, {}, "made").save(folder / "made.npz")
    write_parts(folder / "made.parts.bed", block_parts("made", contigs, "train", "contig", HELD_OUT, {}, 1))
    return {"fasta": str(fasta), "peaks": str(folder / "made.npz"), "parts": str(folder / "made.parts.bed")}
