# RNA-seq reads to levels of transcripts: salmon, with the transcripts of the annotation and the genome as decoy.
# In:  reads of `genomes[].expression`, paths or URLs; results/clean/{genome}.accepted.gff3, FASTA
# Out: resources/genomes/{genome}/rnaseq/, reads that are downloaded; results/expression/salmon/{genome}/ with the index,
#      and {tissue}/{sample}/quant.sf, which rule take_expression reads. Only for a target that needs measured levels.


rule download_rnaseq:
    input:
        library=library("download_rnaseq"),
    output:
        reads=ensure("resources/genomes/{genome}/rnaseq/{tissue}/{sample}.{mate}.fastq", non_empty=True),
        record="resources/genomes/{genome}/rnaseq/{tissue}/{sample}.{mate}.source.json",
    log:
        "logs/intake/{genome}.rnaseq.{tissue}.{sample}.{mate}.log",
    wildcard_constraints:
        sample=r"\d+",
        mate="first|second",
    retries: DOWNLOAD_RETRIES
    localrule: True
    conda:
        "../envs/annotation.yaml"
    resources:
        mem_mb=1000,
        runtime=240,
        attempts_left=attempts_left,
    params:
        source=source_of_rnaseq,
    message:
        "Fetching RNA-seq reads of {wildcards.genome}: {output.reads}"
    script:
        "../scripts/download_rnaseq.py"


rule index_transcripts:
    input:
        accepted="results/clean/{genome}.accepted.gff3",
        fasta="resources/genomes/{genome}/{genome}.fa",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        library=library("index_transcripts"),
    output:
        index=directory("results/expression/salmon/{genome}/index"),
    log:
        "logs/expression/{genome}.index.log",
    benchmark:
        "results/benchmarks/index_transcripts/{genome}.tsv"
    conda:
        "../envs/salmon.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        decoys=lambda wildcards: genomes[wildcards.genome].expression["decoys"],
    message:
        "Indexing the transcripts of {wildcards.genome} for salmon: {output.index}"
    script:
        "../scripts/index_transcripts.py"


rule quantify_reads:
    input:
        reads=reads_of_sample,
        index="results/expression/salmon/{genome}/index",
        library=library("quantify_reads"),
    output:
        quantified="results/expression/salmon/{genome}/{tissue}/{sample}/quant.sf",
    log:
        "logs/expression/{genome}.{tissue}.{sample}.log",
    benchmark:
        "results/benchmarks/quantify_reads/{genome}.{tissue}.{sample}.tsv"
    wildcard_constraints:
        sample=r"\d+",
    conda:
        "../envs/salmon.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=240,
    message:
        "Quantifying the transcripts of {wildcards.genome}, {wildcards.tissue}: {output.quantified}"
    script:
        "../scripts/quantify_reads.py"
