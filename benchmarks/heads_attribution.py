"""What the released regulatory head looks at on test blocks: attribution against mutagenesis, motifs against JASPAR.

    python benchmarks/heads_attribution.py DATA FOLDER TRACKS [--labels 40] [--sites 8] [--tell]
    python benchmarks/heads_attribution.py DATA FOLDER TRACKS --filters

DATA is the folder with regulatory/, FOLDER that of `heads.py prepare`. TRACKS is the file
AGIs-to-trackIDs.json of the public repository asherpasha/DAP-Seq-API (97e8ac2): before the underscore it has the number
under which the Plant Cistrome Database keeps a factor's family (O'Malley et al. 2016).

Labels of families without a profile in JASPAR are left out; of the others the first --labels are measured in an order
that the seed gives, so that more of them add to those that are there. Mutagenesis reads --sites test sites of each;
motifs are sought at test sites, where there are 100 at least. Both append a row for each label to a file in a folder
beside the peaks, which names the head and the settings, and go on there after a stop. At the end stand
heads_attribution.tsv beside this file, a row a label, and, on the screen, the rows of heads.md; --tell writes them of
what is there, and measures nothing. --filters measures the filters of the motif stem alone: how many match a known
motif, and how many do with their columns in random order.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import numpy as np
import pandas as pd
import torch
from accuracy_figure import wilson_interval
from heads import ROOT
from heads_scores import FILES
from scipy.stats import spearmanr

from phytoscribe.attribution.attribute import (
    AGREEMENT,
    CAM,
    GAP,
    RELIABLE,
    HeadAtSites,
    attribute_sites,
    checked_labels,
    whole_models,
)
from phytoscribe.attribution.comparison import LARGEST_Q, NO_MATCH, best_matches, compare_motifs, write_comparison
from phytoscribe.attribution.filters import compare_filters, filter_motifs, filter_places
from phytoscribe.attribution.motifs import LEAST_SEQLETS, discover_motifs, read_meme, write_meme
from phytoscribe.models import REGULATORY_FILES
from phytoscribe.models.loading import hash_of
from phytoscribe.models.regulatory import load_head
from phytoscribe.splits.parts import TEST

HEAD = ROOT / "resources" / "models" / "brassicales" / "regulatory"
KNOWN = ROOT / "resources" / "motifs" / "jaspar_plants.meme"
TABLE = Path(__file__).with_name("heads_attribution.tsv")
SEED = 1
#: Points of each line of integrated gradients (the default of the workflow); test sites of a label for motifs.
STEPS, SEQUENCES = 2, 200
#: Families of the Plant Cistrome Database by number; two have two or three.
FAMILIES = {
    2: "ABI3VP1", 3: "AP2EREBP", 4: "ARF", 5: "ARF", 6: "ARID", 9: "BBR/BPC", 10: "BZR", 11: "bHLH", 13: "bZIP",
    14: "BZR", 16: "YABBY", 17: "Dof", 18: "GATA", 19: "C2H2", 20: "C3H", 21: "CAMTA", 26: "CPP", 28: "E2F", 29: "EIL",
    30: "FAR1", 32: "G2-like", 34: "GRF", 35: "GeBP", 36: "homeobox", 38: "HSF", 39: "homeobox", 40: "homeobox",
    41: "mTERF", 44: "LBD", 45: "MADS", 47: "MYB", 48: "MYB-related", 49: "NAC", 50: "FAR1", 53: "orphan", 57: "RAV",
    59: "REM", 60: "RWP-RK", 61: "S1Fa-like", 62: "SBP", 64: "SRS", 66: "TCP", 68: "trihelix", 71: "WRKY",
    73: "ZF-HD", 74: "zf-GRF",
}  # fmt: skip
#: Class and families by which JASPAR calls them; None for all families of a class. The others have no profile.
JASPAR = {
    "ABI3VP1": ("B3", ("LAV", "RAV")),
    "AP2EREBP": ("AP2/EREBP", None),
    "ARF": ("B3", ("ARF",)),
    "ARID": ("Homeo domain factors", ("ARID",)),
    "BBR/BPC": ("BBR/BPC", None),
    "BZR": ("Basic helix-loop-helix factors (bHLH)", ("BES/BZR",)),
    "bHLH": ("Basic helix-loop-helix factors (bHLH)", ("bHLH", "")),
    "bZIP": ("Basic leucine zipper factors (bZIP)", None),
    "C2H2": ("C2H2 zinc finger factors", None),
    "CAMTA": ("GCM domain factors", ("CAMTA",)),
    "CPP": ("CPP", None),
    "Dof": ("Other C4 zinc finger-type factors", ("DOF",)),
    "E2F": ("Fork head/winged helix factors", ("E2F",)),
    "EIL": ("EIL", None),
    "FAR1": ("GCM domain factors", ("FRS/FRF",)),
    "G2-like": ("Tryptophan cluster factors", ("GARP_G2-like",)),
    "GATA": ("Other C4 zinc finger-type factors", ("C4-GATA-related",)),
    "GRF": ("C3H zinc finger factors", ("GRF",)),
    "HSF": ("Heat shock factors", None),
    "homeobox": ("Homeo domain factors", ("HD-ZIP", "WOX", "TALE-type HD")),
    "LBD": ("Other C4 zinc finger-type factors", ("LBD",)),
    "MADS": ("MADS box factors", None),
    "MYB": ("Tryptophan cluster factors", ("MYB",)),
    "MYB-related": ("Tryptophan cluster factors", ("MYB-related",)),
    "NAC": ("GCM domain factors", ("NAC",)),
    "RAV": ("B3", ("RAV",)),
    "RWP-RK": ("RWP-RK", None),
    "SBP": ("C3H(C),C2HC zinc-fingers like factors", ("SBP",)),
    "TCP": ("TCP", None),
    "trihelix": ("Tryptophan cluster factors", ("Trihelix",)),
    "WRKY": ("GCM domain factors", ("WRKY",)),
    "ZF-HD": ("Homeo domain factors", ("PLINC",)),
}
CHECKED = ("label", "part", "sites", "spearman", "low", "high", "gradcam", "gap")
SOUGHT = (
    "label", "motifs", "seqlets", "consensus", "match", "match_name", "q", "own_summits", "other_summits", "random",
    "verdict",
)  # fmt: skip
logger = logging.getLogger("heads_attribution")


def own_profiles(data: Path, tracks: Path) -> tuple[dict[str, str], dict[str, set[str]]]:
    """Family of each label, and the profiles of JASPAR of each family."""
    numbers = {gene: int(found[0].split("_")[0]) for gene, found in json.loads(tracks.read_text()).items()}
    table = pd.read_csv(data / "regulatory" / "jaspar_core_plants.tsv", sep="\t", keep_default_na=False)
    profiles = {}
    for family, (tf_class, families) in JASPAR.items():
        rows = table[table["tf_class"] == tf_class]
        rows = rows if families is None else rows[rows["tf_family"].isin(families)]
        if rows.empty:
            raise SystemExit(f"no profile of {family} in jaspar_core_plants.tsv: is it another release?")
        profiles[family] = set(rows["matrix_id"])
    return {gene: FAMILIES[number] for gene, number in numbers.items()}, profiles


def rows_for(path: Path, columns: tuple[str, ...], labels: list[str], make: Callable[[list[str]], Iterable]) -> None:
    """Append a row for each label that the file lacks; ``make`` yields them for those labels."""
    if not path.exists():
        path.write_text("\t".join(columns) + "\n", encoding="utf-8")
    if not labels:
        return
    # A job that was killed may have left a part of a line.
    whole = path.read_text(encoding="utf-8").rpartition("\n")[0] + "\n"
    path.write_text(whole, encoding="utf-8")
    done = {line.split("\t")[0] for line in whole.splitlines()[1:]}
    missing = [label for label in labels if label not in done]
    if not missing:
        return
    start = time.monotonic()
    with path.open("a", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter="\t", lineterminator="\n")
        for count, row in enumerate(make(missing), start=1):
            writer.writerow(row)
            out.flush()
            rate = count / (time.monotonic() - start)
            left = (len(missing) - count) / rate / 60
            logger.info(
                "%s: %d of %d labels, %.1f a minute, %.1f min left", path.stem, count, len(missing), 60 * rate, left
            )


def check(at: HeadAtSites, sites: int, labels: list[str]) -> Iterable[tuple]:
    """A row of :data:`CHECKED` for each label."""
    some, found = replace(at, chosen=labels), {}
    models = whole_models(some, None, [("", "")], "cpu", torch.get_num_threads())
    for _, label, part, measure, value, low, high, n, _ in checked_labels(some, models, STEPS, sites, SEED):
        found[measure] = (value, low, high)
        if len(found) == 5:
            numbers = (*found[AGREEMENT], found[CAM][0], found[GAP][0])
            yield label, part, n, *(round(x, 4) for x in numbers)
            found = {}


def seek(at: HeadAtSites, folder: Path, labels: list[str]) -> Iterable[tuple]:
    """A row of :data:`SOUGHT` for each label: of its main motif, that of the most seqlets."""
    known = read_meme(KNOWN)
    for label in labels:
        own = replace(at, chosen=[label])
        attribute_sites(own, STEPS, SEQUENCES, SEED, folder / "sites.npz", [TEST])
        motifs = discover_motifs(folder / "sites.npz")
        write_meme(folder / f"{label}.meme", motifs)
        first = compare_motifs(own, motifs, known, {}, SEED).iloc[0]
        yield tuple(len(motifs) if name == "motifs" else first[name] for name in SOUGHT)


def tell(table: pd.DataFrame) -> None:
    """Print what heads.md says of the table."""
    value, sought = table["spearman"], table[table["verdict"].notna()]
    low, middle, high = value.quantile([0.25, 0.5, 0.75])
    generator = np.random.default_rng(SEED)
    drawn = np.quantile([np.median(generator.choice(value, len(value))) for _ in range(2000)], [0.025, 0.975])
    print(f"| labels checked | {len(table)} |")
    print(f"| median Spearman of labels | {middle:.2f} ({drawn[0]:.2f} to {drawn[1]:.2f}) |")
    print(f"| quartiles | {low:.2f}, {high:.2f} |")
    print(f"| labels of {RELIABLE} or more | {(value >= RELIABLE).sum()} |")
    for name in ("validation_auprc", "gap", "seqlets", "test_sites"):
        known = table[table[name].notna() & value.notna()]
        print(
            f"| its rank correlation with {name} | {spearmanr(known['spearman'], known[name])[0]:.2f}, {len(known)} |"
        )
    some = sought[sought["motifs"] > 0]
    for title, rows in (("labels sought", sought), ("those with a motif", some)):
        if rows.empty:
            continue
        share = rows["own_family"].mean()
        least, most = wilson_interval(share, np.array(len(rows)))
        print(f"| own family, of {len(rows)} {title} | {share:.2f} ({least:.2f} to {most:.2f}) |")
    for verdict, rows in some.groupby("verdict"):
        print(f"| {verdict} | {len(rows)}: {', '.join(rows['label'] + ' (' + rows['family'] + ')')} |")
    for title, rows in (
        ("no motif", sought[sought["motifs"] == 0]),
        ("no known motif", some[some["match"] == NO_MATCH]),
        ("another family", some[(some["match"] != NO_MATCH) & ~some["own_family"].astype(bool)]),
        (f"fewer than {LEAST_SEQLETS} test sites", table[table["test_sites"] < LEAST_SEQLETS]),
        ("below 0.6", table[value < 0.6]),
    ):
        print(f"| {title} | {len(rows)}: {', '.join(rows['label'] + ' (' + rows['family'] + ')')} |")


def tell_filters(at: HeadAtSites, family: dict[str, str], profiles: dict[str, set[str]]) -> None:
    """Print how many filters match a known motif, beside the same columns in random order, and whose motif it is."""
    places, known = filter_places(at), read_meme(KNOWN)
    motifs = filter_motifs(places)
    table = compare_filters(at, places, motifs, known)
    matched = table[table["q"].notna()]
    print(f"| filters with a motif | {len(motifs)} of {len(table)} |")
    print(f"| of these a match, q < {LARGEST_Q} | {len(matched)} |")
    generator = np.random.default_rng(SEED)
    shuffled = [replace(motif, profile=generator.permutation(motif.profile)) for motif in motifs]
    by_chance = sum(match.q <= LARGEST_Q for match in best_matches(shuffled, known))
    print(f"| a match with their columns in random order | {by_chance} |")
    first = matched["labels"].str.split(",").str[0].map(family)
    able = first.isin(list(profiles))
    own = [match in profiles[its] for match, its in zip(matched["match"][able], first[able], strict=True)]
    print(f"| its match is of the family of the label that it adds most to | {sum(own)} of {len(own)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "folder", "tracks"):
        parser.add_argument(name, type=Path)
    for name, default in (("--labels", 40), ("--sites", 8), ("--threads", 1)):
        parser.add_argument(name, type=int, default=default)
    for name in ("--tell", "--filters"):
        parser.add_argument(name, action="store_true")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    torch.set_num_threads(given.threads)
    family, profiles = own_profiles(given.data, given.tracks)
    files = tuple([str(given.folder / name)] for name in FILES)
    network, calibration, _ = load_head(HEAD)
    labels = [label for label in network.config.labels if family[label] in profiles]
    sample = [labels[place] for place in np.random.default_rng(SEED).permutation(len(labels))[: given.labels]]
    at = HeadAtSites.read(HEAD, files, [], sample, "cpu")
    if given.filters:
        return tell_filters(at, family, profiles)
    test_sites = {label: len(own) for label, own in at.sites([TEST]).items()}
    able = [label for label in sample if test_sites[label] >= LEAST_SEQLETS]
    work = given.folder / f"attribution_{hash_of(HEAD, REGULATORY_FILES)}_{given.sites}_{STEPS}_{SEQUENCES}"
    work.mkdir(exist_ok=True)
    checked, sought = work / "checked.tsv", work / "sought.tsv"
    measured = (
        (checked, CHECKED, sample, partial(check, at, given.sites)),
        (sought, SOUGHT, able, partial(seek, at, work)),
    )
    for path, columns, wanted, make in measured:
        rows_for(path, columns, [] if given.tell else wanted, make)
    table = pd.read_csv(checked, sep="\t").merge(pd.read_csv(sought, sep="\t"), on="label", how="left")
    table = table[table["label"].isin(sample) & (table["part"] == TEST)].sort_values("label", ignore_index=True)
    table.insert(1, "family", table["label"].map(family))
    table.insert(2, "test_sites", table["label"].map(test_sites))
    table.insert(
        3, "validation_auprc", table["label"].map(dict(zip(network.config.labels, calibration.auprc, strict=True)))
    )
    own = [match in profiles[its] for match, its in zip(table["match"], table["family"], strict=True)]
    table["own_family"] = np.where(table["verdict"].notna(), np.array(own, dtype=float), np.nan)
    write_comparison(table, TABLE)
    tell(table)


if __name__ == "__main__":
    main()
