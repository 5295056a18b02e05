# Fine-tune: the pretrained encoder, or a released model, learns gene structure; the validation part chooses the checkpoint.
# In:  results/models/pretrain/ and results/tokenizer/, or the folder `finetune.from_model`; splits, accepted annotation, FASTA; config key `finetune`
# Out: results/models/structure/ (a transformers folder with decoder and tokenizer); checkpoints in structure.run/


rule make_windows:
    input:
        accepted=expand("results/clean/{genome}.accepted.gff3", genome=genomes.split),
        rejected=expand("results/clean/{genome}.rejected.tsv", genome=genomes.split),
        fasta=fasta_of(genomes.split),
        fai=fasta_of(genomes.split, ".fai"),
        splits="results/splits/splits.tsv",
        masks=list(masks_of(genomes.split).values()),
        library=library("make_windows"),
    output:
        contigs="results/windows/contigs.tsv",
        bases="results/windows/bases.npy",
        weights="results/windows/weights.npy",
        labels="results/windows/labels.npy",
        sites="results/windows/sites.npy",
        soft_plus="results/windows/soft_plus.npy",
        soft_minus="results/windows/soft_minus.npy",
        targets_plus="results/windows/targets_plus.npy",
        targets_minus="results/windows/targets_minus.npy",
    log:
        "logs/finetune/windows.log",
    benchmark:
        "results/benchmarks/make_windows.tsv"
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        genomes=genomes.split,
        roles=genomes.roles(),
        lineages=genomes.lineages(),
        contig_parts=genomes.contig_parts(),
        mode=config["split"]["mode"],
        flank=config["split"]["flank"],
        masks=masks_of(genomes.split),
        incomplete_utrs=genomes.with_incomplete_utrs,
    message:
        "Laying out training sequence and labels: {output.labels}"
    script:
        "../scripts/make_windows.py"


rule finetune_structure:
    input:
        windows=rules.make_windows.output,
        start=starting_model(),
        tokenizer=starting_tokenizer("tokenizer.json"),
        tokenizer_config=starting_tokenizer("tokenizer_config.json"),
        accepted=expand("results/clean/{genome}.accepted.gff3", genome=genomes.split),
        rejected=expand("results/clean/{genome}.rejected.tsv", genome=genomes.split),
        fasta=fasta_of(genomes.split),
        fai=fasta_of(genomes.split, ".fai"),
        splits="results/splits/splits.tsv",
        masks=list(masks_of(genomes.split).values()),
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
        genomes=genomes.split,
        roles=genomes.roles(),
        lineages=genomes.lineages(),
        contig_parts=genomes.contig_parts(),
        mode=config["split"]["mode"],
        flank=config["split"]["flank"],
        masks=masks_of(genomes.split),
        seed=config["seed"],
        # Not an output: Snakemake deletes outputs before each start, and the checkpoints in here must survive a kill.
        run_folder="results/models/structure.run",
    message:
        "Training the gene structure model: {output.weights}"
    script:
        "../scripts/finetune_structure.py"
