# Expression: measured levels of genes by tissue, and heads that learn to predict them from the bases around a gene.
# In:  the files of `genomes[].expression` (of reads, those of quantify.smk), results/clean/{genome}.db and .accepted.gff3,
#      FASTA, results/splits/clusters.tsv; for `encoder: frozen` the files of the structure model, for `motifs` those of a
#      regulatory head; config keys `expression`, `split`
# Out: results/expression/{genome}.measured.tsv, measured levels; results/splits/gene_windows.tsv;
#      results/models/expression/ (expression.json, expression.safetensors), checkpoints in expression.run/;
#      results/expression/{genome}.tsv, predicted levels; results/evaluation/expression.tsv


# Levels from RNA-seq reads.
include: "quantify.smk"


HEADS = config["expression"]
MEASURED = genomes.learnt_expression


rule take_expression:
    input:
        files=measured_files,
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
        source=source_of_levels,
    message:
        "Reading the measured expression of {wildcards.genome}: {output.measured}"
    script:
        "../scripts/take_expression.py"


rule make_gene_windows:
    input:
        databases=expand("results/clean/{genome}.db", genome=MEASURED),
        accepted=expand("results/clean/{genome}.accepted.gff3", genome=MEASURED),
        fasta=fasta_of(MEASURED),
        fai=fasta_of(MEASURED, ".fai"),
        loci=expand("results/splits/loci/{genome}.tsv", genome=MEASURED),
        clusters="results/splits/clusters.tsv",
        library=library("make_gene_windows"),
    output:
        windows="results/splits/gene_windows.tsv",
    log:
        "logs/expression/windows.log",
    benchmark:
        "results/benchmarks/make_gene_windows.tsv"
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        genomes=MEASURED,
        roles=genomes.roles(),
        contig_parts=genomes.contig_parts(),
        mode=config["split"]["mode"],
        fractions=config["split"]["fractions"],
        seed=config["seed"],
        windows=window_settings(HEADS),
    message:
        "Dividing genes with their windows between the parts: {output.windows}"
    script:
        "../scripts/make_gene_windows.py"


rule train_expression:
    input:
        databases=expand("results/clean/{genome}.db", genome=MEASURED),
        accepted=expand("results/clean/{genome}.accepted.gff3", genome=MEASURED),
        fasta=fasta_of(MEASURED),
        fai=fasta_of(MEASURED, ".fai"),
        windows="results/splits/gene_windows.tsv",
        measured=expand("results/expression/{genome}.measured.tsv", genome=MEASURED),
        model=model_files() if HEADS["encoder"] == "frozen" else [],
        motifs=motif_files(),
        library=library("train_expression"),
    output:
        described="results/models/expression/expression.json",
        weights="results/models/expression/expression.safetensors",
        metrics="results/models/expression/metrics.tsv",
    log:
        "logs/expression/train.log",
    benchmark:
        "results/benchmarks/train_expression.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 8
    resources:
        **place_of_prediction(HEADS),
        mem_mb=8000,
        runtime=480,
    params:
        genomes=MEASURED,
        names=[(genomes[name].species, genomes[name].lineage) for name in MEASURED],
        settings=training_settings(HEADS),
        seed=config["seed"],
        # Not an output: what has been learned must survive a kill.
        run_folder=lambda wildcards, output: f"{Path(output.described).parent}.run",
    message:
        "Training the expression heads: {output.weights}"
    script:
        "../scripts/train_expression.py"


rule predict_expression:
    input:
        head=expression_heads(),
        gff3=genes_with_ends,
        windows=lambda wildcards: "results/splits/gene_windows.tsv" if wildcards.genome in learnt_here() else [],
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        model=model_files() if expression_targets.encoder == "frozen" else [],
        library=library("predict_expression"),
    output:
        levels="results/expression/{genome}.tsv",
    log:
        "logs/expression/{genome}.predict.log",
    benchmark:
        "results/benchmarks/predict_expression/{genome}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 8
    resources:
        **place_of_prediction(HEADS),
        mem_mb=8000,
        runtime=240,
    params:
        species=lambda wildcards: genomes[wildcards.genome].species,
        lineage=lambda wildcards: genomes[wildcards.genome].lineage,
        device=HEADS["device"],
    message:
        "Predicting the expression of the genes of {wildcards.genome}: {output.levels}"
    script:
        "../scripts/predict_expression.py"


rule evaluate_expression:
    input:
        databases=expand("results/clean/{genome}.db", genome=MEASURED),
        accepted=expand("results/clean/{genome}.accepted.gff3", genome=MEASURED),
        fasta=fasta_of(MEASURED),
        fai=fasta_of(MEASURED, ".fai"),
        windows="results/splits/gene_windows.tsv",
        measured=expand("results/expression/{genome}.measured.tsv", genome=MEASURED),
        predicted=expand("results/expression/{genome}.tsv", genome=MEASURED),
        library=library("evaluate_expression"),
    output:
        scores="results/evaluation/expression.tsv",
    log:
        "logs/expression/evaluate.log",
    benchmark:
        "results/benchmarks/evaluate_expression.tsv"
    conda:
        "../envs/expression.yaml"
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        genomes=MEASURED,
        windows=window_settings(HEADS),
        seed=config["seed"],
    message:
        "Scoring the predicted expression beside simple models: {output.scores}"
    script:
        "../scripts/evaluate_expression.py"
