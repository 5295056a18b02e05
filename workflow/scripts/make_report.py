"""Rule report: one self-contained HTML page, the works to cite, and the figures that belong to no genome.

input: as phytoscribe.reporting.inputs.ReportInputs declares them; all but stats may be empty lists. page (templates,
    style and references) is there so that their edits rerun the rule
output: html (results/report/report.html), bibtex (results/report/citations.bib),
    figures (folder results/report/figures/_workflow)
params: config (the validated configuration), genomes (list of mappings with name, role, lineage,
    scored_contigs), benchmarks (folder of Snakemake's benchmark files; not an input, as a file that is missing there
    must not make its rule run again)
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from dataclasses import replace
    from itertools import chain

    from phytoscribe.files import atomic_open
    from phytoscribe.reporting.citations import bibtex, citations_of
    from phytoscribe.reporting.drawing import read_figures, write_drawings
    from phytoscribe.reporting.expression_panel import expression_figures
    from phytoscribe.reporting.inputs import GenomeInfo, read_inputs
    from phytoscribe.reporting.learned import promoter_figures
    from phytoscribe.reporting.page import write_report
    from phytoscribe.reporting.process_figures import draw_workflow

    output, params = snakemake.output, snakemake.params
    genomes = [GenomeInfo(**genome) for genome in params.genomes]
    inputs = read_inputs(dict(snakemake.input.items()), genomes, dict(params.config), output.html, params.benchmarks)
    drawings = draw_workflow(inputs.costs, inputs.pretrain_metrics, inputs.structure_metrics, inputs.regulatory)
    own = chain(drawings, expression_figures(inputs), promoter_figures(inputs.promoters))
    write_drawings(own, output.figures)
    with atomic_open(output.bibtex) as handle:
        handle.write(bibtex(citations_of(inputs.config)))
    write_report(replace(inputs, own_figures=read_figures(output.figures)), output.html)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
