# Evaluate: predicted genes against the reference annotation, with AUGUSTUS beside them.
# In:  results/predictions/{genome}.gff3, results/clean/{genome}.*, results/splits/splits.tsv, aligned reads
# Out: results/evaluation/{genome}.genes.tsv, .reference_loci.tsv, .predicted_genes.tsv, .isoforms.tsv; with evidence also
#      .evidence.tsv, .evidence_changes.tsv


rule run_augustus:
    input:
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("run_augustus"),
    output:
        gff3="results/evaluation/augustus/{genome}.gff3",
    log:
        "logs/evaluate/{genome}.augustus.log",
    benchmark:
        "results/benchmarks/run_augustus/{genome}.tsv"
    conda:
        "../envs/augustus.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=1440,
    params:
        species=lambda wildcards: genomes[wildcards.genome].augustus,
        contigs=lambda wildcards: genomes.scored_contigs(wildcards.genome),
    message:
        "Running AUGUSTUS on {wildcards.genome} for comparison: {output.gff3}"
    script:
        "../scripts/run_augustus.py"


rule evaluate_genes:
    input:
        predicted="results/predictions/{genome}.gff3",
        # The cleaned annotation, not its accepted part: unusual genes are hard, but real.
        reference="results/clean/{genome}.gff3",
        rejected="results/clean/{genome}.rejected.tsv",
        # Not read: without it an annotation that is refused for training would still give scores.
        accepted="results/clean/{genome}.accepted.gff3",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        splits=split_table,
        mask=mask_of,
        augustus=baseline_of,
        isoseq=judging_reads_of,
        library=library("evaluate_genes"),
    output:
        scores=report(
            "results/evaluation/{genome}.genes.tsv",
            caption="../report/genes.rst",
            category="Scores",
            labels={"genome": "{genome}", "criterion": "reference genes"},
        ),
        reference_loci="results/evaluation/{genome}.reference_loci.tsv",
        predicted_genes="results/evaluation/{genome}.predicted_genes.tsv",
    log:
        "logs/evaluate/{genome}.genes.log",
    benchmark:
        "results/benchmarks/evaluate_genes/{genome}.tsv"
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        genome=lambda wildcards: wildcards.genome,
        contigs=lambda wildcards: genomes.scored_contigs(wildcards.genome),
        part=lambda wildcards: genomes.scored_part(wildcards.genome),
        flank=config["split"]["flank"],
        limits=lambda wildcards: genomes.read_limits(wildcards.genome),
    message:
        "Scoring the genes of {wildcards.genome}: {output.scores}"
    script:
        "../scripts/evaluate_genes.py"


rule evaluate_isoforms:
    input:
        predicted="results/predictions/{genome}.gff3",
        # As in evaluate_genes.
        reference="results/clean/{genome}.gff3",
        rejected="results/clean/{genome}.rejected.tsv",
        accepted="results/clean/{genome}.accepted.gff3",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        splits=split_table,
        mask=mask_of,
        augustus=baseline_of,
        isoseq=judging_reads_of,
        junctions=lambda wildcards: given(genomes.judging_junctions(wildcards.genome)),
        seqid_map=lambda wildcards: seqid_map_file(wildcards) if genomes.judging_junctions(wildcards.genome) else [],
        library=library("evaluate_isoforms"),
    output:
        scores=report(
            "results/evaluation/{genome}.isoforms.tsv",
            caption="../report/isoforms.rst",
            category="Scores",
            labels={"genome": "{genome}", "criterion": "alternative isoforms"},
        ),
    log:
        "logs/evaluate/{genome}.isoforms.log",
    benchmark:
        "results/benchmarks/evaluate_isoforms/{genome}.tsv"
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        genome=lambda wildcards: wildcards.genome,
        contigs=lambda wildcards: genomes.scored_contigs(wildcards.genome),
        part=lambda wildcards: genomes.scored_part(wildcards.genome),
        flank=config["split"]["flank"],
        limits=lambda wildcards: genomes.read_limits(wildcards.genome),
        seqid_map=lambda wildcards: seqid_map_of(wildcards) if genomes.judging_junctions(wildcards.genome) else None,
    message:
        "Scoring the alternative isoforms of {wildcards.genome}: {output.scores}"
    script:
        "../scripts/evaluate_isoforms.py"


rule evaluate_evidence:
    input:
        predicted="results/predictions/{genome}.gff3",
        from_dna="results/predictions/{genome}.dna.gff3",
        # As in evaluate_genes.
        reference="results/clean/{genome}.gff3",
        rejected="results/clean/{genome}.rejected.tsv",
        accepted="results/clean/{genome}.accepted.gff3",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        splits=split_table,
        mask=mask_of,
        library=library("evaluate_evidence"),
    output:
        scores=report(
            "results/evaluation/{genome}.evidence.tsv",
            caption="../report/evidence.rst",
            category="Scores",
            labels={"genome": "{genome}", "criterion": "with evidence and from DNA"},
        ),
        changed="results/evaluation/{genome}.evidence_changes.tsv",
    log:
        "logs/evaluate/{genome}.evidence.log",
    benchmark:
        "results/benchmarks/evaluate_evidence/{genome}.tsv"
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        genome=lambda wildcards: wildcards.genome,
        contigs=lambda wildcards: genomes.scored_contigs(wildcards.genome),
        part=lambda wildcards: genomes.scored_part(wildcards.genome),
        flank=config["split"]["flank"],
    message:
        "Comparing the genes of {wildcards.genome} with evidence and from DNA: {output.scores}"
    script:
        "../scripts/evaluate_evidence.py"
