"""The models: BigBro, the encoder over tokens, and the model built around it.

BigBro is our name for sparse attention in the manner of BigBird, with rotary positions, conditioned on the species.

This module holds the names of the files that stand beside a model in its folder, of what has learned from its output.
It imports nothing, because the checks of the configuration import it too.
"""

#: Of the rankers of isoforms: the cuts that were chosen with them, and their weights.
RANKER_CUTS, RANKER_WEIGHTS = "isoforms.json", "isoforms.safetensors"
#: Of the network that writes isoforms: its sizes, calibration and cut; its weights.
WRITER_FILES = ("isoform_writer.json", "isoform_writer.safetensors")
#: Of what tells classes of genes.
CLASSIFIER_FILE = "gene_classes.safetensors"
#: How much evidence weighs: of reads, and of aligned proteins.
EVIDENCE_FILE, PROTEIN_EVIDENCE_FILE = "evidence.json", "protein_evidence.json"
#: Of the expression head: its sizes, tissues and scale; the weights of all its seeds.
EXPRESSION_FILES = ("expression.json", "expression.safetensors")
#: Of the regulatory head: its sizes, labels, calibration and cuts; its weights.
REGULATORY_FILES = ("regulatory.json", "regulatory.safetensors")
