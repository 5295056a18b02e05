# Split: which genes train, validate and test, by homology or by contig. Genomes of role predict take no part.
# In:  accepted annotation and FASTA of the genomes with another role; config key `split`
# Out: results/splits/clusters.tsv, splits.tsv, {genome}.parts.bed (which every later stage reads), leakage.tsv


rule extract_proteins:
    input:
        accepted=accepted_genes,
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("extract_proteins"),
    output:
        proteins="results/splits/proteins/{genome}.faa",
        loci="results/splits/loci/{genome}.tsv",
    log:
        "logs/split/{genome}.proteins.log",
    benchmark:
        "results/benchmarks/extract_proteins/{genome}.tsv"
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    message:
        "Translating the genes of {wildcards.genome}: {output.proteins}"
    script:
        "../scripts/extract_proteins.py"


rule cluster_paralogs:
    input:
        proteins=expand("results/splits/proteins/{genome}.faa", genome=genomes.split),
        library=library("cluster_paralogs"),
    output:
        clusters="results/splits/clusters.tsv",
    log:
        "logs/split/clusters.log",
    benchmark:
        "results/benchmarks/cluster_paralogs.tsv"
    conda:
        "../envs/cdhit.yaml"
    threads: 8
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        identity=config["split"]["identity"],
        coverage=config["split"]["coverage"],
        word_size=config["split"]["word_size"],
    message:
        "Grouping homologous proteins of all training and test genomes: {output.clusters}"
    script:
        "../scripts/cluster_paralogs.py"


rule assign_splits:
    input:
        loci=expand("results/splits/loci/{genome}.tsv", genome=genomes.split),
        clusters="results/splits/clusters.tsv",
        library=library("assign_splits"),
    output:
        splits="results/splits/splits.tsv",
    log:
        "logs/split/assign.log",
    benchmark:
        "results/benchmarks/assign_splits.tsv"
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        roles=genomes.roles(),
        mode=config["split"]["mode"],
        fractions=config["split"]["fractions"],
        contig_parts=genomes.contig_parts(),
        seed=config["seed"],
    message:
        "Dividing genes between training, validation and test: {output.splits}"
    script:
        "../scripts/assign_splits.py"


rule locate_parts:
    input:
        # In mode contig, training need not wait for the clusters.
        splits=["results/splits/splits.tsv"] if config["split"]["mode"] == "cluster" else [],
        fai=fasta_of(genomes.split, ".fai"),
        library=library("locate_parts"),
    output:
        parts=expand("results/splits/{genome}.parts.bed", genome=genomes.split),
    log:
        "logs/split/parts.log",
    benchmark:
        "results/benchmarks/locate_parts.tsv"
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        genomes=genomes.split,
        roles=genomes.roles(),
        mode=config["split"]["mode"],
        contig_parts=genomes.contig_parts(),
        flank=config["split"]["flank"],
    message:
        "Dividing sequence between training, validation and test: results/splits/*.parts.bed"
    script:
        "../scripts/locate_parts.py"


rule report_leakage:
    input:
        splits="results/splits/splits.tsv",
        loci=expand("results/splits/loci/{genome}.tsv", genome=genomes.split),
        proteins=expand("results/splits/proteins/{genome}.faa", genome=genomes.split),
        parts=expand("results/splits/{genome}.parts.bed", genome=genomes.split),
        fasta=fasta_of(genomes.split),
        fai=fasta_of(genomes.split, ".fai"),
        library=library("report_leakage"),
    output:
        leakage=report(
            "results/splits/leakage.tsv",
            caption="../report/leakage.rst",
            category="Split",
            labels={"table": "leakage"},
        ),
    log:
        "logs/split/leakage.log",
    benchmark:
        "results/benchmarks/report_leakage.tsv"
    conda:
        "../envs/blast.yaml"
    threads: 8
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        genomes=genomes.split,
        roles=genomes.roles(),
        mode=config["split"]["mode"],
        flank=config["split"]["flank"],
        nucleotide_identity=config["split"]["nucleotide_identity"],
        nucleotide_coverage=config["split"]["nucleotide_coverage"],
    message:
        "Searching homologues across the split: {output.leakage}"
    script:
        "../scripts/report_leakage.py"
