"""Rule merge_noncoding: RNA genes of all programs and the mobile elements of the user's file, numbered and counted.

input: found (GFF3 of each program; may be empty), repeats (the user's file, or nothing), fai
output: gff3, counts
params: genome, contigs (names or None for all), seqid_map
"""

from phytoscribe.session import run_script, warn


def main(snakemake) -> None:
    from phytoscribe.annotation.checking.acceptance import comments_of
    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.annotation.seqids import read_seqid_map
    from phytoscribe.files import atomic_open
    from phytoscribe.genome.fasta import chosen_contigs, read_index
    from phytoscribe.noncoding.elements import read_elements
    from phytoscribe.noncoding.merge import write_noncoding
    from phytoscribe.tables import NONCODING, write_table

    given, params = snakemake.input, snakemake.params
    lengths = read_index(given.fai)
    genes = [gene for path in given.found for gene in read_gff3(path, lengths)]
    header = [comment for path in given.found for comment in comments_of(path)]
    elements = []
    for path in given.repeats:
        elements, left_out = read_elements(path, lengths, read_seqid_map(params.seqid_map))
        others = ", ".join(f"{count} {what}" for what, count in sorted(left_out.items()))
        header.append(f"mobile elements: {path}" + (f"; left out: {others}" if others else ""))
        if not elements:
            warn(f"{params.genome}: {path} holds no mobile element" + (f", only {others}" if others else ""))
    with atomic_open(snakemake.output.gff3) as handle:
        contigs = chosen_contigs(lengths, params.contigs)
        counts = write_noncoding(handle, genes, elements, contigs, params.genome, header)
    write_table(counts, snakemake.output.counts, NONCODING)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
