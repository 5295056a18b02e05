# Pretrain: the encoder, or the whole trunk, learns to fill in masked DNA of the training set (not its genes).
# In:  results/training_set/, results/tokenizer/; config keys `model` and `pretrain`
# Out: results/models/pretrain/ (a transformers folder with its tokenizer); its checkpoints are in results/models/pretrain.run/


rule pretrain_encoder:
    input:
        training_set=rules.build_training_set.output.files,
        tokenizer=expand("results/tokenizer/{file}", file=TOKENIZER_FILES),
        corpus="results/tokenizer/corpus.txt",
        library=library("pretrain_encoder"),
    output:
        config="results/models/pretrain/config.json",
        weights="results/models/pretrain/model.safetensors",
        tokenizer=expand("results/models/pretrain/{file}", file=TOKENIZER_FILES),
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
        seed=config["seed"],
        # Not an output: Snakemake deletes outputs before each start, and the checkpoints in here must survive a kill.
        run_folder=lambda wildcards, output: f"{Path(output.config).parent}.run",
    message:
        "Pretraining on masked DNA: {output.weights}"
    script:
        "../scripts/pretrain_encoder.py"
