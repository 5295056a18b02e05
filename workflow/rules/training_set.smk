# Training set: sequence, labels, genes and validation regions of all genomes, in one folder that can be carried elsewhere.
# In:  cleaned annotation with its rejected transcripts, FASTA, masks, results/splits/{genome}.parts.bed; config keys `training_set` and `pretrain.genomes`
# Out: results/training_set/ (docs/file-formats.md)


rule build_training_set:
    input:
        fasta=fasta_of(genomes.split),
        fai=fasta_of(genomes.split, ".fai"),
        parts=expand("results/splits/{genome}.parts.bed", genome=genomes.split),
        # Not the accepted annotation, which the split was made from: introns of rejected transcripts count, too.
        annotation=[genes_file(name, "gff3") for name in genomes.split],
        rejected=[genes_file(name, "rejected.tsv") for name in genomes.split],
        masks=masks_of(genomes.split),
        sequence=fasta_of(config["pretrain"]["genomes"]),
        sequence_fai=fasta_of(config["pretrain"]["genomes"], ".fai"),
        introns=given(item["path"] for item in config["training_set"]["introns"]),
        sets=given(f"{folder}/{file}" for folder in config["training_set"]["sets"] for file in TRAINING_SET_FILES),
        library=library("build_training_set"),
    output:
        files=expand("results/training_set/{file}", file=TRAINING_SET_FILES),
    log:
        "logs/training_set.log",
    benchmark:
        "results/benchmarks/build_training_set.tsv"
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        genomes=genomes.training_sources(),
        sequence=[(name, genomes[name].lineage) for name in config["pretrain"]["genomes"]],
        introns=config["training_set"]["introns"],
        sets=config["training_set"]["sets"],
    message:
        "Laying out training sequence, labels and validation regions: results/training_set/"
    script:
        "../scripts/build_training_set.py"


rule carry_training:
    input:
        training_set=rules.build_training_set.output.files,
        start=starting_model(),
        library=library("carry_training"),
    output:
        packed="results/carried/training_set/packed.npz",
        recipe="results/carried/recipe.json",
    log:
        "logs/carry_training.log",
    benchmark:
        "results/benchmarks/carry_training.tsv"
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        settings=config["finetune"],
        model=config["model"],
        training=config["training"],
        seed=config["seed"],
    message:
        "Packing training set, start and recipe for another machine: results/carried/"
    script:
        "../scripts/carry_training.py"
