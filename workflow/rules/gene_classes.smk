# Classes of predicted genes: train what tells element-like genes from coding ones.
# In:  results/training_set/; the model's files; `genomes[].repeats` of genomes of role `train`; config key `predict`
# Out: results/models/gene_classes/ (gene_classes.safetensors, metrics.tsv), read examples in gene_classes.run/

WITH_ELEMENTS = genomes.trained_with_repeats


rule train_gene_classes:
    input:
        training_set=rules.build_training_set.output.files,
        model=model_files(),
        repeats=given(genomes[name].repeats["path"] for name in WITH_ELEMENTS),
        fai=fasta_of(WITH_ELEMENTS, ".fai"),
        library=library("train_gene_classes"),
    output:
        weights="results/models/gene_classes/gene_classes.safetensors",
        metrics="results/models/gene_classes/metrics.tsv",
    log:
        "logs/gene_classes/train.log",
    benchmark:
        "results/benchmarks/train_gene_classes.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 8
    resources:
        **place_of_prediction(config["predict"]),
        mem_mb=8000,
        runtime=480,
    params:
        genomes=[(name, genomes[name].seqid_map) for name in WITH_ELEMENTS],
        device=config["predict"]["device"],
        # Not an output: what has been read must survive a kill.
        run_folder=lambda wildcards, output: f"{Path(output.weights).parent}.run",
    message:
        "Training what tells element-like genes: {output.weights}"
    script:
        "../scripts/train_gene_classes.py"
