# Clean: reference annotations in one form, and a reason for every transcript and gene that cannot be used.
# In:  resources/genomes/{genome}/{genome}.annotation.gff3, .fa, .fa.fai; config keys `clean` and `check`, and
#      `seqid_map` and `organelles` of a genome
# Out: results/clean/{genome}.gff3, .repairs.tsv; .rejected.tsv, .genes.tsv, .check.json, .check.svg; .accepted.gff3;
#      .db, which no target asks for by itself


rule clean_annotation:
    input:
        annotation="resources/genomes/{genome}/{genome}.annotation.gff3",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        seqid_map=seqid_map_file,
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
        seqid_map=seqid_map_of,
    message:
        "Cleaning the annotation of {wildcards.genome} ({params.backend}): {output.gff3}"
    script:
        "../scripts/clean_annotation.py"


rule check_annotation:
    input:
        gff3="results/clean/{genome}.gff3",
        repairs="results/clean/{genome}.repairs.tsv",
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("check_annotation"),
    output:
        transcripts="results/clean/{genome}.rejected.tsv",
        genes="results/clean/{genome}.genes.tsv",
        summary="results/clean/{genome}.check.json",
    log:
        "logs/clean/{genome}.check.log",
    benchmark:
        "results/benchmarks/check_annotation/{genome}.tsv"
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        # Not warn_above and stop_above: they judge the counts and change none.
        limits={key: config["check"][key] for key in ["minimum_intron", "maximum_intron", "minimum_cds_segment"]},
        organelles=organelles_of,
    message:
        "Checking every transcript of {wildcards.genome}: {output.transcripts}"
    script:
        "../scripts/check_annotation.py"


# Apart from the check, so that its tables stay when this rule stops the run.
rule accept_annotation:
    input:
        gff3="results/clean/{genome}.gff3",
        transcripts="results/clean/{genome}.rejected.tsv",
        genes="results/clean/{genome}.genes.tsv",
        summary="results/clean/{genome}.check.json",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("accept_annotation"),
    output:
        accepted="results/clean/{genome}.accepted.gff3",
    log:
        "logs/clean/{genome}.accept.log",
    benchmark:
        "results/benchmarks/accept_annotation/{genome}.tsv"
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        genome=lambda wildcards: wildcards.genome,
        thresholds={key: config["check"][key] for key in ["warn_above", "stop_above"]},
    message:
        "Taking the accepted transcripts of {wildcards.genome}: {output.accepted}"
    script:
        "../scripts/accept_annotation.py"


rule index_gene_database:
    input:
        accepted="results/clean/{genome}.accepted.gff3",
        library=library("index_gene_database"),
    output:
        database="results/clean/{genome}.db",
    log:
        "logs/clean/{genome}.database.log",
    benchmark:
        "results/benchmarks/index_gene_database/{genome}.tsv"
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    message:
        "Indexing the accepted genes of {wildcards.genome}: {output.database}"
    script:
        "../scripts/index_gene_database.py"


rule plot_check:
    input:
        summary="results/clean/{genome}.check.json",
        library=library("plot_check"),
    output:
        figure=report(
            "results/clean/{genome}.check.svg",
            caption="../report/check.rst",
            category="Annotation",
            labels={"genome": "{genome}", "figure": "annotation check"},
        ),
    log:
        "logs/clean/{genome}.plot.log",
    benchmark:
        "results/benchmarks/plot_check/{genome}.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        genome=lambda wildcards: wildcards.genome,
        thresholds={key: config["check"][key] for key in ["warn_above", "stop_above"]},
    message:
        "Drawing the annotation check of {wildcards.genome}: {output.figure}"
    script:
        "../scripts/plot_check.py"
