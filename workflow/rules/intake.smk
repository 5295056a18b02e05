# Intake: genomes, annotations and reads, as plain files with checked content, and where each comes from.
# In:  paths, URLs or Phytozome numbers from config key `genomes`; config key `download`
# Out: resources/genomes/{genome}/{genome}.fa, .fa.fai, .annotation.gff3, isoseq.fastq.gz, *.source.json;
#      resources/genomes/manifest.tsv
# Downloads run where Snakemake runs: nodes of a cluster often have no way to the internet.


rule download_genome:
    input:
        local=local_source("genome"),
        library=library("download_genome"),
    output:
        fasta=ensure("resources/genomes/{genome}/{genome}.fa", non_empty=True),
        record="resources/genomes/{genome}/genome.source.json",
    log:
        "logs/intake/{genome}.genome.log",
    retries: DOWNLOAD_RETRIES
    localrule: True
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=1000,
        runtime=120,
        attempts_left=attempts_left,
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
    benchmark:
        "results/benchmarks/index_genome/{genome}.tsv"
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
        genome="resources/genomes/{genome}/genome.source.json",
        local=local_source("annotation"),
        library=library("download_annotation"),
    output:
        annotation=ensure("resources/genomes/{genome}/{genome}.annotation.gff3", non_empty=True),
        record="resources/genomes/{genome}/annotation.source.json",
    log:
        "logs/intake/{genome}.annotation.log",
    retries: DOWNLOAD_RETRIES
    localrule: True
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=1000,
        runtime=60,
        attempts_left=attempts_left,
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
        reads=ensure("resources/genomes/{genome}/isoseq.fastq.gz", non_empty=True),
        record="resources/genomes/{genome}/isoseq.source.json",
    log:
        "logs/intake/{genome}.isoseq.log",
    retries: DOWNLOAD_RETRIES
    localrule: True
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=1000,
        runtime=120,
        attempts_left=attempts_left,
    params:
        source=source("isoseq"),
    message:
        "Fetching the Iso-Seq reads of {wildcards.genome}: {output.reads}"
    script:
        "../scripts/download_isoseq.py"


rule write_manifest:
    input:
        records=source_records(genomes),
        library=library("write_manifest"),
    output:
        manifest="resources/genomes/manifest.tsv",
    log:
        "logs/intake/manifest.log",
    localrule: True
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        descriptions=genomes.descriptions(),
    message:
        "Listing all files that were taken in: {output.manifest}"
    script:
        "../scripts/write_manifest.py"
