# Report: one self-contained HTML page with what was predicted, how it scores and with which programs.
# In:  statistics and tables of the stages before
# Out: results/report/report.html


rule report:
    input:
        stats=expand("results/predictions/{genome}.stats.json", genome=genomes.names),
        checks=expand("results/clean/{genome}.check.json", genome=genomes.checked),
        genes=expand("results/evaluation/{genome}.genes.tsv", genome=genomes.evaluated),
        isoseq=expand("results/evaluation/{genome}.isoseq.tsv", genome=genomes.with_isoseq),
        blast=expand("results/evaluation/{genome}.blast.tsv", genome=genomes.with_isoseq),
        splits=of_training("results/splits/splits.tsv"),
        leakage=of_training("results/splits/leakage.tsv"),
        tokenizer=of_training("results/tokenizer/stats.json"),
        pretrain=of_training("results/models/pretrain/report.json"),
        pretrain_metrics=of_training("results/models/pretrain/metrics.tsv"),
        load_report=of_training("results/models/structure/load_report.json"),
        structure_metrics=of_training("results/models/structure/metrics.tsv"),
        template=os.path.relpath(SCRIPTS / "phytoscribe/reporting/page.html.j2"),
        library=library("make_report"),
    output:
        html=report(
            "results/report/report.html",
            caption="../report/report.rst",
            category="Report",
            labels={"page": "report.html"},
        ),
    log:
        "logs/report/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        config=config,
        genomes=[{key: item[key] for key in ("name", "role", "lineage")} for item in config["genomes"]],
    message:
        "Writing the report: {output.html}"
    script:
        "../scripts/make_report.py"
