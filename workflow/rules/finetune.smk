# Fine-tune: the network learns gene structure; decoded genes of the validation regions choose the checkpoint.
# In:  results/training_set/; the pretrained encoder, the tokenizer alone, or the folder `finetune.from_model`; config keys `finetune`, `model`
# Out: results/models/structure/ (a transformers folder with decoder and tokenizer); checkpoints in structure.run/


rule finetune_structure:
    input:
        training_set=rules.build_training_set.output.files,
        start=starting_model(),
        library=library("finetune_structure"),
    output:
        config="results/models/structure/config.json",
        weights="results/models/structure/model.safetensors",
        decoder="results/models/structure/decoder.json",
        load_report="results/models/structure/load_report.json",
        metrics="results/models/structure/metrics.tsv",
        tokenizer="results/models/structure/tokenizer.json",
        tokenizer_config="results/models/structure/tokenizer_config.json",
    log:
        "logs/finetune/structure.log",
    benchmark:
        "results/benchmarks/finetune_structure.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 8
    resources:
        **places_of_ranks(config["training"], config["finetune"]),
        mem_mb=16000,
        runtime=1440,
    params:
        settings=config["finetune"],
        model=config["model"],
        training=config["training"],
        seed=config["seed"],
        # Not an output: Snakemake deletes outputs before each start, and the checkpoints in here must survive a kill.
        run_folder=lambda wildcards, output: f"{Path(output.config).parent}.run",
    message:
        "Training the gene structure model: {output.weights}"
    script:
        "../scripts/finetune_structure.py"
