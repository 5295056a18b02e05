"""Rule find_trna: tRNA genes by the program that the configuration names.

input: fasta, fai
output: gff3
params: tool (aragorn or trnascan), contigs (names or None for all)
threads: the result does not depend on them
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.files import atomic_open
    from phytoscribe.genome.fasta import Genome, chosen_contigs
    from phytoscribe.noncoding import SOURCES
    from phytoscribe.noncoding.pieces import write_found
    from phytoscribe.noncoding.trna import find_trna

    tool = snakemake.params.tool
    with Genome(snakemake.input.fasta) as genome:
        contigs = chosen_contigs(genome.contigs, snakemake.params.contigs)
        found, header = find_trna(genome, contigs, tool, snakemake.threads)
    with atomic_open(snakemake.output.gff3) as handle:
        write_found(handle, found, contigs, SOURCES[tool], [header])


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
