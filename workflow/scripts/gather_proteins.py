"""Rule gather_proteins: one table of all proteins of a genome's evidence, aligned to it.

input: proteins (FASTA, or miniprot's GFF3), fasta, fai, seqid_map (file, if any)
output: table
params: strict (config key genomes[].evidence.strict), seqid_map (mapping, path or None)
"""

from phytoscribe.session import run_script, warn


def main(snakemake) -> None:
    from phytoscribe.annotation.seqids import read_seqid_map
    from phytoscribe.prediction.gathered_proteins import gather_proteins

    given, params = snakemake.input, snakemake.params
    warnings = gather_proteins(
        given.proteins,
        given.fasta,
        snakemake.output.table,
        strict=params.strict,
        seqid_map=read_seqid_map(params.seqid_map),
        threads=snakemake.threads,
    )
    for warning in warnings:
        warn(f"{snakemake.wildcards.genome}: {warning}")


run_script(main, snakemake)
