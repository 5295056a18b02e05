# What training starts from, and inputs of what was trained here for rules that also serve released models.


def of_training(file):
    """A file of the training stages, where this configuration trains the model."""
    return file if genomes.trains else []


def of_pretraining(file):
    """A file of tokenizer or pretraining, where the model that is trained starts from them, not from a released one."""
    return [] if config["finetune"].get("from_model") else of_training(file)


def split_table(wildcards):
    """The split, for genomes that take part in it and only where this configuration trains the model."""
    return "results/splits/splits.tsv" if genomes.trains and wildcards.genome in genomes.split else []


def genes_file(name, kind):
    """Genes that split and training read: of the annotation, or of a first prediction for a genome without one.

    `kind` is `gff3` (all), `accepted.gff3` or `rejected.tsv`.
    """
    return f"results/{'self' if name in genomes.self_trained else 'clean'}/{name}.{kind}"


def accepted_genes(wildcards):
    """The genes that the split divides between training, validation and test."""
    return genes_file(wildcards.genome, "accepted.gff3")


def first_shards_of(wildcards):
    """The parts of the first prediction of a genome that trains on its own confident genes."""
    return shard_files(wildcards.genome, config["predict"]["shards"], "jsonl", "results/self/shards")


def training(kind):
    """`lineage` or `species` of the genomes of role train and of those that only pretraining reads, each once."""
    names = [*genomes.with_role("train"), *config["pretrain"]["genomes"]]
    return list(dict.fromkeys(getattr(genomes[name], kind) for name in names))


def starting_model(released=config["finetune"].get("from_model")):
    """Files of what fine-tuning starts from: a released model, the encoder pretrained here, or a tokenizer alone."""
    if released:
        return [*model_files(released), *given([os.path.join(released, "tokenizer_config.json")])]
    if not config["pretrain"]["steps"]:
        return [f"results/tokenizer/{file}" for file in TOKENIZER_FILES]
    return [f"results/models/pretrain/{file}" for file in ["config.json", "model.safetensors", *TOKENIZER_FILES]]
