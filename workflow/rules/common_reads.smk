# Functions for the inputs of rules that look at RNA-seq junctions and long reads beside the DNA.


def evidence_reads(wildcards):
    """For input: the long reads of a genome, aligned and as they are, where they are evidence."""
    if not (genomes[wildcards.genome].evidence or {}).get("isoseq"):
        return []
    name = wildcards.genome
    return [f"results/evaluation/isoseq/{name}.bam", f"resources/genomes/{name}/isoseq.fastq.gz"]


def evidence_of(wildcards):
    """For input: the junctions of a genome and their weights; nothing for a genome without such evidence."""
    found = has_reads(genomes[wildcards.genome].evidence)
    return [junction_table(wildcards.genome), *weights_of_evidence(EVIDENCE_FILE)] if found else []


def proteins_of(wildcards):
    """For input: the proteins that are aligned to a genome and their weights; nothing for a genome without any."""
    found = has_proteins(genomes[wildcards.genome].evidence)
    return [protein_table(wildcards.genome), *weights_of_evidence(PROTEIN_EVIDENCE_FILE)] if found else []


def weights_of_evidence(file):
    """The weights that belong to the model that predicts: fitted here, or of a released model's folder."""
    model = config["predict"]["model"]
    weights = weights_file(model, file)
    return [weights] if model == "trained" else given([weights])


def reads_that_rank(wildcards):
    """The file of junctions whose reads help to rank the isoforms of this prediction, or nothing."""
    return genomes.ranking_junctions(wildcards.genome) if config["isoforms"]["method"] == "ranked" else []


def reads_that_complete(wildcards):
    """The file of junctions whose reads help to rank the isoforms that are added, or nothing."""
    ranked = completing_method(config["isoforms"]["method"]) == "ranked"
    return genomes.ranking_junctions(wildcards.genome) if ranked else []


def seqid_maps_of_training():
    """The names of sequences in each file of junctions that the ranker learns from."""
    return [genomes[name].seqid_map for name in genomes.with_training_junctions]
