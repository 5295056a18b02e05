# Report: one self-contained HTML page with what was predicted, how it scores and with which programs.
# In:  statistics and tables of the stages before
# Out: results/report/report.html


rule report:
    input:
        stats=expand("results/predictions/{genome}.stats.json", genome=genomes.names),
        library=library("make_report"),
    output:
        html="results/report/report.html",
    log:
        "logs/report/report.log",
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        config=config,
    message:
        "Writing the report: {output.html}"
    script:
        "../scripts/make_report.py"
