# Isoforms: train the ranker that tells which isoforms of a gene are real, or the network that writes them, and complete
# an annotation with either.
# In:  results/training_set/; the model's files; results/clean/{genome}.gff3 and .accepted.gff3; RNA-seq junctions
#      (`genomes[].junctions`), which the ranker alone uses; config keys `isoforms`, `predict`
# Out: results/models/isoforms/ (isoforms.json with the cut, isoforms.safetensors), read examples in isoforms.run/;
#      results/models/isoform_writer/ in the same way;
#      on request results/isoforms/{genome}.gff3, the annotation with the isoforms that are added to it, and
#      results/isoforms/{genome}.sentences.tsv, the annotation or, without one, the prediction as gene sentences


rule train_isoforms:
    input:
        training_set=rules.build_training_set.output.files,
        model=model_files(),
        junctions=given(path for name in genomes.with_training_junctions for path in genomes.junctions(name)),
        fai=fasta_of(genomes.with_training_junctions, ".fai"),
        seqid_maps=given(found for found in seqid_maps_of_training() if isinstance(found, str)),
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
        settings={"bases": config["isoforms"]["training"]["bases"], "device": config["predict"]["device"]},
        seed=config["seed"],
        # In the order of the files.
        genomes=genomes.with_training_junctions,
        seqid_maps=seqid_maps_of_training(),
        # Not an output: what has been read must survive a kill.
        run_folder=lambda wildcards, output: f"{Path(output.cuts).parent}.run",
    message:
        "Training the ranker of isoforms: {output.weights}"
    script:
        "../scripts/train_isoforms.py"


rule train_isoform_writer:
    input:
        training_set=rules.build_training_set.output.files,
        model=model_files(),
        library=library("train_isoform_writer"),
    output:
        described="results/models/isoform_writer/isoform_writer.json",
        weights="results/models/isoform_writer/isoform_writer.safetensors",
        metrics="results/models/isoform_writer/metrics.tsv",
    log:
        "logs/isoforms/train_writer.log",
    benchmark:
        "results/benchmarks/train_isoform_writer.tsv"
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
        # Not an output: what has been read and learned must survive a kill.
        run_folder=lambda wildcards, output: f"{Path(output.described).parent}.run",
    message:
        "Training the network that writes isoforms: {output.weights}"
    script:
        "../scripts/train_isoform_writer.py"


rule complete_annotation:
    input:
        annotation="results/clean/{genome}.gff3",
        accepted="results/clean/{genome}.accepted.gff3",
        model=model_files(),
        isoforms=given(isoform_files(completing_method(config["isoforms"]["method"]), config["predict"]["model"])),
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        junctions=lambda wildcards: given(reads_that_complete(wildcards)),
        seqid_map=lambda wildcards: seqid_map_file(wildcards) if reads_that_complete(wildcards) else [],
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
        isoforms=isoform_values(config),
        settings={key: config["predict"][key] for key in ("window", "margin", "precision", "device")},
        species=lambda wildcards: genomes[wildcards.genome].species,
        lineage=lambda wildcards: genomes[wildcards.genome].lineage,
        contigs=lambda wildcards: genomes.predicted_contigs(wildcards.genome),
        seqid_map=lambda wildcards: seqid_map_of(wildcards) if reads_that_complete(wildcards) else None,
    message:
        "Adding isoforms to the annotation of {wildcards.genome}: {output.gff3}"
    script:
        "../scripts/complete_annotation.py"


rule write_sentences:
    input:
        gff3=lambda wildcards: written_as_sentences(wildcards.genome, genomes.annotated),
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("write_sentences"),
    output:
        sentences="results/isoforms/{genome}.sentences.tsv",
    log:
        "logs/isoforms/{genome}.sentences.log",
    benchmark:
        "results/benchmarks/write_sentences/{genome}.tsv"
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        contigs=lambda wildcards: genomes.predicted_contigs(wildcards.genome),
    message:
        "Writing the genes of {wildcards.genome} as sentences: {output.sentences}"
    script:
        "../scripts/write_sentences.py"
