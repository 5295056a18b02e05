# Expression: measured levels of genes by tissue.
# In:  the files of `genomes[].expression`, results/clean/{genome}.db
# Out: results/expression/{genome}.measured.tsv, which no target asks for by itself


rule take_expression:
    input:
        files=lambda wildcards: given(expression_files(genomes[wildcards.genome].expression)),
        database="results/clean/{genome}.db",
        library=library("take_expression"),
    output:
        measured="results/expression/{genome}.measured.tsv",
    log:
        "logs/expression/{genome}.take.log",
    benchmark:
        "results/benchmarks/take_expression/{genome}.tsv"
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        source=lambda wildcards: dict(genomes[wildcards.genome].expression or {}),
    message:
        "Reading the measured expression of {wildcards.genome}: {output.measured}"
    script:
        "../scripts/take_expression.py"
