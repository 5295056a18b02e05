# Pretrain: the encoder learns to fill in masked DNA of the training genomes; held-out sequence is hidden.
# In:  results/tokenizer/, results/splits/splits.tsv, FASTA; config keys `model` and `pretrain`
# Out: results/models/pretrain/ (a transformers folder); its checkpoints are in results/models/pretrain.run/


rule pretrain_encoder:
    input:
        tokenizer="results/tokenizer/tokenizer.json",
        tokenizer_config="results/tokenizer/tokenizer_config.json",
        corpus="results/tokenizer/corpus.txt",
        splits="results/splits/splits.tsv",
        fasta=fasta_of(genomes.split),
        fai=fasta_of(genomes.split, ".fai"),
        library=library("pretrain_encoder"),
    output:
        config="results/models/pretrain/config.json",
        weights="results/models/pretrain/model.safetensors",
        metrics="results/models/pretrain/metrics.tsv",
        report="results/models/pretrain/report.json",
    log:
        "logs/pretrain/encoder.log",
    benchmark:
        "results/benchmarks/pretrain_encoder.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 8
    resources:
        **places_of_ranks(config["training"], config["pretrain"]),
        mem_mb=16000,
        runtime=1440,
    params:
        settings=config["pretrain"],
        model=config["model"],
        training=config["training"],
        genomes=genomes.split,
        roles=genomes.roles(),
        lineages=genomes.lineages(),
        contig_parts=genomes.contig_parts(),
        mode=config["split"]["mode"],
        flank=config["split"]["flank"],
        seed=config["seed"],
        # Not an output: Snakemake deletes outputs before each start, and the checkpoints in here must survive a kill.
        run_folder="results/models/pretrain.run",
    message:
        "Pretraining the encoder on masked DNA: {output.weights}"
    script:
        "../scripts/pretrain_encoder.py"
