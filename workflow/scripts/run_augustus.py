"""Rule run_augustus: the AUGUSTUS baseline on the scored contigs of one genome.

input: fasta, fai
output: gff3 (results/evaluation/augustus/{genome}.gff3)
params: species (AUGUSTUS species name), contigs (list of scored contigs, or None for all)
threads: number of contigs worked on at a time; the result does not depend on it
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.annotation.gff_writer import write_gff3
    from phytoscribe.evaluation.accuracy.augustus import OPTIONS, predict_genes, version
    from phytoscribe.files import atomic_open
    from phytoscribe.genome.fasta import Genome, chosen_contigs

    species = snakemake.params.species
    with Genome(snakemake.input.fasta) as genome:
        contigs = list(chosen_contigs(genome.contigs, snakemake.params.contigs))
        genes = predict_genes(genome, contigs, species, snakemake.threads)
        header = (version(), f"augustus --species={species} {' '.join(OPTIONS)}", f"contigs: {' '.join(contigs)}")
        with atomic_open(snakemake.output.gff3) as handle:
            write_gff3(handle, genes, {name: genome.contigs[name] for name in contigs}, header)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
