"""Make resources/example/athaliana/expression.tsv.gz from ConSReg's mean counts (MIT).

    python benchmarks/heads_example.py WORK DATA

WORK is a folder of benchmarks/heads_expression.py (its lengths), DATA the folder of shared data. Counts of a condition
are the means of ConSReg's contrasts of one accession, divided by the exonic length of the gene. They are TPM: genes
whose length is not known here are taken to have the same counts per base as the others.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import pandas as pd

from phytoscribe.annotation.gff_reader import read_gff3

EXAMPLE = Path(__file__).resolve().parents[1] / "resources" / "example" / "athaliana"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("data", type=Path)
    given = parser.parse_args()
    genes = pd.read_csv(given.work / "windows.tsv", sep="\t")["gene"]
    lengths = pd.Series(pd.read_csv(given.work / "more.tsv", sep="\t")["exonic"].to_numpy(), index=genes)
    lengths = lengths[~lengths.index.duplicated()]
    path = given.data / "expression/athaliana_consreg_base_mean.tsv.gz"
    counts = pd.read_csv(path, sep="\t", index_col="gene_id")
    conditions = counts.T.groupby([name.split("_")[0] for name in counts.columns]).mean().T
    known = conditions.reindex(lengths.index).dropna()
    rate = known.div(lengths[known.index], axis=0)
    tpm = rate / (rate.sum() * conditions.sum() / known.sum()) * 1e6
    wanted = [gene.id for gene in read_gff3(EXAMPLE / "annotation.gff3.gz") if gene.id in tpm.index]
    text = tpm.loc[wanted].round(2).rename_axis("gene_id").to_csv(sep="\t", lineterminator="\n", float_format="%g")
    with (EXAMPLE / "expression.tsv.gz").open("wb") as handle, gzip.GzipFile("", "wb", 9, handle, 0) as packed:
        packed.write(text.encode())
    print(f"{len(wanted)} genes, {tpm.shape[1]} conditions: {', '.join(tpm.columns)}")


if __name__ == "__main__":
    main()
