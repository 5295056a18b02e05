# Isoforms: train the ranker that tells which isoforms of a gene are real, and complete an annotation with it.
# In:  results/training_set/; the model's files; results/clean/{genome}.gff3 and .accepted.gff3; config keys
#      `isoforms`, `predict`
# Out: results/models/isoforms/ (isoforms.json with the cut, isoforms.safetensors), read examples in isoforms.run/;
#      on request results/isoforms/{genome}.gff3, the annotation with the isoforms that are added to it


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


rule complete_annotation:
    input:
        annotation="results/clean/{genome}.gff3",
        accepted="results/clean/{genome}.accepted.gff3",
        model=model_files(),
        isoforms=given(ranker_files("ranked", config["predict"]["model"])),
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("complete_annotation"),
    output:
        gff3="results/isoforms/{genome}.gff3",
    log:
        "logs/isoforms/{genome}.log",
    benchmark:
        "results/benchmarks/complete_annotation/{genome}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 8
    resources:
        **place_of_prediction(config["predict"]),
        mem_mb=8000,
        runtime=480,
    params:
        isoforms=config["isoforms"],
        settings={key: config["predict"][key] for key in ("window", "margin", "precision", "device")},
        species=lambda wildcards: genomes[wildcards.genome].species,
        lineage=lambda wildcards: genomes[wildcards.genome].lineage,
        contigs=lambda wildcards: genomes.predicted_contigs(wildcards.genome),
    message:
        "Adding isoforms to the annotation of {wildcards.genome}: {output.gff3}"
    script:
        "../scripts/complete_annotation.py"
