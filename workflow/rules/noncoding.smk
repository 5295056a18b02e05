# Genes without protein, of tRNA, rRNA and other RNAs, by the programs made for them; mobile elements of a user's file.
# In:  FASTA; results/predictions/{genome}.gff3 for the joined file; config keys `noncoding` and `genomes[].repeats`
# Out: results/predictions/{genome}.noncoding.gff3, .noncoding.tsv, .all.gff3; results/evaluation/{genome}.noncoding.tsv

NONCODING = config["noncoding"]


rule find_trna:
    input:
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("find_trna"),
    output:
        gff3="results/noncoding/{genome}.tRNA.gff3",
    log:
        "logs/noncoding/{genome}.tRNA.log",
    benchmark:
        "results/benchmarks/find_trna/{genome}.tsv"
    conda:
        "../envs/noncoding.yaml"
    threads: 8
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        tool=NONCODING["tRNA"],
        contigs=lambda wildcards: genomes.predicted_contigs(wildcards.genome),
    message:
        "Finding tRNA genes of {wildcards.genome}: {output.gff3}"
    script:
        "../scripts/find_trna.py"


rule find_rrna:
    input:
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("find_rrna"),
    output:
        gff3="results/noncoding/{genome}.rRNA.gff3",
    log:
        "logs/noncoding/{genome}.rRNA.log",
    benchmark:
        "results/benchmarks/find_rrna/{genome}.tsv"
    conda:
        "../envs/noncoding.yaml"
    threads: 8
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        contigs=lambda wildcards: genomes.predicted_contigs(wildcards.genome),
        organelles=organelles_of,
    message:
        "Finding rRNA genes of {wildcards.genome}: {output.gff3}"
    script:
        "../scripts/find_rrna.py"


rule find_ncrna:
    input:
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        models=given(noncoding_files.models()),
        clans=given(noncoding_files.clans()),
        library=library("find_ncrna"),
    output:
        gff3="results/noncoding/{genome}.ncRNA.gff3",
    log:
        "logs/noncoding/{genome}.ncRNA.log",
    benchmark:
        "results/benchmarks/find_ncrna/{genome}.tsv"
    conda:
        "../envs/noncoding.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=1440,
    params:
        without=noncoding_files.found_by_others(),
        contigs=lambda wildcards: genomes.predicted_contigs(wildcards.genome),
    message:
        "Searching {wildcards.genome} for the families of Rfam: {output.gff3}"
    script:
        "../scripts/find_ncrna.py"


rule merge_noncoding:
    input:
        found=noncoding_files.found,
        repeats=lambda wildcards: given(plausibility_files.repeats(wildcards)),
        seqid_map=seqid_map_file,
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("merge_noncoding"),
    output:
        gff3="results/predictions/{genome}.noncoding.gff3",
        counts="results/predictions/{genome}.noncoding.tsv",
    log:
        "logs/noncoding/{genome}.merge.log",
    benchmark:
        "results/benchmarks/merge_noncoding/{genome}.tsv"
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        genome=lambda wildcards: wildcards.genome,
        contigs=lambda wildcards: genomes.predicted_contigs(wildcards.genome),
        seqid_map=seqid_map_of,
    message:
        "Joining RNA genes and mobile elements of {wildcards.genome}: {output.gff3}"
    script:
        "../scripts/merge_noncoding.py"


rule join_annotation:
    input:
        coding="results/predictions/{genome}.gff3",
        noncoding="results/predictions/{genome}.noncoding.gff3",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("join_annotation"),
    output:
        gff3="results/predictions/{genome}.all.gff3",
    log:
        "logs/noncoding/{genome}.join.log",
    benchmark:
        "results/benchmarks/join_annotation/{genome}.tsv"
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        drop=NONCODING["drop_in_repeats"],
    message:
        "Joining coding and non-coding genes of {wildcards.genome}: {output.gff3}"
    script:
        "../scripts/join_annotation.py"


rule evaluate_noncoding:
    input:
        predicted="results/predictions/{genome}.noncoding.gff3",
        reference="results/clean/{genome}.gff3",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("evaluate_noncoding"),
    output:
        scores=report(
            "results/evaluation/{genome}.noncoding.tsv",
            caption="../report/noncoding.rst",
            category="Scores",
            labels={"genome": "{genome}", "criterion": "RNA genes"},
        ),
    log:
        "logs/evaluate/{genome}.noncoding.log",
    benchmark:
        "results/benchmarks/evaluate_noncoding/{genome}.tsv"
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        tools=noncoding_files.tools(),
        contigs=lambda wildcards: genomes.predicted_contigs(wildcards.genome),
    message:
        "Scoring the RNA genes of {wildcards.genome}: {output.scores}"
    script:
        "../scripts/evaluate_noncoding.py"
