"""Fuzzing of the readers for a given time: damaged files in, the rules of ``reader_rules`` checked on each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from file_mutations import OF_ANNOTATIONS, OF_INDEXES, damaged
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from reader_rules import annotation_rules, fasta_rules, index_rules
from reader_seeds import annotation_seeds, fasta_seeds

from phytoscribe.genome.fasta import check_fasta, write_index

Case = TypeVar("Case")


class Fuzzed(NamedTuple):
    """A run without a failure: files tried, files that the readers took, and seconds."""

    tried: int
    taken: int
    seconds: float

    def __str__(self) -> str:
        rate = self.tried / self.seconds
        return f"{self.tried} files, {self.taken} of them read, in {self.seconds:.0f} s ({rate:.0f} a second)"


def fuzz(files: st.SearchStrategy[Case], rules: Callable[[Case], bool], seconds: float, first_seed: int) -> Fuzzed:
    """Try files for that long, a hundred to a seed, seeds counted up from ``first_seed``.

    The files depend on the seeds alone; how many are reached depends on the machine.  A failure is shrunk and raised.
    """
    began = time.monotonic()
    tried = taken = 0
    current = first_seed
    while time.monotonic() - began < seconds:

        @seed(current)
        @settings(
            max_examples=100,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        )
        @given(files)
        def one_hundred(file: Case) -> None:
            nonlocal tried, taken
            tried += 1
            taken += bool(rules(file))

        one_hundred()
        current += 1
    return Fuzzed(tried, taken, time.monotonic() - began)


def fuzz_annotations(folder: Path, seconds: float, first_seed: int) -> Fuzzed:
    """GFF3 and GTF: ``read_rows``, ``read_gff3`` and ``normalise``."""
    path = folder / "a.gff3"

    def rules(case: tuple[bytes, Mapping[str, int]]) -> bool:
        path.write_bytes(case[0])
        return annotation_rules(path, case[1])

    damages = [st.tuples(damaged([data], OF_ANNOTATIONS), st.just(contigs)) for data, contigs in annotation_seeds()]
    return fuzz(st.one_of(damages), rules, seconds, first_seed)


def fuzz_fasta(folder: Path, seconds: float, first_seed: int) -> Fuzzed:
    """FASTA: ``check_fasta`` on damaged files; ``read_index`` and ``Genome`` on a damaged index or damaged bases."""
    source, scratch, fasta = folder / "source.fa", folder / "scratch", folder / "indexed.fa"
    scratch.mkdir()
    index = Path(f"{fasta}.fai")
    seeds = fasta_seeds()
    indexed = []
    for data in seeds:
        source.write_bytes(data)
        check_fasta(source, fasta)
        write_index(fasta, index)
        indexed.append((fasta.read_bytes(), index.read_bytes()))

    def rules(case: tuple[bytes, bytes | None]) -> bool:
        data, index_data = case
        if index_data is None:
            source.write_bytes(data)
            return fasta_rules(source, scratch)
        fasta.write_bytes(data)
        index.write_bytes(index_data)
        return index_rules(fasta)

    damages: list[st.SearchStrategy[tuple[bytes, bytes | None]]] = [st.tuples(damaged(seeds), st.none())]
    for data, index_data in indexed:
        damages.append(st.tuples(st.just(data), damaged([index_data], OF_INDEXES)))
        damages.append(st.tuples(damaged([data]), st.just(index_data)))
    # Half of the cases are whole FASTA files.
    return fuzz(st.one_of(damages[0], st.one_of(damages[1:])), rules, seconds, first_seed)


TARGETS: dict[str, Callable[[Path, float, int], Fuzzed]] = {"annotations": fuzz_annotations, "fasta": fuzz_fasta}
