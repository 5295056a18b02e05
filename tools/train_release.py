"""Train the released structure model from a packed data folder, with nothing but PyTorch, transformers and numba.

    python tools/train_release.py --data packed --out run --steps 20000

The output folder holds last.pt (resumable: the same command goes on where it stopped), metrics.tsv, log.txt and model/
(the model folder of the best validation so far; once all steps are done, with its decoder fitted).  --stop-after ends a
call early and leaves the rest to the next one; --limit-mib keeps every file under a size, for machines that return
small files only.

Processes started together by torchrun share every step: each takes --batch windows and gradients are averaged.  Two
processes of one thread train nearly twice as fast on two cores as one process of two threads.
"""

from __future__ import annotations

import argparse
import copy
import json
import logging
import math
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import numpy as np
import torch
import torch.distributed
from torch.utils.data import DataLoader, Subset

from phytoscribe.decoding.lengths import length_scores
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.evaluation.accuracy.splice_sites import annotated_sites, score_sites
from phytoscribe.files import atomic_path
from phytoscribe.labels.encode import label_contig
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.configuration import BigBroConfig, config_from_settings
from phytoscribe.models.loading import load_model, trainable_parameters
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.settings import PredictionSettings
from phytoscribe.tokenizer.segments import Segmenter
from phytoscribe.tokenizer.training import make_tokenizer
from phytoscribe.training.data.packed import load_packed, with_share
from phytoscribe.training.data.training_set import TrainingArrays, write_training_arrays
from phytoscribe.training.data.validation import ValidationRegion
from phytoscribe.training.loop.mixture import MixtureOrder
from phytoscribe.training.loop.ranks import any_rank, wait_for_all
from phytoscribe.training.loop.sampling import BothStrands
from phytoscribe.training.tasks.structure.loss import LossSettings, label_weights, structure_loss
from phytoscribe.training.tasks.structure.module import (
    predict_regions,
    selection_score,
    start_from_statistics,
    tune_decoder,
    validation_f1,
)
from phytoscribe.training.tasks.structure.sequence_loss import SequenceLoss, known_loci
from phytoscribe.training.tasks.structure.windows import StructureDataset, collate_structure

logger = logging.getLogger("train_release")

#: Stretches of training contigs that join the fit of the decoder: how many of each genome, and their bases.
KNOWN_STRETCHES = (2, 700_000)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of tools/pack_training_data.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--batch", type=int, default=2, help="windows a step and process")
    parser.add_argument("--window", type=int, default=9216)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--warmup", type=int, default=300)
    parser.add_argument("--decay", type=float, default=0.05)
    parser.add_argument("--average", type=float, default=0.999, help="decay of the weight average that is released")
    parser.add_argument("--size", default="small")
    parser.add_argument("--model", default="{}", help="JSON with numbers that override the size's")
    parser.add_argument("--tokenizer", default="kmer", choices=("kmer", "bpe"))
    parser.add_argument("--k", type=int, default=6)
    parser.add_argument("--loss", default="{}", help="JSON with weights of the loss terms")
    parser.add_argument("--start-mixture", default='{"athaliana": 1}', help="JSON: share of each group at the start")
    parser.add_argument("--end-mixture", help="the same at the end; as at the start if not given")
    parser.add_argument("--share", type=float, default=1.0, help="of the bases of each group, in whole contigs")
    parser.add_argument("--unknown-share", type=float, default=0.2)
    parser.add_argument(
        "--sequence-weight", type=float, default=0.0, help="weight of the decoder's own likelihood of whole genes"
    )
    parser.add_argument("--decoder", type=Path, help="fitted decoder.json for that, and for validation")
    parser.add_argument("--keep-decoder", action="store_true", help="do not fit the decoder once all steps are done")
    parser.add_argument("--from-model", type=Path, help="model folder whose weights training starts from")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=0, help="processes that prepare windows")
    parser.add_argument("--validate-every", type=int, default=2000)
    parser.add_argument("--save-every", type=int, default=500)
    parser.add_argument("--stop-after", type=float, default=math.inf, help="minutes")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--dump", type=Path, help="folder for the validation log probabilities, by contig")
    parser.add_argument("--limit-mib", type=int, default=1024)
    return parser.parse_args()


def main() -> None:
    given = arguments()
    given.out.mkdir(parents=True, exist_ok=True)
    together = Together.join(given.device)
    handlers = [logging.StreamHandler(), logging.FileHandler(given.out / "log.txt")] if together.first else None
    level = logging.INFO if together.first else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(message)s", handlers=handlers)
    logger.info("%s", json.dumps(vars(given), default=str))
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    started = time.monotonic()

    genomes = with_share(load_packed(given.data), given.share, given.seed)
    arrays_folder = given.out / "arrays"
    if together.first and not (arrays_folder / "contigs.tsv").exists():
        write_training_arrays([genome.for_training() for genome in genomes], arrays_folder)
    together.wait()
    arrays = TrainingArrays.load(arrays_folder)
    group_of = {}
    for genome in genomes:
        for contig in genome.sequences.contigs:
            group_of[genome.description.species, contig] = genome.description.group
    contigs = arrays.contigs.assign(
        group=[group_of[key] for key in zip(arrays.contigs["genome"], arrays.contigs["contig"], strict=True)]
    )
    if together.first:
        make_tokenizer_folder(given, genomes)
    together.wait()
    segmenter = Segmenter(given.out / "tokenizer")
    model = make_model(given, segmenter, arrays, genomes)
    logger.info(
        "%d parameters on %s; arrays ready after %.0f s",
        trainable_parameters(model),
        given.device,
        time.monotonic() - started,
    )

    start = json.loads(given.start_mixture)
    end = json.loads(given.end_mixture) if given.end_mixture else start
    windows_a_step = given.batch * together.count
    strands = 2 if given.sequence_weight else 1
    if given.batch % strands:
        raise SystemExit("--sequence-weight needs both strands of each window: give --batch an even number")
    order = MixtureOrder(contigs, given.window, given.seed, start, end, given.steps * windows_a_step // strands)
    if given.sequence_weight:
        order = BothStrands(order)
    dataset = StructureDataset(arrays, segmenter, order, given.unknown_share, given.seed)
    regions = [
        region
        for genome in genomes
        for region in genome.validation_regions()
        if genome.description.group == "athaliana"
    ]
    genes = [gene for genome in genomes for gene in genome.for_training().open_genes() if gene.coding_transcripts]
    decoder = replace(DecoderSettings(), **length_scores(genes))
    if given.decoder:
        decoder = DecoderSettings.load(given.decoder)
    run = Run(given, model, segmenter, regions, decoder, together)
    if given.sequence_weight:
        loci = known_loci(arrays, [genome.for_training() for genome in genomes], decoder)
        run.sequence = SequenceLoss(arrays, loci, decoder, given.threads)
    run.resume()
    batches = range(run.step * together.count + together.rank, given.steps * together.count, together.count)
    indices = [batch * given.batch + place for batch in batches for place in range(given.batch)]
    loader = DataLoader(
        Subset(dataset, indices),
        given.batch,
        collate_fn=collate_structure,
        num_workers=given.workers,
        prefetch_factor=4 if given.workers else None,
        pin_memory=given.device == "cuda",
    )
    for batch in loader:
        run.train_step(batch)
        out_of_time = together.any(time.monotonic() - started > 60 * given.stop_after)
        if together.first and (run.step % given.validate_every == 0 or run.step == given.steps):
            run.validate()
        if together.first and (run.step % given.save_every == 0 or run.step == given.steps or out_of_time):
            run.save()
        if out_of_time:
            logger.info("stopped at step %d of %d; the same command goes on", run.step, given.steps)
            return
    if together.first and not given.keep_decoder:
        ours = [genome for genome in genomes if genome.description.group == "athaliana"]
        run.fit_decoder([region for genome in ours for region in genome.training_stretches(*KNOWN_STRETCHES)])


class Together:
    """The processes that train together; one alone if torchrun did not start them.

    Attributes:
        rank, count: place of this process, and how many there are.
    """

    def __init__(self, rank: int, count: int, device: str) -> None:
        self.rank, self.count, self._device = rank, count, device

    @classmethod
    def join(cls, device: str) -> Together:
        if not torch.distributed.is_torchelastic_launched():
            return cls(0, 1, device)
        if device.startswith("cuda"):
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        torch.distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
        return cls(torch.distributed.get_rank(), torch.distributed.get_world_size(), device)

    @property
    def first(self) -> bool:
        return self.rank == 0

    def wait(self) -> None:
        wait_for_all()

    def any(self, value: bool) -> bool:
        """True everywhere if it is true in one of them."""
        return any_rank(value, torch.device(self._device))

    def average_gradients(self, model: torch.nn.Module) -> None:
        if self.count == 1:
            return
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        torch.distributed.all_reduce(flat)
        flat /= self.count
        parts = flat.split([gradient.numel() for gradient in gradients])
        torch._foreach_copy_(gradients, [p.view_as(g) for p, g in zip(parts, gradients, strict=True)])


def make_tokenizer_folder(given: argparse.Namespace, genomes) -> None:
    folder = given.out / "tokenizer"
    if not (folder / "tokenizer.json").exists():
        species = sorted({g.description.species for g in genomes})
        lineages = sorted({g.description.lineage for g in genomes})
        if given.tokenizer == "bpe":
            raise SystemExit("--tokenizer bpe: put a trained tokenizer into OUT/tokenizer first")
        make_tokenizer("kmer", "", 0, given.k, species, lineages).save_pretrained(folder)


def make_model(given: argparse.Namespace, segmenter: Segmenter, arrays: TrainingArrays, genomes) -> AnnotationModel:
    if given.from_model:
        return load_model(AnnotationModel, given.from_model)
    numbers = {"size": given.size, **json.loads(given.model)}
    config: BigBroConfig = config_from_settings(
        numbers,
        vocab_size=segmenter.vocabulary_size,
        pad_token_id=segmenter.pad_id,
        token_length=segmenter.token_length,
        species=sorted({g.description.species for g in genomes}),
        lineages=sorted({g.description.lineage for g in genomes}),
    )
    model = AnnotationModel(config)
    start_from_statistics(model, arrays)
    return model


class Run:
    """State of a training run: weights, their average, optimizer, step, and what was best."""

    def __init__(
        self,
        given: argparse.Namespace,
        model: AnnotationModel,
        segmenter: Segmenter,
        regions,
        decoder: DecoderSettings,
        together: Together,
    ) -> None:
        self.given, self.segmenter, self.regions, self.decoder = given, segmenter, regions, decoder
        self.together = together
        self.device = torch.device(given.device)
        self.model = model.to(self.device).train()
        self.average = copy.deepcopy(self.model).eval()
        self.forward = torch.compile(self.model) if given.compile else self.model
        trained = [p for p in self.model.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in trained if p.ndim > 1], "weight_decay": given.decay},
            {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=given.rate, betas=(0.9, 0.98), fused=True)
        self.loss = LossSettings(**json.loads(given.loss))
        self.sequence: SequenceLoss | None = None
        self.per_label = label_weights(self.loss).to(self.device)
        self.step, self.best = 0, -1.0
        self.losses: list[float] = []
        self.nats: list[float] = []
        self.since, self.since_step = time.monotonic(), 0

    def rate(self) -> float:
        """Linear warm-up, then half a cosine down to a fiftieth."""
        if self.step < self.given.warmup:
            return self.given.rate * (self.step + 1) / self.given.warmup
        done = (self.step - self.given.warmup) / max(1, self.given.steps - self.given.warmup)
        return self.given.rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))

    def train_step(self, batch) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        inputs = [part.to(self.device, non_blocking=True) for part in batch.inputs]
        targets, weights, sites = (
            p.to(self.device, non_blocking=True) for p in (batch.targets, batch.weights, batch.sites)
        )
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            output = self.forward(*inputs)
        loss = structure_loss(output, targets, weights, sites, self.per_label, self.loss)
        loss = loss + self.model.encoder.balance_loss()
        if self.sequence:
            whole, nats = self.sequence(output.states, batch.weights, batch.places)
            self.nats.append(nats)
            # The value of this term means nothing: it is taken off again, the gradient stays.
            loss = loss + self.given.sequence_weight * (whole - whole.detach())
        loss.backward()
        self.together.average_gradients(self.model)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        decay = min(self.given.average, self.step / (self.step + 10))
        with torch.no_grad():
            pairs = [
                (a, p)
                for a, p in zip(self.average.parameters(), self.model.parameters(), strict=True)
                if p.requires_grad
            ]
            torch._foreach_lerp_([a for a, _ in pairs], [p for _, p in pairs], 1 - decay)
        self.losses.append(float(loss.detach()))
        if self.step % 100 == 0 and self.together.first:
            self.report()

    def report(self) -> None:
        elapsed = time.monotonic() - self.since
        steps = self.step - self.since_step
        rate = steps / elapsed
        mean = float(np.mean(self.losses))
        logger.info(
            "step %d/%d  loss %.4f  genes %.3f nats/kb  rate %.2e  %.2f steps/s  %.1f kb/s  %.0f min left",
            self.step,
            self.given.steps,
            mean,
            float(np.mean(self.nats)) if self.nats else math.nan,
            self.rate(),
            rate,
            rate * self.given.batch * self.together.count * self.given.window / 1e3,
            (self.given.steps - self.step) / rate / 60,
        )
        self.write({"train_loss": mean} | ({"train_nats_per_kb": float(np.mean(self.nats))} if self.nats else {}))
        self.losses, self.nats, self.since, self.since_step = [], [], time.monotonic(), self.step

    def write(self, values: dict[str, float]) -> None:
        path = self.given.out / "metrics.tsv"
        new = not path.exists()
        with path.open("a", encoding="utf-8") as handle:
            if new:
                handle.write("step\tname\tvalue\n")
            handle.writelines(f"{self.step}\t{name}\t{value:.6g}\n" for name, value in values.items())

    def validate(self) -> None:
        """Decoded F1 of the weight average on the validation contigs; the best is kept as a model folder."""
        began = time.monotonic()
        predictor = self.predictor(self.average)
        decoded = predict_regions(predictor, self.regions)
        if self.given.dump:
            self.given.dump.mkdir(parents=True, exist_ok=True)
            for item in decoded:
                with atomic_path(self.given.dump / f"{item.region.name}.npz") as path, path.open("wb") as handle:
                    np.savez(handle, bases=item.region.bases, plus=item.plus, minus=item.minus)
        f1 = validation_f1(decoded, self.decoder)
        score = selection_score(f1)
        self.write({f"validation_{level}_f1": value for level, value in f1.items()})
        self.write({"validation_nats": state_nats(decoded), **self.site_precision(predictor)})
        logger.info(
            "step %d validation (%.0f s): %s",
            self.step,
            time.monotonic() - began,
            "  ".join(f"{level} {value:.3f}" for level, value in f1.items()),
        )
        if score > self.best:
            self.best = score
            self.export()
        self.since, self.since_step, self.losses = time.monotonic(), self.step, []

    def site_precision(self, predictor: StructurePredictor) -> dict[str, float]:
        """Average precision of donors and acceptors on the longest validation contig, both strands."""
        region = max(self.regions, key=lambda region: region.bases.size)
        predictor.set_species(region.species, region.lineage)
        scores = np.stack(predictor.site_probabilities(region.bases))
        found = score_sites(scores, annotated_sites(region.genes, region.name, region.bases.size))
        return {f"validation_{kind}_ap": score.average_precision for kind, score in found.items()}

    def predictor(self, model: AnnotationModel) -> StructurePredictor:
        settings = PredictionSettings(batch_size=2)
        return StructurePredictor(model, self.segmenter, self.decoder, settings, self.device)

    def fit_decoder(self, known: Sequence[ValidationRegion]) -> None:
        """Fit the decoder of the best model so far to the validation contigs, and say how well it does there.

        Args:
            known: stretches of training contigs that join the fit.
        """
        model = load_model(AnnotationModel, self.given.out / "model").to(self.device)
        predictor = self.predictor(model)
        validation, trained = (predict_regions(predictor, regions) for regions in (self.regions, known))
        decoder, f1, report = tune_decoder(validation, self.decoder, trained, self.given.threads)
        decoder.save(self.given.out / "model" / "decoder.json")
        with atomic_path(self.given.out / "decoder_fit.json") as path:
            path.write_text(json.dumps({"validation_f1": f1, **report}, indent=2) + "\n", encoding="utf-8")
        logger.info("with the fitted decoder: %s", "  ".join(f"{level} {value:.3f}" for level, value in f1.items()))

    def export(self) -> None:
        folder = self.given.out / "model"
        folder.mkdir(exist_ok=True)
        half = copy.deepcopy(self.average).to("cpu", torch.float16)
        half.save_pretrained(folder, max_shard_size=f"{min(self.given.limit_mib, 1024)}MB")
        for weights in folder.glob("*.safetensors"):
            weights.chmod(0o644)  # saved for their owner alone
        self.decoder.save(folder / "decoder.json")
        for name in ("tokenizer.json", "tokenizer_config.json"):
            (folder / name).write_bytes((self.given.out / "tokenizer" / name).read_bytes())

    def save(self) -> None:
        state = {
            "step": self.step,
            "best": self.best,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        with atomic_path(self.given.out / "last.pt") as path:
            torch.save(state, path)

    def resume(self) -> None:
        path = self.given.out / "last.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.best = state["step"], state["best"]
        self.since_step = self.step
        logger.info("resumed at step %d", self.step)


def state_nats(decoded) -> float:
    """Mean cross-entropy of the annotated states, nats a base of each strand, outside masked intervals."""
    total, count = 0.0, 0
    for item in decoded:
        length = item.region.bases.size
        known = np.ones(length, dtype=bool)
        for start, end in item.region.mask:
            known[start:end] = False
        for strand, table in zip("+-", (item.plus, item.minus), strict=True):
            labels, _, _ = label_contig(item.region.genes, strand, length)
            total -= float(table[np.flatnonzero(known), labels[known]].sum(dtype=np.float64))
            count += int(known.sum())
    return total / count


if __name__ == "__main__":
    main()
