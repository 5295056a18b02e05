"""Rule write_submission: the feature table of a prediction, for NCBI's table2asn.

input: gff3
output: table
params: genome, locus_tag (prefix registered for the assembly; empty if the configuration has none)
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.annotation.feature_table import checked_prefix, feature_table
    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.files import atomic_open

    prefix = checked_prefix(snakemake.params.locus_tag, snakemake.params.genome)
    with atomic_open(snakemake.output.table) as handle:
        handle.writelines(f"{line}\n" for line in feature_table(read_gff3(snakemake.input.gff3), prefix))


run_script(main, snakemake)
