"""Rule report: one self-contained HTML page, the works to cite, and the figures that belong to no genome.

input (all but stats may be empty lists): of each genome stats (results/predictions/{genome}.stats.json), predicted
    (.gff3, only linked), figures (folder results/report/figures/{genome}), checks (results/clean/{genome}.check.json);
    of results/evaluation/ genes, predicted_genes, isoseq, blast, isoseq_reads, isoseq_transcripts, isoseq_agreement
    and plausibility ({genome}.{name}.tsv); igv, jbrowse (results/tracks/{genome}/igv_session.xml and
    jbrowse/config.json, only linked); of the run splits (results/splits/splits.tsv), leakage
    (results/splits/leakage.tsv), tokenizer (results/tokenizer/stats.json), pretrain
    (results/models/pretrain/report.json), pretrain_metrics (results/models/pretrain/metrics.tsv), load_report
    (results/models/structure/load_report.json), structure_metrics (results/models/structure/metrics.tsv);
    page (the page's templates and style) so that their edits rerun the rule
output: html (results/report/report.html), bibtex (results/report/citations.bib),
    figures (folder results/report/figures/_workflow)
params: config (the validated configuration), genomes (list of mappings with name, role, lineage,
    scored_contigs), benchmarks (folder of Snakemake's benchmark files; not an input, as a file that is missing there
    must not make its rule run again)
"""

from phytoscribe.session import run_script

INPUTS = (
    "stats", "predicted", "figures", "checks", "genes", "predicted_genes", "isoseq", "blast", "isoseq_reads",
    "isoseq_transcripts", "isoseq_agreement", "plausibility", "igv", "jbrowse", "splits", "leakage", "tokenizer",
    "pretrain", "pretrain_metrics", "load_report", "structure_metrics",
)  # fmt: skip


def main(snakemake) -> None:
    from dataclasses import replace

    from phytoscribe.files import atomic_open
    from phytoscribe.reporting.citations import bibtex, citations_of
    from phytoscribe.reporting.drawing import read_figures, write_drawings
    from phytoscribe.reporting.inputs import GenomeInfo, read_inputs
    from phytoscribe.reporting.own_figures import draw_workflow
    from phytoscribe.reporting.page import write_report

    output, params = snakemake.output, snakemake.params
    files = {name: snakemake.input.get(name) for name in INPUTS}
    genomes = [GenomeInfo(**genome) for genome in params.genomes]
    inputs = read_inputs(files, genomes, dict(params.config), output.html, params.benchmarks)
    write_drawings(draw_workflow(inputs), output.figures)
    with atomic_open(output.bibtex) as handle:
        handle.write(bibtex(citations_of(inputs.config)))
    write_report(replace(inputs, own_figures=read_figures(output.figures)), output.html)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
