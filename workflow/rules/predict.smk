# Predict: gene models of whole contigs on both strands, in shards that need not run on one machine.
# In:  FASTA, the model's files, a user's RNA-seq junctions, the evidence for a genome that has some; config keys
#      `predict` and `isoforms`
# Out: results/predictions/{genome}.gff3, .gtf, .proteins.faa, .cds.fna, .transcripts.fna, .stats.json;
#      .dna.gff3 of genomes with evidence and a reference;
#      on request results/submission/{genome}.tbl (config key `genomes[].locus_tag`)

# What can change a result, and the number of parts; not batch_size, which changes only speed.
PREDICTION_SETTINGS = ("window", "margin", "precision", "sensitivity", "partial", "device", "shards")


rule predict_shard:
    input:
        model=model_files(),
        isoforms=given(isoform_files(config["isoforms"]["method"], config["predict"]["model"])),
        classes=given(class_files(config["predict"])),
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        evidence=evidence_of,
        proteins=proteins_of,
        junctions=lambda wildcards: given(reads_that_rank(wildcards)),
        seqid_map=lambda wildcards: seqid_map_file(wildcards) if reads_that_rank(wildcards) else [],
        library=library("predict_shard"),
    output:
        genes="results/predictions/shards/{genome}/{shard}.jsonl",
        tracks="results/predictions/shards/{genome}/{shard}.tracks" if config["predict"]["tracks"] else [],
    log:
        "logs/predict/{genome}.{shard}.log",
    benchmark:
        "results/benchmarks/predict_shard/{genome}.{shard}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 8
    resources:
        **place_of_prediction(config["predict"]),
        mem_mb=8000,
        runtime=480,
    params:
        # The script reads batch_size itself.
        settings={key: config["predict"][key] for key in PREDICTION_SETTINGS},
        species=lambda wildcards: genomes[wildcards.genome].species,
        lineage=lambda wildcards: genomes[wildcards.genome].lineage,
        contigs=lambda wildcards: genomes.predicted_contigs(wildcards.genome),
        shard=lambda wildcards: int(wildcards.shard),
        isoforms=isoform_values(config),
        compared=lambda wildcards: wildcards.genome in genomes.compared,
        seqid_map=lambda wildcards: seqid_map_of(wildcards) if reads_that_rank(wildcards) else None,
    message:
        "Predicting genes of {wildcards.genome}, part {wildcards.shard}: {output.genes}"
    script:
        "../scripts/predict_shard.py"


rule merge_predictions:
    input:
        shards=shards_of,
        model=model_files(),
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("merge_predictions"),
    output:
        gff3="results/predictions/{genome}.gff3",
        gtf="results/predictions/{genome}.gtf",
        proteins="results/predictions/{genome}.proteins.faa",
        cds="results/predictions/{genome}.cds.fna",
        transcripts="results/predictions/{genome}.transcripts.fna",
        stats=report(
            "results/predictions/{genome}.stats.json",
            caption="../report/predictions.rst",
            category="Predictions",
            labels={"genome": "{genome}"},
        ),
    log:
        "logs/predict/{genome}.merge.log",
    benchmark:
        "results/benchmarks/merge_predictions/{genome}.tsv"
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        genome=lambda wildcards: wildcards.genome,
        contigs=lambda wildcards: genomes.predicted_contigs(wildcards.genome),
        organelles=organelles_of,
        drop_elements=config["predict"]["gene_classes"] == "drop",
        from_dna=False,
    message:
        "Writing the gene models of {wildcards.genome}: {output.gff3}"
    script:
        "../scripts/merge_predictions.py"


# What a prediction with evidence would be without it, to show what it changes; from the same shards.
use rule merge_predictions as merge_predictions_from_dna with:
    output:
        gff3="results/predictions/{genome}.dna.gff3",
        gtf=temp("results/predictions/{genome}.dna.gtf"),
        proteins=temp("results/predictions/{genome}.dna.proteins.faa"),
        cds=temp("results/predictions/{genome}.dna.cds.fna"),
        transcripts=temp("results/predictions/{genome}.dna.transcripts.fna"),
        stats=temp("results/predictions/{genome}.dna.stats.json"),
    log:
        "logs/predict/{genome}.merge_from_dna.log",
    benchmark:
        "results/benchmarks/merge_predictions_from_dna/{genome}.tsv"
    params:
        # Its genes are not those of the prediction, so neither are their ids.
        genome=lambda wildcards: f"{wildcards.genome}_dna",
        contigs=lambda wildcards: genomes.predicted_contigs(wildcards.genome),
        organelles=organelles_of,
        drop_elements=config["predict"]["gene_classes"] == "drop",
        from_dna=True,
    message:
        "Writing the gene models of {wildcards.genome} from DNA alone: {output.gff3}"


rule write_submission:
    input:
        gff3="results/predictions/{genome}.gff3",
        library=library("write_submission"),
    output:
        table="results/submission/{genome}.tbl",
    log:
        "logs/predict/{genome}.submission.log",
    benchmark:
        "results/benchmarks/write_submission/{genome}.tsv"
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        genome=lambda wildcards: wildcards.genome,
        locus_tag=lambda wildcards: genomes[wildcards.genome].locus_tag,
    message:
        "Writing the feature table of {wildcards.genome} for NCBI: {output.table}"
    script:
        "../scripts/write_submission.py"
