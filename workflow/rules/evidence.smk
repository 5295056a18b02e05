# Evidence: splice junctions of RNA-seq and long reads, aligned proteins, and the weights with which the prediction looks
# at them.
# In:  FASTA, the files of `genomes[].evidence`, results/evaluation/isoseq/{genome}.bam, the model's files; to fit weights
#      also results/training_set/
# Out: results/evidence/{genome}.gathered.tsv (junctions by file), {genome}.junctions.tsv (those that are used),
#      {genome}.proteins.tsv; results/models/evidence/evidence.json and protein_evidence.json where the model is trained
#      here


rule gather_evidence:
    input:
        rnaseq=lambda wildcards: given((genomes[wildcards.genome].evidence or {}).get("rnaseq", ())),
        isoseq=evidence_reads,
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        seqid_map=seqid_map_file,
        library=library("gather_evidence"),
    output:
        table="results/evidence/{genome}.gathered.tsv",
    log:
        "logs/evidence/{genome}.log",
    benchmark:
        "results/benchmarks/gather_evidence/{genome}.tsv"
    conda:
        "../envs/minimap2.yaml"
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        strict=lambda wildcards: (genomes[wildcards.genome].evidence or {}).get("strict", True),
        seqid_map=seqid_map_of,
    message:
        "Gathering the evidence for {wildcards.genome}: {output.table}"
    script:
        "../scripts/gather_evidence.py"


rule judge_evidence:
    input:
        gathered=rules.gather_evidence.output.table,
        model=model_files(),
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("judge_evidence"),
    output:
        table=junction_table("{genome}"),
    log:
        "logs/evidence/{genome}.judged.log",
    benchmark:
        "results/benchmarks/judge_evidence/{genome}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        settings={key: config["predict"][key] for key in ("window", "margin", "precision")},
        species=lambda wildcards: genomes[wildcards.genome].species,
        lineage=lambda wildcards: genomes[wildcards.genome].lineage,
        strict=lambda wildcards: (genomes[wildcards.genome].evidence or {}).get("strict", True),
        judge=lambda wildcards: (genomes[wildcards.genome].evidence or {}).get("judge", True),
    message:
        "Comparing the evidence for {wildcards.genome} with the network: {output.table}"
    script:
        "../scripts/judge_evidence.py"


rule gather_proteins:
    input:
        proteins=lambda wildcards: given((genomes[wildcards.genome].evidence or {}).get("proteins", ())),
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        seqid_map=seqid_map_file,
        library=library("gather_proteins"),
    output:
        table=protein_table("{genome}"),
    log:
        "logs/evidence/{genome}.proteins.log",
    benchmark:
        "results/benchmarks/gather_proteins/{genome}.tsv"
    conda:
        "../envs/miniprot.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        strict=lambda wildcards: (genomes[wildcards.genome].evidence or {}).get("strict", True),
        seqid_map=seqid_map_of,
    message:
        "Aligning proteins to {wildcards.genome}: {output.table}"
    script:
        "../scripts/gather_proteins.py"


rule fit_evidence:
    input:
        training_set=rules.build_training_set.output.files,
        model=model_files(),
        tables=[junction_table(name) for name in genomes.teaching_reads],
        library=library("fit_evidence"),
    output:
        weights="results/models/evidence/evidence.json",
    log:
        "logs/evidence/fit.log",
    benchmark:
        "results/benchmarks/fit_evidence.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        genomes=genomes.teaching_reads,
        by_proteins=False,
        seed=config["seed"],
    message:
        "Fitting how much evidence weighs: {output.weights}"
    script:
        "../scripts/fit_evidence.py"


use rule fit_evidence as fit_protein_evidence with:
    input:
        training_set=rules.build_training_set.output.files,
        model=model_files(),
        tables=[protein_table(name) for name in genomes.teaching_proteins],
        library=library("fit_evidence"),
    output:
        weights="results/models/evidence/protein_evidence.json",
    log:
        "logs/evidence/fit_proteins.log",
    benchmark:
        "results/benchmarks/fit_protein_evidence.tsv"
    params:
        genomes=genomes.teaching_proteins,
        by_proteins=True,
        seed=config["seed"],
    message:
        "Fitting how much proteins weigh: {output.weights}"
