"""Rule gather_evidence: one table of all junctions that a genome's evidence shows.

input: rnaseq (aligned reads or junctions), isoseq (BAM file, or none), fasta, fai
output: table
params: strict (config key genomes[].evidence.strict)
"""

from phytoscribe.session import run_script, warn


def main(snakemake) -> None:
    from phytoscribe.prediction.gathered_evidence import gather_evidence

    given = snakemake.input
    isoseq = given.isoseq[0] if given.isoseq else None
    for warning in gather_evidence(given.rnaseq, isoseq, given.fasta, snakemake.params.strict, snakemake.output.table):
        warn(f"{snakemake.wildcards.genome}: {warning}")


run_script(main, snakemake)
