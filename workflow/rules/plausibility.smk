# Plausibility: what a prediction says about itself, without a reference.
# In:  results/predictions/{genome}.*, FASTA, shapes of annotated genomes; config key `evaluate.busco`
# Out: results/evaluation/{genome}.plausibility.tsv, results/clean/{genome}.shapes.tsv


rule measure_shapes:
    input:
        accepted="results/clean/{genome}.accepted.gff3",
        library=library("measure_shapes"),
    output:
        shapes="results/clean/{genome}.shapes.tsv",
    log:
        "logs/clean/{genome}.shapes.log",
    benchmark:
        "results/benchmarks/measure_shapes/{genome}.tsv"
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        genome=lambda wildcards: wildcards.genome,
        lineage=lambda wildcards: genomes[wildcards.genome].lineage,
    message:
        "Measuring the genes of {wildcards.genome}: {output.shapes}"
    script:
        "../scripts/measure_shapes.py"


rule run_busco:
    input:
        proteins="results/predictions/{genome}.proteins.faa",
        lineage=given(plausibility_files.lineage()),
        library=library("run_busco"),
    output:
        summary="results/evaluation/busco/{genome}.json",
    log:
        "logs/evaluate/{genome}.busco.log",
    benchmark:
        "results/benchmarks/run_busco/{genome}.tsv"
    conda:
        "../envs/busco.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        genome=lambda wildcards: wildcards.genome,
    message:
        "Running BUSCO on the proteins of {wildcards.genome}: {output.summary}"
    script:
        "../scripts/run_busco.py"


rule check_prediction:
    input:
        predicted="results/predictions/{genome}.gff3",
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        shapes=lambda wildcards: [*plausibility_files.shapes(wildcards), *given([RELATED_SPECIES])],
        busco=plausibility_files.busco,
        repeats=lambda wildcards: given(plausibility_files.repeats(wildcards)),
        seqid_map=seqid_map_file,
        library=library("check_prediction"),
    output:
        figures=report(
            "results/evaluation/{genome}.plausibility.tsv",
            caption="../report/plausibility.rst",
            category="Scores",
            labels={"genome": "{genome}", "criterion": "without a reference"},
        ),
    log:
        "logs/evaluate/{genome}.plausibility.log",
    benchmark:
        "results/benchmarks/check_prediction/{genome}.tsv"
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        genome=lambda wildcards: wildcards.genome,
        lineage=lambda wildcards: genomes[wildcards.genome].lineage,
        contigs=lambda wildcards: genomes.predicted_contigs(wildcards.genome),
        organelles=organelles_of,
        seqid_map=seqid_map_of,
    message:
        "Checking the genes of {wildcards.genome} for signs of trouble: {output.figures}"
    script:
        "../scripts/check_prediction.py"
