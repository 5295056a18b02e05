"""Rule locate_parts: the part (train, validate, test, hidden) of every base; only mode `cluster` needs that of loci."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.genome.fasta import read_index
    from phytoscribe.splits.parts import complete_contig_parts, parts_of_genome, write_parts
    from phytoscribe.splits.table import SPLIT_COLUMNS, read_table

    params, given = snakemake.params, snakemake.input
    splits = read_table(given.splits[0], SPLIT_COLUMNS) if given.splits else None
    for name, fai, path in zip(params.genomes, given.fai, snakemake.output.parts, strict=True):
        contigs = read_index(fai)
        parts = complete_contig_parts(contigs, params.contig_parts.get(name, {}), name)
        role = params.roles[name]
        write_parts(path, parts_of_genome(splits, name, contigs, role, params.mode, parts, int(params.flank)))


run_script(main, snakemake)
