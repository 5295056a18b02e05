"""Rule find_ncrna: genes of the families of Rfam, or of other covariance models, by Infernal.

input: fasta, fai, models (the four files that cmpress wrote), clans (Rfam.clanin, or nothing)
output: gff3
params: without (types that other programs find), contigs (names or None for all)
threads: the result does not depend on them
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.files import atomic_open
    from phytoscribe.genome.fasta import Genome, chosen_contigs
    from phytoscribe.noncoding import PRESSED, SOURCES
    from phytoscribe.noncoding.pieces import write_found
    from phytoscribe.noncoding.rfam import find_ncrna

    given, params = snakemake.input, snakemake.params
    models = given.models[0].removesuffix(PRESSED[0])
    clans = given.clans[0] if given.clans else None
    with Genome(given.fasta) as genome:
        contigs = chosen_contigs(genome.contigs, params.contigs)
        found, header, left_out = find_ncrna(genome, contigs, models, clans, params.without, snakemake.threads)
    others = ", ".join(f"{count} {what}" for what, count in sorted(left_out.items()))
    with atomic_open(snakemake.output.gff3) as handle:
        header = [header, f"cmscan also found, and left out here: {others}"] if others else [header]
        write_found(handle, found, contigs, SOURCES["rfam"], header)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
