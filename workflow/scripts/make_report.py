"""Rule report: one self-contained HTML page.

input (all but stats may be empty lists): stats (results/predictions/{genome}.stats.json of all genomes),
    checks (results/clean/{genome}.check.json), genes (results/evaluation/{genome}.genes.tsv),
    isoseq (results/evaluation/{genome}.isoseq.tsv), blast (results/evaluation/{genome}.blast.tsv),
    splits (results/splits/splits.tsv), leakage (results/splits/leakage.tsv), tokenizer (results/tokenizer/stats.json),
    pretrain (results/models/pretrain/report.json), pretrain_metrics (results/models/pretrain/metrics.tsv),
    load_report (results/models/structure/load_report.json), structure_metrics (results/models/structure/metrics.tsv);
    template (workflow/scripts/phytoscribe/reporting/page.html.j2) so that its edits rerun the rule
output: html (results/report/report.html)
params: config (the validated configuration), genomes (list of mappings with name, role, lineage)
"""

from phytoscribe.session import run_script

INPUTS = (
    "stats", "checks", "genes", "isoseq", "blast", "splits", "leakage", "tokenizer", "pretrain", "pretrain_metrics",
    "load_report", "structure_metrics",
)  # fmt: skip


def main(snakemake) -> None:
    from phytoscribe.reporting.inputs import GenomeInfo, read_inputs
    from phytoscribe.reporting.page import write_report

    files = {name: snakemake.input.get(name) for name in INPUTS}
    genomes = [GenomeInfo(**genome) for genome in snakemake.params.genomes]
    write_report(read_inputs(files, genomes, dict(snakemake.params.config)), snakemake.output.html)


run_script(main, snakemake)  # `snakemake` is injected by the `script:` directive
