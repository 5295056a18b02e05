"""Genes with one isoform of each event, on both strands, and what they add to a reference."""

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.evaluation.accuracy.gene_tables import Scope
from phytoscribe.evaluation.isoforms.additions import scored_isoforms

LENGTH = 2000
EXONS = ((100, 200), (300, 400), (500, 600), (700, 800))
#: Exons of an isoform and its event against EXONS, on the plus strand.
BY_EVENT = {
    "A3SS": ((100, 200), (303, 400), (500, 600), (700, 800)),
    "A5SS": ((100, 200), (300, 406), (500, 600), (700, 800)),
    "both_ends": ((100, 200), (300, 403), (506, 600), (700, 800)),
    "IR": ((100, 200), (300, 600), (700, 800)),
    "intron_spliced": ((100, 200), (300, 400), (500, 530), (560, 600), (700, 800)),
    "ES": ((100, 200), (500, 600), (700, 800)),
    "exon_included": ((100, 200), (230, 260), (300, 400), (500, 600), (700, 800)),
    "first_exon": ((20, 50), (300, 400), (500, 600), (700, 800)),
    "last_exon": ((100, 200), (300, 400), (500, 640)),
    "start": ((160, 200), (300, 400), (500, 600), (700, 800)),
    "stop": ((100, 200), (300, 400), (500, 600), (700, 770)),
    "complex": ((100, 200), (220, 280), (500, 600), (700, 800)),
    "several": ((100, 200), (303, 600), (700, 800)),
}
SCOPE = {"rejected": [], "contigs": ["c"]}


def gene(name, *chains, strand="+", scores=()):
    scores = scores or [None] * len(chains)
    transcripts = [
        Transcript(f"{name}.t{n}", chain, chain, score=score) for n, (chain, score) in enumerate(zip(chains, scores), 1)
    ]
    made = GeneModel(name, "c", "+", tuple(transcripts))
    return made if strand == "+" else made.reverse_complement(LENGTH)


def additions(reference, predicted, **scope):
    return scored_isoforms(Scope.of(reference, **{**SCOPE, **scope}), predicted)["all"]
