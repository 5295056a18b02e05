# Iso-Seq: predicted transcripts against full-length reads, by alignment to the genome and by sequence alone.
# In:  reads, FASTA, results/predictions/{genome}.*, results/clean/{genome}.accepted.gff3; config key `evaluate.isoseq`
# Out: results/evaluation/{genome}.isoseq.tsv, .blast.tsv, .isoseq_{reads,transcripts,agreement}.tsv


rule align_isoseq:
    input:
        reads="resources/genomes/{genome}/isoseq.fastq.gz",
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("align_isoseq"),
    output:
        bam="results/evaluation/isoseq/{genome}.bam",
        csi="results/evaluation/isoseq/{genome}.bam.csi",
    log:
        "logs/evaluate/{genome}.align.log",
    benchmark:
        "results/benchmarks/align_isoseq/{genome}.tsv"
    conda:
        "../envs/minimap2.yaml"
    threads: 8
    resources:
        mem_mb=16000,
        runtime=480,
    message:
        "Aligning Iso-Seq reads to {wildcards.genome}: {output.bam}"
    script:
        "../scripts/align_isoseq.py"


rule blast_isoseq:
    input:
        predicted="results/predictions/{genome}.gff3",
        transcripts="results/predictions/{genome}.transcripts.fna",
        cds="results/predictions/{genome}.cds.fna",
        bam="results/evaluation/isoseq/{genome}.bam",
        csi="results/evaluation/isoseq/{genome}.bam.csi",
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        reference=reference_of,
        augustus=baseline_of,
        library=library("blast_isoseq"),
    output:
        scores=report(
            "results/evaluation/{genome}.blast.tsv",
            caption="../report/blast.rst",
            category="Scores",
            labels={"genome": "{genome}", "criterion": "Iso-Seq, BLAST"},
        ),
        hits="results/evaluation/isoseq/{genome}.hits.tsv",
    log:
        "logs/evaluate/{genome}.blast.log",
    benchmark:
        "results/benchmarks/blast_isoseq/{genome}.tsv"
    conda:
        "../envs/blast.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=480,
    params:
        contigs=lambda wildcards: genomes.scored_contigs(wildcards.genome),
        limits=config["evaluate"]["isoseq"],
    message:
        "Comparing transcripts of {wildcards.genome} with Iso-Seq reads by BLAST: {output.scores}"
    script:
        "../scripts/blast_isoseq.py"


rule evaluate_isoseq:
    input:
        predicted="results/predictions/{genome}.gff3",
        bam="results/evaluation/isoseq/{genome}.bam",
        csi="results/evaluation/isoseq/{genome}.bam.csi",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        reference=reference_of,
        augustus=baseline_of,
        library=library("evaluate_isoseq"),
    output:
        scores=report(
            "results/evaluation/{genome}.isoseq.tsv",
            caption="../report/isoseq.rst",
            category="Scores",
            labels={"genome": "{genome}", "criterion": "Iso-Seq, introns"},
        ),
        reads="results/evaluation/{genome}.isoseq_reads.tsv",
        classes="results/evaluation/isoseq/{genome}.classes.tsv",
    log:
        "logs/evaluate/{genome}.isoseq.log",
    benchmark:
        "results/benchmarks/evaluate_isoseq/{genome}.tsv"
    conda:
        "../envs/minimap2.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        contigs=lambda wildcards: genomes.scored_contigs(wildcards.genome),
        limits=config["evaluate"]["isoseq"],
    message:
        "Scoring {wildcards.genome} by its Iso-Seq reads: {output.scores}"
    script:
        "../scripts/evaluate_isoseq.py"


rule compare_isoseq:
    input:
        classes="results/evaluation/isoseq/{genome}.classes.tsv",
        hits="results/evaluation/isoseq/{genome}.hits.tsv",
        library=library("compare_isoseq"),
    output:
        transcripts="results/evaluation/{genome}.isoseq_transcripts.tsv",
        agreement=report(
            "results/evaluation/{genome}.isoseq_agreement.tsv",
            caption="../report/isoseq_agreement.rst",
            category="Scores",
            labels={"genome": "{genome}", "criterion": "Iso-Seq, introns and BLAST"},
        ),
    log:
        "logs/evaluate/{genome}.compare_isoseq.log",
    benchmark:
        "results/benchmarks/compare_isoseq/{genome}.tsv"
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=2000,
        runtime=15,
    message:
        "Comparing the two scores of {wildcards.genome} by Iso-Seq reads: {output.agreement}"
    script:
        "../scripts/compare_isoseq.py"
