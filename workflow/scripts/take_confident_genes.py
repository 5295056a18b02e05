"""Rule take_confident_genes: a first prediction divided into genes to train on and genes that are too unsure.

input.gff3, .fai:   the first prediction, and the index of the genome
output.accepted:    GFF3 with the confident genes
output.rejected:    table of the others and of the sequence around them; start0 is 0-based, end exclusive
params:             genome, minimum_score, minimum_genes, organelles (contigs that the configuration calls so)
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.annotation.checking.acceptance import comments_of
    from phytoscribe.annotation.checking.tables import write_transcripts
    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.annotation.gff_writer import write_gff3
    from phytoscribe.files import atomic_open
    from phytoscribe.genome.fasta import read_index
    from phytoscribe.training.data.confident_genes import check_number, confident_genes

    params, contigs = snakemake.params, read_index(snakemake.input.fai)
    genes = read_gff3(snakemake.input.gff3, contigs)
    found = confident_genes(genes, contigs, params.minimum_score, params.organelles)
    check_number(found, params.genome, len(genes), params.minimum_score, params.minimum_genes)
    header = [*comments_of(snakemake.input.gff3), f"genes with a score of at least {params.minimum_score:g}"]
    with (
        atomic_open(snakemake.output.accepted) as accepted,
        atomic_open(snakemake.output.rejected) as rejected,
    ):
        write_gff3(accepted, found.accepted, contigs, header=header)
        write_transcripts(rejected, found.rejected)


run_script(main, snakemake)
