"""Make training_data/, the data of config/release.yaml, from the folder of shared data.

    python benchmarks/release_data.py DATA [--out training_data]

DATA has one folder per set (genome.fa.gz, annotation.gff3.gz, mask.bed; of A. thaliana with RNA-seq junctions); its
README defines the standing split. Sets
that are used whole become links to DATA. The others are copied without what must not be trained on, or
is there already:

- athaliana, from resources/example: the six held-out contigs; athaliana_chr1 has the sequence of the other two
- athaliana_more: without Chr1 and Chr5, which are there whole
- athaliana_genes: single loci that share no base with any other contig, held out or not; what lies beside the
  genes is masked, because neighbours are cut there and not annotated
- osativa: without Chr2, which osativa_chr2 holds out with another annotation
- introns.txt.gz: without introns of genes on held-out A. thaliana contigs

Prints what was taken of each set. Held-out contigs of the other sets are listed in config/release.yaml.
"""

from __future__ import annotations

import argparse
import gzip
import io
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from phytoscribe.annotation.gff_reader import read_gff3  # noqa: E402
from phytoscribe.annotation.model import Interval  # noqa: E402
from phytoscribe.errors import PhytoScribeError  # noqa: E402
from phytoscribe.files import atomic_open, atomic_path, open_text  # noqa: E402
from phytoscribe.genome.intervals import IntervalIndex, complement, merge_intervals  # noqa: E402

FASTA, GFF3, MASK, INTRONS = "genome.fa.gz", "annotation.gff3.gz", "mask.bed", "exon_intron_exon.txt.gz"
JUNCTIONS = "rnaseq_splice_junctions.gff3.gz"
EXAMPLE = ROOT / "resources" / "example" / "athaliana"
#: Held-out contigs of A. thaliana, with their place in TAIR10.
HELD_OUT = ("Chr2", "Chr3", "Chr4", "Chr5", "Chr3_1065466_1464870", "Chr5_25975502_26975502")
HELD_OUT_CHR5 = ("Chr5_16999951_19500000", "Chr5_24002301_25975501")
GENE_ID = re.compile(r"AT[1-5CM]G\d{5}")
PLACE = re.compile(r"(?P<chromosome>Chr\d)_(?P<first>\d+)_(?P<last>\d+)")

Keep = Callable[[str], bool]


@dataclass(frozen=True)
class WholeSet:
    """A set that is used as it is.

    Attributes:
        name: its folder in training_data/.
        source: its folder in the shared data.
    """

    name: str
    source: str


WHOLE = (
    WholeSet("athaliana_chr1", "athaliana_chr1"),
    WholeSet("athaliana_chr5", "athaliana_chr5"),
    WholeSet("bnapus", "bnapus"),
    WholeSet("aarenosa", "aarenosa"),
    WholeSet("ptrichocarpa", "ptrichocarpa_chr01"),
    WholeSet("osativa_chr2", "osativa"),
    WholeSet("rcommunis", "rcommunis"),
    WholeSet("vcarteri", "vcarteri"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--out", type=Path, default=ROOT / "training_data")
    given = parser.parse_args()
    try:
        write_training_data(given.data.resolve(), given.out)
    except PhytoScribeError as error:
        sys.exit(str(error))


def write_training_data(data: Path, out: Path) -> None:
    """Write all sets; each folder appears when it is complete.

    Raises:
        PhytoScribeError: a file of the shared data is missing.
    """
    wanted = [data / one.source / file for one in WHOLE for file in (FASTA, GFF3)]
    wanted += [
        data / name / file for name in ("athaliana_more", "athaliana_genes", "osativa_more") for file in (FASTA, GFF3)
    ]
    with_reads = ("athaliana", "athaliana_chr1", "athaliana_chr5", "athaliana_more")
    wanted += [data / "athaliana" / INTRONS, *(data / name / JUNCTIONS for name in with_reads)]
    if missing := [str(path) for path in wanted if not path.is_file()]:
        raise PhytoScribeError(f"{data} is not the folder of shared data: it lacks {', '.join(missing)}")
    for one in WHOLE:
        link_set(data / one.source, out / one.name)
    copy_set(EXAMPLE, out / "athaliana", lambda name: name in HELD_OUT, data / "athaliana" / JUNCTIONS)
    more = data / "athaliana_more"
    copy_set(more, out / more.name, lambda name: name.split("_")[0] in ("Chr2", "Chr3", "Chr4"), more / JUNCTIONS)
    copy_set(data / "osativa_more", out / "osativa", lambda name: "_Chr2_" not in name)
    copy_single_loci(data / "athaliana_genes", out / "athaliana_genes", places_in_use(out))
    held_out = genes_on(EXAMPLE, HELD_OUT) | genes_on(data / "athaliana_chr5", HELD_OUT_CHR5)
    copy_introns(data / "athaliana" / INTRONS, out / "introns.txt.gz", held_out)


def link_set(source: Path, target: Path) -> None:
    """Links to the files of a set; whatever was at ``target`` is replaced."""
    with atomic_path(target) as scratch:
        scratch.mkdir(parents=True)
        for name in (FASTA, GFF3, MASK, JUNCTIONS):
            if (source / name).is_file():
                (scratch / name).symlink_to((source / name).resolve())
    _tell(target)


def copy_set(source: Path, target: Path, keep: Keep, junctions: Path | None = None) -> None:
    """Copy the contigs of a set that ``keep`` names, with their genes, masks and RNA-seq junctions (GFF3)."""
    with atomic_path(target) as scratch:
        scratch.mkdir(parents=True)
        _copy_contigs(source, scratch, keep)
        if (source / MASK).is_file():
            with open_text(source / MASK) as lines, atomic_open(scratch / MASK) as handle:
                handle.writelines(line for line in lines if keep(line.split("\t")[0]))
        if junctions:
            with open_text(junctions) as lines, _gzipped(scratch / JUNCTIONS) as handle:
                handle.writelines(line for line in lines if keep(line.split("\t")[0]))
    _tell(target)


def copy_single_loci(source: Path, target: Path, used: IntervalIndex) -> None:
    """Copy single loci that share no base with ``used``; all their sequence beside genes is masked."""
    with atomic_path(target) as scratch:
        scratch.mkdir(parents=True)

        def is_new(name: str) -> bool:
            chromosome, start, end = place_of(name)
            return not used.overlaps(chromosome, start, end)

        _copy_contigs(source, scratch, is_new)
        lengths = contig_lengths(scratch / FASTA)
        genes: dict[str, list[Interval]] = {name: [] for name in lengths}
        for gene in read_gff3(scratch / GFF3, lengths):
            genes[gene.contig].append((gene.start, gene.end))
        with atomic_open(scratch / MASK) as handle:
            for name, length in lengths.items():
                for start, end in complement(merge_intervals(genes[name]), length):
                    handle.write(f"{name}\t{start}\t{end}\tbeside_single_locus\n")
    _tell(target)


def copy_introns(source: Path, target: Path, held_out: set[str]) -> None:
    """Copy the lines of introns whose gene is not held out."""
    total = kept = 0
    with open_text(source) as lines, _gzipped(target) as handle:
        for line in lines:
            total += 1
            if held_out.isdisjoint(GENE_ID.findall(line)):
                kept += 1
                handle.write(line)
    print(f"{target.name}: {kept} of {total} introns; {total - kept} are of {len(held_out)} held-out genes")


def places_in_use(out: Path) -> IntervalIndex:
    """TAIR10 intervals of all A. thaliana contigs of ``out``, by chromosome."""
    places: dict[str, list[Interval]] = {}
    for folder in ("athaliana", "athaliana_chr1", "athaliana_chr5", "athaliana_more"):
        for name, length in contig_lengths(out / folder / FASTA).items():
            chromosome, start, end = place_of(name, length)
            places.setdefault(chromosome, []).append((start, end))
    return IntervalIndex(places)


def place_of(name: str, length: int = 0) -> tuple[str, int, int]:
    """Chromosome and 0-based half-open interval of a contig: ``Chr2_5_9_...`` by its name, others from 0 on."""
    if match := PLACE.match(name):
        return match["chromosome"], int(match["first"]) - 1, int(match["last"])
    return name.split("_")[0], 0, length


def genes_on(folder: Path, contigs: tuple[str, ...]) -> set[str]:
    """Araport ids of all genes on these contigs, coding or not."""
    with open_text(folder / GFF3) as lines:
        on = (line for line in lines if line.split("\t", 1)[0] in contigs)
        return {gene for line in on for gene in GENE_ID.findall(line)}


def contig_lengths(fasta: Path) -> dict[str, int]:
    """Lengths in bases by contig, in the order of the FASTA."""
    lengths: dict[str, int] = {}
    name = ""
    with open_text(fasta) as lines:
        for line in lines:
            if line.startswith(">"):
                name = line[1:].split(maxsplit=1)[0]
                lengths[name] = 0
            else:
                lengths[name] += len(line.strip())
    return lengths


def _copy_contigs(source: Path, target: Path, keep: Keep) -> None:
    """Copy FASTA records and GFF3 lines of the contigs that ``keep`` names."""
    with open_text(source / FASTA) as lines, _gzipped(target / FASTA) as handle:
        inside = False
        for line in lines:
            if line.startswith(">"):
                inside = keep(line[1:].split(maxsplit=1)[0])
            if inside:
                handle.write(line)
    with open_text(source / GFF3) as lines, _gzipped(target / GFF3) as handle:
        for line in lines:
            fields = line.split("\t") if not line.startswith("##sequence-region") else line.split()[1:]
            if line.startswith("##gff-version") or keep(fields[0]):
                handle.write(line)


@contextmanager
def _gzipped(path: Path) -> Iterator[IO[str]]:
    """A gzipped text file that appears when it is complete; same text, same bytes."""
    with atomic_path(path) as scratch, scratch.open("wb") as raw:
        packed = gzip.GzipFile("", "wb", 6, raw, mtime=0)  # type: ignore[arg-type]
        with packed, io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as text:
            yield text


def _tell(folder: Path) -> None:
    lengths = contig_lengths(folder / FASTA)
    with open_text(folder / GFF3) as lines:
        genes = sum(line.split("\t")[2:3] == ["gene"] for line in lines)
    print(f"{folder.name}: {len(lengths)} contigs, {sum(lengths.values()) / 1e6:.2f} Mb, {genes} genes")


if __name__ == "__main__":
    main()
