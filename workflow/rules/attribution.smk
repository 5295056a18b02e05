# Attribution: what the regulatory head looks at, whether that can be trusted, and the motifs that it spells; promoters as
# the structure model sees them.
# In:  the regulatory head that predicts; peaks and FASTA of genomes with another role than predict; for a head that takes
#      features of the structure model its files; config keys `attribution`, `genomes[].peaks`
# Out: results/evaluation/attribution.tsv; results/motifs/regulatory.{meme,tsv}, {genome}.hits.bed, logos in regulatory/;
#      filters.{meme,tsv}, logos in filters/. Of genomes with measured expression promoter_embedding{,.scores}.tsv
from phytoscribe.configuration.regulatory import FILTERS, LOGOS, PROMOTERS, TRUST


rule check_attribution:
    input:
        head=regulatory_head(),
        fasta=fasta_of(regulatory_files.labelled),
        fai=fasta_of(regulatory_files.labelled, ".fai"),
        peaks=regulatory_files.labels("peaks.npz"),
        parts=regulatory_files.labels("parts.bed"),
        model=model_files() if regulatory_files.encoder == "frozen" else [],
        library=library("check_attribution"),
    output:
        table=TRUST,
    log:
        "logs/attribution/check.log",
    benchmark:
        "results/benchmarks/check_attribution.tsv"
    conda:
        "../envs/attribution.yaml"
    threads: 8
    resources:
        **place_of_prediction(config["regulatory"]),
        mem_mb=8000,
        runtime=480,
    params:
        settings={key: config["attribution"][key] for key in ("labels", "steps", "mutagenesis")},
        species=[genomes[name].species for name in regulatory_files.labelled],
        lineages=[genomes[name].lineage for name in regulatory_files.labelled],
        device=config["regulatory"]["device"],
        seed=config["seed"],
    message:
        "Checking the attribution of the regulatory head by mutagenesis: {output.table}"
    script:
        "../scripts/check_attribution.py"


rule attribute_sites:
    input:
        head=regulatory_head(),
        fasta=fasta_of(regulatory_files.labelled),
        fai=fasta_of(regulatory_files.labelled, ".fai"),
        peaks=regulatory_files.labels("peaks.npz"),
        parts=regulatory_files.labels("parts.bed"),
        trunk=regulatory_files.trunk(regulatory_files.labelled, regulatory_files.encoder),
        library=library("attribute_sites"),
    output:
        attributions=temp("results/motifs/regulatory.npz"),
    log:
        "logs/attribution/attribute.log",
    benchmark:
        "results/benchmarks/attribute_sites.tsv"
    conda:
        "../envs/attribution.yaml"
    threads: 8
    resources:
        **place_of_prediction(config["regulatory"]),
        mem_mb=8000,
        runtime=480,
    params:
        settings={key: config["attribution"][key] for key in ("labels", "steps", "sequences")},
        device=config["regulatory"]["device"],
        seed=config["seed"],
    message:
        "Attributing the sequence of binding sites: {output.attributions}"
    script:
        "../scripts/attribute_sites.py"


rule discover_motifs:
    input:
        attributions="results/motifs/regulatory.npz",
        library=library("discover_motifs"),
    output:
        motifs="results/motifs/regulatory.meme",
    log:
        "logs/attribution/discover.log",
    benchmark:
        "results/benchmarks/discover_motifs.tsv"
    conda:
        "../envs/attribution.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=480,
    message:
        "Looking for motifs in the attributions: {output.motifs}"
    script:
        "../scripts/discover_motifs.py"


rule compare_motifs:
    input:
        motifs="results/motifs/regulatory.meme",
        known=given([config["attribution"]["motifs"]]),
        head=regulatory_head(),
        fasta=fasta_of(regulatory_files.labelled),
        fai=fasta_of(regulatory_files.labelled, ".fai"),
        peaks=regulatory_files.labels("peaks.npz"),
        parts=regulatory_files.labels("parts.bed"),
        library=library("compare_motifs"),
    output:
        table="results/motifs/regulatory.tsv",
        hits=regulatory_files.instances(),
        logos=directory(LOGOS),
    log:
        "logs/attribution/compare.log",
    benchmark:
        "results/benchmarks/compare_motifs.tsv"
    conda:
        "../envs/attribution.yaml"
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        labels=config["attribution"]["labels"],
        sequences=config["attribution"]["sequences"],
        seed=config["seed"],
    message:
        "Comparing the motifs with known ones and with the peaks: {output.table}"
    script:
        "../scripts/compare_motifs.py"


rule compare_filters:
    input:
        known=given([config["attribution"]["motifs"]]),
        head=regulatory_head(),
        fasta=fasta_of(regulatory_files.labelled),
        fai=fasta_of(regulatory_files.labelled, ".fai"),
        peaks=regulatory_files.labels("peaks.npz"),
        parts=regulatory_files.labels("parts.bed"),
        library=library("compare_filters"),
    output:
        motifs=f"{FILTERS}.meme",
        table=f"{FILTERS}.tsv",
        logos=directory(FILTERS),
    log:
        "logs/attribution/filters.log",
    benchmark:
        "results/benchmarks/compare_filters.tsv"
    conda:
        "../envs/attribution.yaml"
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        labels=config["attribution"]["labels"],
    message:
        "Making motifs of the filters of the regulatory head: {output.table}"
    script:
        "../scripts/compare_filters.py"


rule embed_promoters:
    input:
        databases=expand("results/clean/{genome}.db", genome=MEASURED),
        accepted=expand("results/clean/{genome}.accepted.gff3", genome=MEASURED),
        fasta=fasta_of(MEASURED),
        fai=fasta_of(MEASURED, ".fai"),
        windows="results/splits/gene_windows.tsv",
        measured=expand("results/expression/{genome}.measured.tsv", genome=MEASURED),
        model=model_files(),
        library=library("embed_promoters"),
    output:
        points=PROMOTERS[0],
        scores=PROMOTERS[1],
    log:
        "logs/attribution/promoters.log",
    benchmark:
        "results/benchmarks/embed_promoters.tsv"
    conda:
        "../envs/attribution.yaml"
    threads: 8
    resources:
        **place_of_prediction(config["predict"]),
        mem_mb=8000,
        runtime=240,
    params:
        genomes=MEASURED,
        names=[(genomes[name].species, genomes[name].lineage) for name in MEASURED],
        upstream=HEADS["upstream"],
        device=config["predict"]["device"],
        seed=config["seed"],
    message:
        "Drawing promoters as points: {output.points}"
    script:
        "../scripts/embed_promoters.py"
