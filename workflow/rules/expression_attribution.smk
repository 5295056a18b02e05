# What the expression heads look at: their attribution beside mutagenesis, a profile along the window, and a track.
# In:  the heads that predict; the genes and FASTA of the genomes; for heads that are trained here their genes and measured
#      levels; for heads that take features of the structure model its files; config keys `attribution`, `expression.track`
# Out: results/evaluation/expression_attribution.tsv and expression_profile.tsv; results/expression/{genome}.importance.bw,
#      and its copy in results/tracks/{genome}/
from phytoscribe.configuration.expression import EXPLAINED

EXPLAINED_GENOMES = expression_targets.explained_genomes()


rule explain_expression:
    input:
        head=expression_heads(),
        gff3=[ends_of(name) for name in EXPLAINED_GENOMES],
        fasta=fasta_of(EXPLAINED_GENOMES),
        fai=fasta_of(EXPLAINED_GENOMES, ".fai"),
        windows="results/splits/gene_windows.tsv" if learnt_here() else [],
        # What the regression beside the heads learns from.
        databases=expand("results/clean/{genome}.db", genome=learnt_here()),
        measured=expand("results/expression/{genome}.measured.tsv", genome=learnt_here()),
        model=model_files() if expression_targets.encoder == "frozen" else [],
        library=library("explain_expression"),
    output:
        trust=EXPLAINED[0],
        profile=EXPLAINED[1],
    log:
        "logs/attribution/expression.log",
    benchmark:
        "results/benchmarks/explain_expression.tsv"
    conda:
        "../envs/attribution.yaml"
    threads: 8
    resources:
        **place_of_prediction(config["expression"]),
        mem_mb=8000,
        runtime=480,
    params:
        genomes=EXPLAINED_GENOMES,
        names=[(genomes[name].species, genomes[name].lineage) for name in EXPLAINED_GENOMES],
        genes=config["attribution"]["genes"],
        steps=config["attribution"]["steps"],
        track=config["expression"]["track"],
        device=config["expression"]["device"],
        seed=config["seed"],
    message:
        "Explaining the expression heads at some genes: {output.trust}"
    script:
        "../scripts/explain_expression.py"


rule track_importance:
    input:
        head=expression_heads(),
        gff3=genes_with_ends,
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        model=model_files() if expression_targets.encoder == "frozen" else [],
        library=library("track_importance"),
    output:
        track="results/expression/{genome}.importance.bw",
    log:
        "logs/attribution/{genome}.importance.log",
    benchmark:
        "results/benchmarks/track_importance/{genome}.tsv"
    conda:
        "../envs/attribution.yaml"
    threads: 8
    resources:
        **place_of_prediction(config["expression"]),
        mem_mb=8000,
        runtime=720,
    params:
        names=lambda wildcards: (genomes[wildcards.genome].species, genomes[wildcards.genome].lineage),
        steps=config["attribution"]["steps"],
        track=config["expression"]["track"],
        device=config["expression"]["device"],
    message:
        "Attributing the predicted expression of {wildcards.genome} to bases: {output.track}"
    script:
        "../scripts/track_importance.py"


use rule copy_reads as copy_importance with:
    input:
        importance="results/expression/{genome}.importance.bw",
        library=library("copy_reads"),
    output:
        importance="results/tracks/{genome}/importance.bw",
    log:
        "logs/tracks/{genome}.importance.log",
    benchmark:
        "results/benchmarks/copy_importance/{genome}.tsv"
    message:
        "Putting the importance of bases of {wildcards.genome} beside its tracks: {output.importance}"
