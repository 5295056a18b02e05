# Isoforms: train the ranker that tells which isoforms of a gene are real, on the output of a finished structure model.
# In:  results/training_set/; the model's files; config keys `isoforms.training`, `predict`
# Out: results/models/isoforms/ (isoforms.json with the cut, isoforms.safetensors); read examples in isoforms.run/


rule train_isoforms:
    input:
        training_set=rules.build_training_set.output.files,
        model=model_files(),
        library=library("train_isoforms"),
    output:
        cuts="results/models/isoforms/isoforms.json",
        weights="results/models/isoforms/isoforms.safetensors",
        metrics="results/models/isoforms/metrics.tsv",
    log:
        "logs/isoforms/train.log",
    benchmark:
        "results/benchmarks/train_isoforms.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 8
    resources:
        **place_of_prediction(config["predict"]),
        mem_mb=8000,
        runtime=480,
    params:
        settings={**config["isoforms"]["training"], "device": config["predict"]["device"]},
        seed=config["seed"],
        # Not an output: what has been read must survive a kill.
        run_folder=lambda wildcards, output: f"{Path(output.cuts).parent}.run",
    message:
        "Training the ranker of isoforms: {output.weights}"
    script:
        "../scripts/train_isoforms.py"
