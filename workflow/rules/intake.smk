# Intake: genomes, annotations and reads, as plain files with checked content.
# In:  paths or URLs from config key `genomes`
# Out: resources/genomes/{genome}/{genome}.fa, .fa.fai, .annotation.gff3, .isoseq.fastq.gz


rule download_genome:
    input:
        local=local_source("genome"),
        library=library("download_genome"),
    output:
        fasta="resources/genomes/{genome}/{genome}.fa",
    log:
        "logs/intake/{genome}.genome.log",
    localrule: True
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=1000,
        runtime=120,
    params:
        source=source("genome"),
    message:
        "Fetching the genome of {wildcards.genome}: {output.fasta}"
    script:
        "../scripts/download_genome.py"


rule index_genome:
    input:
        fasta="resources/genomes/{genome}/{genome}.fa",
        library=library("index_genome"),
    output:
        fai="resources/genomes/{genome}/{genome}.fa.fai",
    log:
        "logs/intake/{genome}.index.log",
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    message:
        "Indexing the genome of {wildcards.genome}: {output.fai}"
    script:
        "../scripts/index_genome.py"


rule download_annotation:
    input:
        local=local_source("annotation"),
        library=library("download_annotation"),
    output:
        annotation="resources/genomes/{genome}/{genome}.annotation.gff3",
    log:
        "logs/intake/{genome}.annotation.log",
    localrule: True
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=1000,
        runtime=60,
    params:
        source=source("annotation"),
    message:
        "Fetching the annotation of {wildcards.genome}: {output.annotation}"
    script:
        "../scripts/download_annotation.py"


rule download_isoseq:
    input:
        local=local_source("isoseq"),
        library=library("download_isoseq"),
    output:
        reads="resources/genomes/{genome}/isoseq.fastq.gz",
    log:
        "logs/intake/{genome}.isoseq.log",
    localrule: True
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=1000,
        runtime=120,
    params:
        source=source("isoseq"),
    message:
        "Fetching the Iso-Seq reads of {wildcards.genome}: {output.reads}"
    script:
        "../scripts/download_isoseq.py"
