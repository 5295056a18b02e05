# Tracks: a folder for each genome that genome browsers open, from disk or from a web server.
# In:  shards of the prediction, results/predictions/{genome}.gff3, reference, AUGUSTUS, reads and evidence where there are;
#      config key `predict.tracks`
# Out: results/tracks/{genome}/: *.bw, *.gff3.gz, junctions.bed.gz, genome.fa.gz, reads.bam, igv_session.xml, jbrowse/config.json


rule join_tracks:
    input:
        shards=track_files.shards,
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("join_tracks"),
    output:
        bigwigs=BIGWIGS,
    log:
        "logs/tracks/{genome}.join.log",
    benchmark:
        "results/benchmarks/join_tracks/{genome}.tsv"
    conda:
        "../envs/tracks.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        contigs=lambda wildcards: genomes.predicted_contigs(wildcards.genome),
    message:
        "Writing the probability tracks of {wildcards.genome}"
    script:
        "../scripts/join_tracks.py"


rule index_annotation:
    input:
        gff3=track_files.source,
        library=library("index_annotation"),
    output:
        # Its index lies beside it: .tbi, or .csi where a contig has more than 2^29 bases.
        gff3="results/tracks/{genome}/{annotation}.gff3.gz",
    log:
        "logs/tracks/{genome}.{annotation}.log",
    benchmark:
        "results/benchmarks/index_annotation/{genome}.{annotation}.tsv"
    conda:
        "../envs/tracks.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    message:
        "Indexing genes of {wildcards.genome} for browsers: {output.gff3}"
    script:
        "../scripts/index_annotation.py"


rule index_junctions:
    input:
        table=junction_table("{genome}"),
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("index_evidence"),
    output:
        # Its index lies beside it, as that of an annotation.
        junctions="results/tracks/{genome}/junctions.bed.gz",
    log:
        "logs/tracks/{genome}.junctions.log",
    benchmark:
        "results/benchmarks/index_junctions/{genome}.tsv"
    conda:
        "../envs/tracks.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    message:
        "Indexing the junctions of {wildcards.genome} for browsers: {output.junctions}"
    script:
        "../scripts/index_evidence.py"


use rule index_junctions as index_proteins with:
    input:
        table=protein_table("{genome}"),
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("index_evidence"),
    output:
        proteins="results/tracks/{genome}/proteins.gff3.gz",
    log:
        "logs/tracks/{genome}.proteins.log",
    benchmark:
        "results/benchmarks/index_proteins/{genome}.tsv"
    message:
        "Indexing the aligned proteins of {wildcards.genome} for browsers: {output.proteins}"


rule compress_genome:
    input:
        fasta="resources/genomes/{genome}/{genome}.fa",
        library=library("compress_genome"),
    output:
        fasta="results/tracks/{genome}/genome.fa.gz",
        fai="results/tracks/{genome}/genome.fa.gz.fai",
        gzi="results/tracks/{genome}/genome.fa.gz.gzi",
    log:
        "logs/tracks/{genome}.genome.log",
    benchmark:
        "results/benchmarks/compress_genome/{genome}.tsv"
    conda:
        "../envs/tracks.yaml"
    resources:
        mem_mb=1000,
        runtime=60,
    message:
        "Compressing the sequence of {wildcards.genome} for browsers: {output.fasta}"
    script:
        "../scripts/compress_genome.py"


rule copy_reads:
    input:
        bam="results/evaluation/isoseq/{genome}.bam",
        csi="results/evaluation/isoseq/{genome}.bam.csi",
        library=library("copy_reads"),
    output:
        bam="results/tracks/{genome}/reads.bam",
        csi="results/tracks/{genome}/reads.bam.csi",
    log:
        "logs/tracks/{genome}.reads.log",
    benchmark:
        "results/benchmarks/copy_reads/{genome}.tsv"
    conda:
        "../envs/tracks.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    message:
        "Putting the reads of {wildcards.genome} beside its tracks: {output.bam}"
    script:
        "../scripts/copy_reads.py"


rule describe_tracks:
    input:
        annotations=track_files.annotations,
        bigwigs=track_files.bigwigs,
        reads=track_files.reads,
        junctions=track_files.junctions,
        genome="results/tracks/{genome}/genome.fa.gz",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        labels=regulatory_files.browser_tracks,
        importance=expression_targets.browser_track,
        library=library("describe_tracks"),
    output:
        igv="results/tracks/{genome}/igv_session.xml",
        jbrowse="results/tracks/{genome}/jbrowse/config.json",
    log:
        "logs/tracks/{genome}.describe.log",
    benchmark:
        "results/benchmarks/describe_tracks/{genome}.tsv"
    conda:
        "../envs/tracks.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        genome=lambda wildcards: wildcards.genome,
        contigs=lambda wildcards: genomes.predicted_contigs(wildcards.genome),
    message:
        "Describing the tracks of {wildcards.genome} to IGV and JBrowse: {output.igv}"
    script:
        "../scripts/describe_tracks.py"


rule copy_labels:
    input:
        folder="results/regulatory/{genome}",
        library=library("copy_labels"),
    output:
        # One file for each label; which labels is known once the head is trained.
        folder=directory("results/tracks/{genome}/regulatory"),
    log:
        "logs/tracks/{genome}.regulatory.log",
    benchmark:
        "results/benchmarks/copy_labels/{genome}.tsv"
    conda:
        "../envs/tracks.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    message:
        "Putting the tracks of binding sites of {wildcards.genome} beside its other tracks: {output.folder}"
    script:
        "../scripts/copy_labels.py"
