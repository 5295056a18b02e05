"""Fit the calibration of a model's gene score to contigs that had no part in its fit, and judge it on others.

    python benchmarks/recalibrate.py --fit DATA/athaliana_chr5:Chr5_16999951_19500000 --hide SEEN.bed \
        --judge DATA/athaliana:Chr2,Chr3,Chr4,Chr3_1065466_1464870 [--judge FOLDER:CONTIG,... ...] [--write]

A folder holds genome.fa.gz, annotation.gff3.gz and mask.bed.  SEEN.bed masks sequence that the weights were trained on.
Prints expected calibration error, its value by chance, Brier score and log loss of the shipped and the fitted
calibration; --write puts the fitted one into the model's decoder.json: into the decoder that genomes of --species and
--lineage have, be it that of the species, of the lineage, or of any lineage.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import numpy as np
import numpy.typing as npt
import pysam
import torch

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.decoding.decoded_gene import calibrate, calibrated
from phytoscribe.decoding.gene_regions import DecodedRegion
from phytoscribe.decoding.settings import Decoders, DecoderSettings
from phytoscribe.evaluation.accuracy.calibration import chance_error, equal_width_bins, expected_calibration_error
from phytoscribe.genome import encode
from phytoscribe.genome.intervals import Interval, read_bed
from phytoscribe.models.loading import write_checksums
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.windows import PredictionSettings
from phytoscribe.training.tasks.structure.decoder_fit import Outcome, decode_regions

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", required=True)
    parser.add_argument("--hide", type=Path)
    parser.add_argument("--judge", action="append", default=[])
    parser.add_argument("--model", type=Path, default=ROOT / "resources/models/brassicales")
    parser.add_argument("--species", default="athaliana")
    parser.add_argument("--lineage", default="Brassicales")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    predictor = StructurePredictor.from_folder(
        given.model, PredictionSettings(), torch.device("cpu"), given.species, given.lineage
    )
    decoders = Decoders.load(given.model / "decoder.json")
    shipped = decoders.of(given.lineage, given.species)
    hidden = read_bed(given.hide) if given.hide else {}
    found = decode_regions(regions_of(given.fit, predictor, hidden), shipped)
    fitted = found.calibrated(shipped)
    print(
        f"slope {shipped.calibration_slope:.4f} to {fitted.calibration_slope:.4f}, offset "
        f"{shipped.calibration_offset:.4f} to {fitted.calibration_offset:.4f}, on {len(found.genes)} genes\n"
    )
    print("| genes of | calibration | genes | right | ECE | ECE by chance | Brier | log loss |")
    print("|---|---|---|---|---|---|---|---|")
    show(given.fit, found, {"shipped": shipped})
    show_halves(given.fit, found, shipped)
    for place in given.judge:
        show(place, decode_regions(regions_of(place, predictor, {}), shipped), {"shipped": shipped, "fitted": fitted})
    if given.write:
        recalibrated(decoders, given.lineage, given.species, fitted).save(given.model / "decoder.json")
        write_checksums(given.model)


def recalibrated(decoders: Decoders, lineage: str, species: str, fitted: DecoderSettings) -> Decoders:
    """The decoders with the one for a species of a lineage replaced."""
    for kind, name in (("species", species), ("lineages", lineage)):
        own = getattr(decoders, kind)
        if name in own:
            return replace(decoders, **{kind: {**own, name: fitted}})
    return replace(decoders, fallback=fitted)


def regions_of(place: str, predictor: StructurePredictor, hidden: Mapping[str, list[Interval]]) -> list[DecodedRegion]:
    """The network's output on contigs of a folder, given as ``folder:contig,contig``."""
    folder, contigs = Path(place.rpartition(":")[0]), place.rpartition(":")[2].split(",")
    with pysam.FastxFile(str(folder / "genome.fa.gz")) as fasta:
        bases = {record.name: encode(record.sequence) for record in fasta if record.name in contigs}
    genes, masks = read_gff3(folder / "annotation.gff3.gz"), read_bed(folder / "mask.bed")
    found = []
    for name in contigs:
        own = [gene for gene in genes if gene.contig == name and gene.coding_transcripts]
        mask = [*masks.get(name, []), *hidden.get(name, [])]
        found.append(DecodedRegion(bases[name], *predictor.log_probabilities(bases[name]), own, mask))
    return found


def figures(posteriors: Sequence[float], right: npt.NDArray[np.bool_], settings: DecoderSettings) -> list[str]:
    """Errors of the probabilities that a calibration gives."""
    values = np.array([calibrated(float(np.log(max(p, 1e-300))), settings) for p in posteriors])
    sure = np.clip(values, 1e-6, 1 - 1e-6)
    loss = -np.where(right, np.log(sure), np.log(1 - sure)).mean()
    error = expected_calibration_error(equal_width_bins(values, right))
    errors = error, chance_error(values, equal_width_bins), ((values - right) ** 2).mean()
    return [str(right.size), f"{right.mean():.3f}", *(f"{error:.4f}" for error in (*errors, loss))]


def show(place: str, found: Outcome, calibrations: Mapping[str, DecoderSettings]) -> None:
    posteriors = [gene.first.structure_probability for gene in found.genes]
    for name, settings in calibrations.items():
        print(f"| {Path(place).name} | {name} | {' | '.join(figures(posteriors, found.right, settings))} |", flush=True)


def show_halves(place: str, found: Outcome, shipped: DecoderSettings) -> None:
    """Each half of the genes, in their order, judged by what the other half gives."""
    posteriors, right = np.array([gene.first.structure_probability for gene in found.genes]), found.right
    first = np.arange(right.size) < right.size // 2
    for name, own in (("first half", first), ("second half", ~first)):
        for kind, settings in {
            "shipped": shipped,
            "of the other half": calibrate(posteriors[~own], right[~own], shipped),
        }.items():
            cells = " | ".join(figures(posteriors[own], right[own], settings))
            print(f"| {Path(place).name}, {name} | {kind} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
