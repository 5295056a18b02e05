"""Rule plot_check: what the annotation check accepted and rejected, as one figure.

params.genome:     name, for the title
params.thresholds: {warn_above, stop_above}, shares of coding transcripts
input.summary:     JSON of check_annotation
output.figure:     SVG
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.files import atomic_open
    from phytoscribe.reporting.inputs import read_json
    from phytoscribe.reporting.process_figures import check_figure

    summary = read_json(snakemake.input.summary)
    with atomic_open(snakemake.output.figure) as handle:
        handle.write(check_figure(snakemake.params.genome, summary, snakemake.params.thresholds))


run_script(main, snakemake)
