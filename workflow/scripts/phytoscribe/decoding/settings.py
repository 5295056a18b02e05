"""The settings of the decoder that change its result; they travel with the model as ``decoder.json``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from phytoscribe.errors import ModelError
from phytoscribe.files import atomic_open

#: No CDS segment and no exon is shorter: a shorter one cannot hold a codon, and splits start or stop codons.
MINIMUM_CDS_SEGMENT = 3


@dataclass(frozen=True, slots=True)
class DecoderSettings:
    """Scalars of the gene grammar.

    Attributes:
        gene_score: added once for each gene (natural log units); lower is more precise, higher more sensitive.
        intron_score: added once for each intron inside a CDS.
        coding_score: added for each coding base; shifts the balance between coding and non-coding.
        minimum_intron: shortest intron, bp.
        minimum_cds: shortest CDS of a gene, bp, stop codon included.
        maximum_utr: how far an untranslated region may reach from the CDS, bp.
    """

    gene_score: float = 0.0
    intron_score: float = 0.0
    coding_score: float = 0.0
    minimum_intron: int = 40
    minimum_cds: int = 90
    maximum_utr: int = 3000

    def __post_init__(self) -> None:
        if self.minimum_intron < 8:
            raise ModelError(f"minimum_intron is {self.minimum_intron}; an intron needs at least 8 bp")

    def save(self, path: str | Path) -> None:
        with atomic_open(path) as handle:
            json.dump(asdict(self), handle, indent=2, sort_keys=True)
            handle.write("\n")

    @classmethod
    def load(cls, path: str | Path) -> DecoderSettings:
        """Raises ModelError when the file is missing or holds an unknown key."""
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, json.JSONDecodeError) as error:
            raise ModelError(
                f"{path}: cannot be read as decoder settings ({error}); train or fetch the model again"
            ) from error
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise ModelError(f"{path}: unknown decoder settings {sorted(unknown)}; the model is of another version")
        return cls(**values)
