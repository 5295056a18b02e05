# Clean: reference annotations in one form, and a reason for every transcript that cannot be used.
# In:  resources/genomes/{genome}/{genome}.annotation.gff3, .fa, .fa.fai; config keys `clean` and `check`
# Out: results/clean/{genome}.gff3, .repairs.tsv, .accepted.gff3, .rejected.tsv, .check.json


rule clean_annotation:
    input:
        annotation="resources/genomes/{genome}/{genome}.annotation.gff3",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("clean_annotation"),
    output:
        gff3="results/clean/{genome}.gff3",
        repairs="results/clean/{genome}.repairs.tsv",
    log:
        "logs/clean/{genome}.clean.log",
    benchmark:
        "results/benchmarks/clean_annotation/{genome}.tsv"
    conda:
        CLEANER_ENVIRONMENT
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        backend=config["clean"]["backend"],
    message:
        "Cleaning the annotation of {wildcards.genome} ({params.backend}): {output.gff3}"
    script:
        "../scripts/clean_annotation.py"


rule check_annotation:
    input:
        gff3="results/clean/{genome}.gff3",
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("check_annotation"),
    output:
        accepted="results/clean/{genome}.accepted.gff3",
        transcripts="results/clean/{genome}.rejected.tsv",
        summary="results/clean/{genome}.check.json",
    log:
        "logs/clean/{genome}.check.log",
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        limits=config["check"],
    message:
        "Checking every transcript of {wildcards.genome}: {output.accepted}"
    script:
        "../scripts/check_annotation.py"
