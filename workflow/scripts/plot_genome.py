"""Rule plot_genome: the figures of one genome for the report, each as SVG, PDF and TSV."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.evaluation.long_reads.alignments import ReadLimits
    from phytoscribe.genome.fasta import chosen_contigs, read_index
    from phytoscribe.reporting.drawing import write_drawings
    from phytoscribe.reporting.genome_figures import GenomeEvidence, draw_genome
    from phytoscribe.tables import LOCI, PREDICTED_GENES, SCORES, read_table

    given, params = snakemake.input, snakemake.params
    lengths = read_index(given.fai)

    def read(name, reader, *arguments):
        return reader(given[name], *arguments) if given.get(name) else None

    evidence = GenomeEvidence(
        name=params.genome,
        genes=read_gff3(given.predicted, lengths),
        contigs=list(chosen_contigs(lengths, params.contigs)),
        reference=read("reference", read_gff3, lengths),
        augustus=read("augustus", read_gff3, lengths),
        scores=read("scores", read_table, SCORES),
        loci=read("loci", read_table, LOCI),
        predicted=read("genes", read_table, PREDICTED_GENES),
        bam=given.get("bam") or None,
        limits=ReadLimits.of(params.limits) if params.limits else ReadLimits(),
    )
    write_drawings(draw_genome(evidence), snakemake.output.figures)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
