# Report: the figures of each genome, and one self-contained HTML page with what was predicted and how it scores.
# In:  predictions, statistics and tables of the stages before
# Out: results/report/report.html, citations.bib, figures/{genome}/ and figures/_workflow/

REPORTING = SCRIPTS / "phytoscribe/reporting"


rule plot_genome:
    input:
        predicted="results/predictions/{genome}.gff3",
        fai="resources/genomes/{genome}/{genome}.fa.fai",
        reference=of_genomes(genomes.evaluated, "results/clean/{genome}.gff3"),
        scores=of_genomes(genomes.evaluated, "results/evaluation/{genome}.genes.tsv"),
        loci=of_genomes(genomes.evaluated, "results/evaluation/{genome}.reference_loci.tsv"),
        genes=of_genomes(genomes.evaluated, "results/evaluation/{genome}.predicted_genes.tsv"),
        augustus=baseline_of,
        bam=alignment_of,
        csi=of_genomes(genomes.with_isoseq, "results/evaluation/isoseq/{genome}.bam.csi"),
        library=library("plot_genome"),
    output:
        figures=report(
            directory("results/report/figures/{genome}"),
            patterns=["{figure}.svg"],
            caption="../report/figures.rst",
            category="Figures",
            subcategory="{genome}",
            labels={"figure": "{figure}"},
        ),
    log:
        "logs/report/{genome}.figures.log",
    benchmark:
        "results/benchmarks/plot_genome/{genome}.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        genome=lambda wildcards: wildcards.genome,
        contigs=lambda wildcards: genomes.scored_contigs(wildcards.genome),
        limits=lambda wildcards: genomes.read_limits(wildcards.genome),
    message:
        "Drawing the figures of {wildcards.genome}: {output.figures}"
    script:
        "../scripts/plot_genome.py"


rule report:
    input:
        stats=expand("results/predictions/{genome}.stats.json", genome=genomes.names),
        predicted=expand("results/predictions/{genome}.gff3", genome=genomes.names),
        figures=expand("results/report/figures/{genome}", genome=genomes.names),
        checks=expand("results/clean/{genome}.check.json", genome=genomes.checked),
        genes=expand("results/evaluation/{genome}.genes.tsv", genome=genomes.evaluated),
        isoforms=expand("results/evaluation/{genome}.isoforms.tsv", genome=genomes.evaluated),
        evidence=expand("results/evaluation/{genome}.evidence.tsv", genome=genomes.compared),
        changed=expand("results/evaluation/{genome}.evidence_changes.tsv", genome=genomes.compared),
        from_dna=expand("results/predictions/{genome}.dna.gff3", genome=genomes.compared),
        isoseq=expand("results/evaluation/{genome}.isoseq.tsv", genome=genomes.judged_by_isoseq),
        blast=expand("results/evaluation/{genome}.blast.tsv", genome=genomes.judged_by_isoseq),
        predicted_genes=expand("results/evaluation/{genome}.predicted_genes.tsv", genome=genomes.evaluated),
        isoseq_reads=expand("results/evaluation/{genome}.isoseq_reads.tsv", genome=genomes.judged_by_isoseq),
        isoseq_transcripts=expand("results/evaluation/{genome}.isoseq_transcripts.tsv", genome=genomes.judged_by_isoseq),
        isoseq_agreement=expand("results/evaluation/{genome}.isoseq_agreement.tsv", genome=genomes.judged_by_isoseq),
        plausibility=expand("results/evaluation/{genome}.plausibility.tsv", genome=genomes.names),
        noncoding=expand("results/predictions/{genome}.noncoding.tsv", genome=noncoding_files.wanted()),
        all_genes=expand("results/predictions/{genome}.all.gff3", genome=noncoding_files.wanted()),
        noncoding_scores=expand("results/evaluation/{genome}.noncoding.tsv", genome=noncoding_files.scored()),
        igv=expand("results/tracks/{genome}/igv_session.xml", genome=genomes.names),
        jbrowse=expand("results/tracks/{genome}/jbrowse/config.json", genome=genomes.names),
        splits=of_training("results/splits/splits.tsv"),
        leakage=of_training("results/splits/leakage.tsv"),
        tokenizer=of_pretraining("results/tokenizer/stats.json"),
        pretrain=of_pretraining("results/models/pretrain/report.json"),
        pretrain_metrics=of_pretraining("results/models/pretrain/metrics.tsv"),
        load_report=of_training("results/models/structure/load_report.json"),
        regulatory=regulatory_files.scores(),
        attribution=regulatory_files.attributions(TRUST),
        motifs=regulatory_files.attributions(f"{LOGOS}.tsv"),
        logos=regulatory_files.attributions(LOGOS),
        filters=regulatory_files.attributions(f"{FILTERS}.tsv"),
        filter_logos=regulatory_files.attributions(FILTERS),
        promoters=regulatory_files.embedding(PROMOTERS[0]),
        promoter_scores=regulatory_files.embedding(PROMOTERS[1]),
        levels=expression_targets.levels(),
        measured=expand("results/expression/{genome}.measured.tsv", genome=learnt_here()),
        expression=expression_targets.scores(),
        expression_attribution=expression_targets.explained()[:1],
        expression_profile=expression_targets.explained()[1:],
        structure_metrics=of_training("results/models/structure/metrics.tsv"),
        page=given(
            [
                *(REPORTING / name for name in ["page.html.j2", "blocks.html.j2", "page.css"]),
                SCRIPTS.parent / "report/references.bib",
            ]
        ),
        library=library("make_report"),
    output:
        html=report(
            "results/report/report.html",
            caption="../report/report.rst",
            category="Report",
            labels={"page": "report.html"},
        ),
        bibtex=report(
            "results/report/citations.bib",
            caption="../report/citations.rst",
            category="Report",
            labels={"page": "citations.bib"},
        ),
        figures=report(
            directory("results/report/figures/_workflow"),
            patterns=["{figure}.svg"],
            caption="../report/figures_workflow.rst",
            category="Figures",
            subcategory="workflow",
            labels={"figure": "{figure}"},
        ),
    log:
        "logs/report/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        config=config,
        genomes=genomes.reported,
        benchmarks=lambda wildcards, output: str(Path(output.html).parents[1] / "benchmarks"),
    message:
        "Writing the report: {output.html}"
    script:
        "../scripts/make_report.py"
