# Self-training (`finetune.mode: self`): the confident genes of a first prediction are the annotation of a genome without one.
# In:  FASTA, and the released model `finetune.from_model`; config keys `predict` and `finetune.self`
# Out: results/self/{genome}.gff3 and the files beside it (the first prediction); .accepted.gff3, .rejected.tsv, which
#      split and training set read in place of results/clean/


use rule predict_shard as predict_first_shard with:
    input:
        model=starting_model(),
        isoforms=[],
        evidence=[],
        proteins=[],
        classes=[],
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("predict_shard"),
    output:
        genes="results/self/shards/{genome}/{shard}.jsonl",
        tracks=[],
    log:
        "logs/self/{genome}.{shard}.log",
    benchmark:
        "results/benchmarks/predict_first_shard/{genome}.{shard}.tsv"
    params:
        # A gene that is cut by the end of a contig is no example.
        settings={key: config["predict"][key] for key in PREDICTION_SETTINGS} | {"partial": False},
        species=lambda wildcards: genomes[wildcards.genome].species,
        lineage=lambda wildcards: genomes[wildcards.genome].lineage,
        contigs=None,
        shard=lambda wildcards: int(wildcards.shard),
        isoforms=None,
        compared=False,
    message:
        "Predicting genes of {wildcards.genome} with the model to start from, part {wildcards.shard}: {output.genes}"


use rule merge_predictions as merge_first_prediction with:
    input:
        shards=first_shards_of,
        model=starting_model(),
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("merge_predictions"),
    output:
        gff3="results/self/{genome}.gff3",
        gtf="results/self/{genome}.gtf",
        proteins="results/self/{genome}.proteins.faa",
        cds="results/self/{genome}.cds.fna",
        transcripts="results/self/{genome}.transcripts.fna",
        stats="results/self/{genome}.stats.json",
    log:
        "logs/self/{genome}.merge.log",
    benchmark:
        "results/benchmarks/merge_first_prediction/{genome}.tsv"
    params:
        genome=lambda wildcards: wildcards.genome,
        contigs=None,
        organelles=organelles_of,
        drop_elements=False,
        from_dna=False,
    message:
        "Writing the first prediction of {wildcards.genome}: {output.gff3}"


rule take_confident_genes:
    input:
        gff3="results/self/{genome}.gff3",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("take_confident_genes"),
    output:
        accepted="results/self/{genome}.accepted.gff3",
        rejected="results/self/{genome}.rejected.tsv",
    log:
        "logs/self/{genome}.confident.log",
    benchmark:
        "results/benchmarks/take_confident_genes/{genome}.tsv"
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        genome=lambda wildcards: wildcards.genome,
        minimum_score=config["finetune"]["self"]["minimum_score"],
        minimum_genes=config["finetune"]["self"]["minimum_genes"],
        organelles=organelles_of,
        drop_elements=False,
    message:
        "Taking the confident genes of {wildcards.genome}: {output.accepted}"
    script:
        "../scripts/take_confident_genes.py"
