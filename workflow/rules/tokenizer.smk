# Tokenizer: the vocabulary that the encoder reads DNA with, learned from training sequence alone.
# In:  FASTA of the training genomes, results/splits/{genome}.parts.bed; config key `tokenizer`
# Out: results/tokenizer/ (a transformers tokenizer), corpus.txt, stats.json


rule sample_corpus:
    input:
        fasta=fasta_of(genomes.with_role("train")),
        fai=fasta_of(genomes.with_role("train"), ".fai"),
        parts=expand("results/splits/{genome}.parts.bed", genome=genomes.with_role("train")),
        library=library("sample_corpus"),
    output:
        corpus="results/tokenizer/corpus.txt",
    log:
        "logs/tokenizer/corpus.log",
    benchmark:
        "results/benchmarks/sample_corpus.tsv"
    conda:
        "../envs/tokenizer.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        genomes=genomes.with_role("train"),
        corpus_bases=config["tokenizer"]["corpus_bases"],
        seed=config["seed"],
    message:
        "Sampling training sequence for the tokenizer: {output.corpus}"
    script:
        "../scripts/sample_corpus.py"


rule train_tokenizer:
    input:
        corpus="results/tokenizer/corpus.txt",
        library=library("train_tokenizer"),
    output:
        tokenizer="results/tokenizer/tokenizer.json",
        config="results/tokenizer/tokenizer_config.json",
        stats="results/tokenizer/stats.json",
    log:
        "logs/tokenizer/train.log",
    benchmark:
        "results/benchmarks/train_tokenizer.tsv"
    conda:
        "../envs/tokenizer.yaml"
    threads: 4
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        kind=config["tokenizer"]["kind"],
        vocabulary=config["tokenizer"]["vocabulary"],
        k=config["tokenizer"]["k"],
        species=training("species"),
        lineages=training("lineage"),
    message:
        "Training the tokenizer: {output.tokenizer}"
    script:
        "../scripts/train_tokenizer.py"
