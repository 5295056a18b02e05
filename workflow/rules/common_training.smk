# Functions for inputs of what was trained here, for rules that also serve released models.


def of_training(file):
    """A file of the training stages, where this configuration trains the model."""
    return file if genomes.trains else []


def of_pretraining(file):
    """A file of tokenizer or pretraining, where the model that is trained starts from them, not from a released one."""
    return [] if config["finetune"].get("from_model") else of_training(file)


def split_table(wildcards):
    """The split, for genomes that take part in it and only where this configuration trains the model."""
    return "results/splits/splits.tsv" if genomes.trains and wildcards.genome in genomes.split else []
