"""Rule find_rrna: rRNA genes by pybarrnap.

input: fasta, fai
output: gff3
params: contigs (names or None for all), organelles (contigs that the configuration calls so)
threads: the result does not depend on them
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.files import atomic_open
    from phytoscribe.genome.fasta import Genome, chosen_contigs
    from phytoscribe.noncoding import SOURCES
    from phytoscribe.noncoding.pieces import write_found
    from phytoscribe.noncoding.rrna import find_rrna

    with Genome(snakemake.input.fasta) as genome:
        contigs = chosen_contigs(genome.contigs, snakemake.params.contigs)
        found, header = find_rrna(genome, contigs, snakemake.params.organelles, snakemake.threads)
    with atomic_open(snakemake.output.gff3) as handle:
        write_found(handle, found, contigs, SOURCES["barrnap"], [header])


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
