"""Rule gather_evidence: one table of all junctions that a genome's evidence shows.

input: rnaseq (aligned reads or junctions), isoseq (BAM file and its reads, or none), fasta, fai, seqid_map (file, if
    any)
output: table
params: strict (config key genomes[].evidence.strict), seqid_map (mapping, path or None)
"""

from phytoscribe.session import run_script, warn


def main(snakemake) -> None:
    from phytoscribe.annotation.seqids import read_seqid_map
    from phytoscribe.prediction.gathered_evidence import gather_evidence

    given, params = snakemake.input, snakemake.params
    warnings = gather_evidence(
        given.rnaseq,
        tuple(given.isoseq) or None,
        given.fasta,
        snakemake.output.table,
        strict=params.strict,
        seqid_map=read_seqid_map(params.seqid_map),
    )
    for warning in warnings:
        warn(f"{snakemake.wildcards.genome}: {warning}")


run_script(main, snakemake)
