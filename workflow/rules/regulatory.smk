# Regulatory head: transcription factor binding and open chromatin of bins of a genome, learned from peaks.
# In:  peaks and FASTA of genomes with another role than predict; for `encoder: frozen` the files of the structure model;
#      config keys `genomes[].peaks`, `regulatory`, `split`
# Out: results/models/regulatory/{encoder}/ (regulatory.json, regulatory.safetensors), checkpoints in {encoder}.run/;
#      results/regulatory/{genome}.bed, called bins; results/regulatory/{genome}/{label}.bw, probabilities;
#      results/evaluation/regulatory.tsv, the heads beside baselines on the test blocks


rule take_peaks:
    input:
        peaks=lambda wildcards: given(genomes[wildcards.genome].peaks.values()),
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        seqid_map=seqid_map_file,
        library=library("take_peaks"),
    output:
        peaks="results/regulatory/{genome}.peaks.npz",
        parts="results/regulatory/{genome}.parts.bed",
    log:
        "logs/regulatory/{genome}.peaks.log",
    benchmark:
        "results/benchmarks/take_peaks/{genome}.tsv"
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        labels=lambda wildcards: list(genomes[wildcards.genome].peaks),
        role=lambda wildcards: genomes[wildcards.genome].role,
        contigs=lambda wildcards: genomes.contig_parts().get(wildcards.genome, {}),
        seqid_map=seqid_map_of,
        mode=config["split"]["mode"],
        fractions=config["split"]["fractions"],
        seed=config["seed"],
    message:
        "Reading the peaks of {wildcards.genome}: {output.peaks}"
    script:
        "../scripts/take_peaks.py"


rule read_trunk:
    input:
        model=model_files(),
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("read_trunk"),
    output:
        cells=temp("results/regulatory/{genome}.trunk.npy"),
        described=temp("results/regulatory/{genome}.trunk.json"),
    log:
        "logs/regulatory/{genome}.trunk.log",
    benchmark:
        "results/benchmarks/read_trunk/{genome}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 8
    resources:
        **place_of_prediction(config["predict"]),
        mem_mb=8000,
        runtime=480,
    params:
        settings={key: config["predict"][key] for key in ("window", "margin", "precision", "device")},
        species=lambda wildcards: genomes[wildcards.genome].species,
        lineage=lambda wildcards: genomes[wildcards.genome].lineage,
    message:
        "Reading {wildcards.genome} with the structure model: {output.cells}"
    script:
        "../scripts/read_trunk.py"


rule train_regulatory:
    input:
        fasta=fasta_of(regulatory_files.labelled),
        fai=fasta_of(regulatory_files.labelled, ".fai"),
        peaks=regulatory_files.labels("peaks.npz"),
        parts=regulatory_files.labels("parts.bed"),
        trunk=lambda wildcards: regulatory_files.trunk(regulatory_files.labelled, wildcards.encoder),
        library=library("train_regulatory"),
    output:
        described="results/models/regulatory/{encoder}/regulatory.json",
        weights="results/models/regulatory/{encoder}/regulatory.safetensors",
        metrics="results/models/regulatory/{encoder}/metrics.tsv",
    log:
        "logs/regulatory/train.{encoder}.log",
    benchmark:
        "results/benchmarks/train_regulatory/{encoder}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 8
    resources:
        **places_of_ranks(config["training"], config["regulatory"]),
        mem_mb=16000,
        runtime=720,
    params:
        settings=lambda wildcards: regulatory_files.training_settings(wildcards.encoder),
        training=config["training"],
        seed=config["seed"],
        # Not an output: Snakemake deletes outputs before each start, and the checkpoints in here must survive a kill.
        run_folder=lambda wildcards, output: f"{Path(output.described).parent}.run",
        lineages=[genomes[name].lineage for name in regulatory_files.labelled],
    message:
        "Training the regulatory head (encoder: {wildcards.encoder}): {output.weights}"
    script:
        "../scripts/train_regulatory.py"


rule predict_regulatory:
    input:
        head=regulatory_head(),
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        trunk=lambda wildcards: regulatory_files.trunk([wildcards.genome], regulatory_files.encoder),
        library=library("predict_regulatory"),
    output:
        bed="results/regulatory/{genome}.bed",
        values=temp("results/regulatory/{genome}.bins.npy"),
        described=temp("results/regulatory/{genome}.bins.json"),
    log:
        "logs/regulatory/{genome}.predict.log",
    benchmark:
        "results/benchmarks/predict_regulatory/{genome}.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 8
    resources:
        **place_of_prediction(config["regulatory"]),
        mem_mb=4000,
        runtime=720,
    params:
        contigs=lambda wildcards: genomes.predicted_contigs(wildcards.genome),
        tracks=config["regulatory"]["tracks"],
        device=config["regulatory"]["device"],
        # None for a genome that the head is trained on.
        lineage=lambda wildcards: regulatory_files.lineage_of_unseen(wildcards.genome),
    message:
        "Predicting binding sites and open chromatin of {wildcards.genome}: {output.bed}"
    script:
        "../scripts/predict_regulatory.py"


rule join_regulatory:
    input:
        values="results/regulatory/{genome}.bins.npy",
        described="results/regulatory/{genome}.bins.json",
        library=library("join_regulatory"),
    output:
        # One file for each label; which labels is known once the head is trained.
        folder=directory("results/regulatory/{genome}"),
    log:
        "logs/regulatory/{genome}.tracks.log",
    benchmark:
        "results/benchmarks/join_regulatory/{genome}.tsv"
    conda:
        "../envs/tracks.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    message:
        "Writing tracks of binding sites and open chromatin of {wildcards.genome}: {output.folder}"
    script:
        "../scripts/join_regulatory.py"


rule evaluate_regulatory:
    input:
        heads=expand("results/models/regulatory/{encoder}/regulatory.json", encoder=regulatory_files.heads),
        weights=expand("results/models/regulatory/{encoder}/regulatory.safetensors", encoder=regulatory_files.heads),
        fasta=fasta_of(regulatory_files.labelled),
        fai=fasta_of(regulatory_files.labelled, ".fai"),
        peaks=regulatory_files.labels("peaks.npz"),
        parts=regulatory_files.labels("parts.bed"),
        trunk=regulatory_files.trunk(regulatory_files.labelled, config["regulatory"]["encoder"]),
        library=library("evaluate_regulatory"),
    output:
        scores="results/evaluation/regulatory.tsv",
    log:
        "logs/regulatory/evaluate.log",
    benchmark:
        "results/benchmarks/evaluate_regulatory.tsv"
    conda:
        "../envs/torch.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        seed=config["seed"],
    message:
        "Scoring the regulatory heads on the test blocks: {output.scores}"
    script:
        "../scripts/evaluate_regulatory.py"
