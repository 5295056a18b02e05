"""Peak memory of building a training set: the example's genome and annotation, tiled to a given size.

    python benchmarks/training_set_memory.py --megabases 10 100 300 [--one-contig]

Each size is a process of its own.  With ``--one-contig`` all copies lie on one contig, which is the worst case: memory
follows the longest contig, not the genome.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

from phytoscribe.annotation.model import GeneModel

ROOT = Path(__file__).resolve().parents[1]

EXAMPLE = ROOT / "resources" / "example" / "athaliana"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabases", type=int, nargs="+", default=[10, 100, 300])
    parser.add_argument("--one-contig", action="store_true")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        return build(given.child)
    print("| Mb | genes | seconds | peak MiB |\n|---|---|---|---|")
    for size in given.megabases:
        with tempfile.TemporaryDirectory() as folder:
            genes = tile(Path(folder), size * 1_000_000, given.one_contig)
            began = time.monotonic()
            done = subprocess.run(
                [sys.executable, __file__, "--child", folder], check=True, capture_output=True, text=True
            )
            print(f"| {size} | {genes} | {time.monotonic() - began:.0f} | {done.stdout.strip()} |", flush=True)


def tile(folder: Path, bases: int, one_contig: bool) -> int:
    """Write g.fa, its index, g.gff3, g.rejected.tsv and g.parts.bed of about so many bases; the number of genes."""
    from phytoscribe.annotation.checking.check import CheckLimits, check_annotation
    from phytoscribe.annotation.checking.tables import write_transcripts
    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.annotation.gff_writer import write_gff3
    from phytoscribe.genome import Genome, check_fasta
    from phytoscribe.genome.fasta import write_index
    from phytoscribe.splits.parts import PartInterval, Parts, write_parts

    check_fasta(EXAMPLE / "genome.fa.gz", folder / "e.fa")
    write_index(folder / "e.fa", folder / "e.fa.fai")
    with Genome(folder / "e.fa") as genome:
        accepted = check_annotation(read_gff3(EXAMPLE / "annotation.gff3.gz", genome.contigs), genome, CheckLimits())[0]
        source = "Chr1"
        letters = genome.letters(source).decode()
    genes, copies = [gene for gene in accepted if gene.contig == source], max(1, bases // len(letters))
    lengths, moved = {}, []
    with (folder / "g.fa").open("w") as handle:
        for copy in range(copies):
            name, offset = ("all", copy * len(letters)) if one_contig else (f"c{copy}", 0)
            if name not in lengths:
                handle.write(f">{name}\n")
            lengths[name] = lengths.get(name, 0) + len(letters)
            lines = [letters[i : i + 60] for i in range(0, len(letters) // 60 * 60, 60)]
            handle.writelines(f"{line}\n" for line in lines)
            lengths[name] -= len(letters) % 60
            offset -= copy * (len(letters) % 60) if one_contig else 0
            moved += [placed(gene, offset, name, copy) for gene in genes if gene.end < len(letters) - 60]
    write_index(folder / "g.fa", folder / "g.fa.fai")
    with (folder / "g.gff3").open("w") as handle:
        write_gff3(handle, moved, lengths)
    with (folder / "g.rejected.tsv").open("w") as handle:
        write_transcripts(handle, [])
    write_parts(folder / "g.parts.bed", Parts({n: [PartInterval(0, size, "train")] for n, size in lengths.items()}))
    return len(moved)


def placed(gene: GeneModel, offset: int, contig: str, copy: int) -> GeneModel:
    """A copy of a gene on its copy of the sequence, with ids of its own."""
    moved = gene.shifted(offset, contig)
    name = f"{gene.id}_{copy}"
    parts = tuple(replace(t, id=f"{name}.{n}") for n, t in enumerate(moved.transcripts, start=1))
    return replace(moved, id=name, transcripts=parts)


def build(folder: Path) -> None:
    """Build the set and print the peak memory of this process, MiB."""
    from phytoscribe.training.data.genomes import SplitGenome, build_training_set

    names = ("g.fa", "g.parts.bed", "g.gff3", "g.rejected.tsv")
    build_training_set([SplitGenome("g", *(str(folder / n) for n in names))], folder / "set")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


if __name__ == "__main__":
    main()
