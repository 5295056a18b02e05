"""Probability tracks: what they say is what the network says, however a contig is cut, and browsers can read them."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path

import numpy as np
import pyBigWig
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phytoscribe.errors import PhytoScribeError
from phytoscribe.labels.states import CODING_STATES, INTRON_STATES, STATE_COUNT, State
from phytoscribe.tracks import bigwig, recording, track_file
from phytoscribe.tracks.bigwig import write_bigwig
from phytoscribe.tracks.kinds import KINDS, LEVELS, TRACKS
from phytoscribe.tracks.recording import DEAD_BAND, ChangeFinder, track_writer
from phytoscribe.tracks.track_file import Changes, ShardTracks

HEADER = {"model": "abc", "window": 1024}


def readings(length: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Log probabilities (length, STATE_COUNT) and site probabilities (length, 2) of a made-up strand, in stretches."""
    random = np.random.default_rng(seed)
    logits = np.repeat(random.normal(0, 4, (length // 7 + 1, STATE_COUNT)), 7, axis=0)[:length]
    logits += random.normal(0, 0.2, logits.shape)
    states = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return np.maximum(states, -14).astype(np.float16), random.beta(0.1, 1, (length, 2)).astype(np.float16)


def expected(states: np.ndarray, sites: np.ndarray) -> dict[str, np.ndarray]:
    """The probabilities of each kind, computed without tables."""
    p = np.exp(states.astype(np.float64))
    return {
        "coding": p[:, list(CODING_STATES)].sum(1),
        "intron": p[:, [*INTRON_STATES, State.UTR5_INTRON, State.UTR3_INTRON]].sum(1),
        "start": p[:, State.START],
        "stop": p[:, State.STOP],
        "donor": sites[:, 0].astype(np.float64),
        "acceptor": sites[:, 1].astype(np.float64),
    }


def add_whole(writer, contig: str, length: int, seed: int, cuts: list[int]) -> None:
    plus, minus = readings(length, seed), readings(length, seed + 1)
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < length}), length]
    for start, end in itertools.pairwise(edges):
        part = slice(start, end)
        states, sites = zip(*((s[part], q[part]) for s, q in (plus, minus)), strict=True)
        writer.add(contig, start, states, sites, end == length)


@settings(deadline=None)
@given(st.integers(1, 400), st.integers(0, 99), st.lists(st.integers(1, 400), max_size=5))
def test_changes_follow_the_probabilities_wherever_a_contig_is_cut(length, seed, cuts):
    states, sites = readings(length, seed)
    whole = ChangeFinder().push(0, states, sites)
    for changes, (kind, wanted) in zip(whole, expected(states, sites).items(), strict=True):
        assert changes.position[0] == 0
        track = changes.level[np.searchsorted(changes.position, np.arange(length), side="right") - 1] / LEVELS
        assert np.abs(track - wanted).max() <= DEAD_BAND + 0.5 / LEVELS + 1e-6, kind
        assert (np.diff(changes.level.astype(int)) != 0).all(), "a change changes something"
    finder, parts = ChangeFinder(), []
    edges = [0, *sorted({cut for cut in cuts if cut < length}), length]
    for start, end in itertools.pairwise(edges):
        parts.append(finder.push(start, states[start:end], sites[start:end]))
    for number, changes in enumerate(whole):
        np.testing.assert_array_equal(np.concatenate([part[number].position for part in parts]), changes.position)
        np.testing.assert_array_equal(np.concatenate([part[number].level for part in parts]), changes.level)


def test_the_kinds_are_all_there_once():
    assert list(expected(*readings(3, 0))) == list(KINDS)
    assert len(set(TRACKS)) == len(TRACKS) == 12


CONTIGS = {"b": 700, "a": 333, "untouched": 50, "c10": 90, "c9": 91}


def write_two(folder: Path) -> list[Path]:
    """Four contigs handed over by two jobs, those of the first in turns."""
    first, second = folder / "0.tracks", folder / "1.tracks"
    with track_writer(first, HEADER, ["a", "b"]) as writer:
        add_whole(writer, "b", CONTIGS["b"], 3, [100, 200, 650])
        add_whole(writer, "a", CONTIGS["a"], 5, [7])
    with track_writer(second, HEADER, ["c10", "c9"]) as writer:
        add_whole(writer, "c10", CONTIGS["c10"], 7, [])
        add_whole(writer, "c9", CONTIGS["c9"], 9, [1, 2, 3])
    return [first, second]


@pytest.mark.parametrize("block", [1, 5, recording.BLOCK])
def test_a_bigwig_holds_every_base_that_was_read_and_no_other(tmp_path, monkeypatch, block):
    monkeypatch.setattr(recording, "BLOCK", block)
    shards = ShardTracks(write_two(tmp_path))
    for track in TRACKS:
        write_bigwig(shards, track, CONTIGS, tmp_path / f"{track}.bw")
    for seed, name in ((3, "b"), (5, "a"), (7, "c10"), (9, "c9")):
        for offset, strand in enumerate(("plus", "minus")):
            for kind, wanted in expected(*readings(CONTIGS[name], seed + offset)).items():
                with pyBigWig.open(str(tmp_path / f"{kind}_{strand}.bw")) as file:
                    assert file.chroms() == CONTIGS
                    found = file.values(name, 0, CONTIGS[name], numpy=True)
                    assert file.intervals("untouched") is None
                assert np.abs(found - wanted).max() <= DEAD_BAND + 0.5 / LEVELS + 1e-6, (name, kind, strand)


def test_the_bytes_depend_on_neither_jobs_nor_blocks_nor_turns(tmp_path, monkeypatch):
    two = ShardTracks(write_two(tmp_path))
    monkeypatch.setattr(recording, "BLOCK", 3)
    with track_writer(tmp_path / "one.tracks", HEADER, ["c9", "c10", "b", "a"]) as writer:
        for seed, name in ((9, "c9"), (5, "a"), (7, "c10"), (3, "b")):
            add_whole(writer, name, CONTIGS[name], seed, [50])
    one = ShardTracks([tmp_path / "one.tracks"])
    for track in TRACKS:
        write_bigwig(two, track, CONTIGS, tmp_path / "two.bw")
        write_bigwig(one, track, dict(reversed(CONTIGS.items())), tmp_path / "one.bw")
        assert (tmp_path / "one.bw").read_bytes() == (tmp_path / "two.bw").read_bytes(), track


def test_the_bytes_depend_on_neither_batches_nor_open_files(tmp_path, monkeypatch):
    write_bigwig(ShardTracks(write_two(tmp_path)), "coding_plus", CONTIGS, tmp_path / "whole.bw")
    monkeypatch.setattr(track_file, "OPEN_FILES", 1)
    for size in (1, 7, 60):
        monkeypatch.setattr(bigwig, "BATCH", size)
        write_bigwig(ShardTracks(write_two(tmp_path)), "coding_plus", CONTIGS, tmp_path / "parts.bw")
        assert (tmp_path / "parts.bw").read_bytes() == (tmp_path / "whole.bw").read_bytes()


def test_a_file_is_opened_once_for_all_contigs(tmp_path, monkeypatch):
    names = [f"scaffold_{number}" for number in range(300)]
    with track_writer(tmp_path / "0.tracks", HEADER, names) as writer:
        for seed, name in enumerate(names):
            add_whole(writer, name, 100, seed, [])
    shards, opened, whole = ShardTracks([tmp_path / "0.tracks"]), [], Path.open
    monkeypatch.setattr(Path, "open", lambda path, *mode: opened.append(path) or whole(path, *mode))
    write_bigwig(shards, "stop_minus", dict.fromkeys(names, 100), tmp_path / "x.bw")
    assert opened == [tmp_path / "0.tracks"]


def test_contigs_may_have_any_name(tmp_path):
    contigs = {"chrö": 300, "染色体1": 200, "sample#1#chr1": 150, "gi|5|x": 120, "100%": 90}
    with track_writer(tmp_path / "0.tracks", HEADER, list(contigs)) as writer:
        for name, length in contigs.items():
            add_whole(writer, name, length, length, [])
    write_bigwig(ShardTracks([tmp_path / "0.tracks"]), "coding_plus", contigs, tmp_path / "x.bw")
    with pyBigWig.open(str(tmp_path / "x.bw")) as file:
        assert file.chroms() == contigs
        for name, length in contigs.items():
            found = file.values(name, 0, length, numpy=True)
            wanted = expected(*readings(length, length))["coding"]
            assert np.abs(found - wanted).max() <= DEAD_BAND + 0.5 / LEVELS + 1e-6, name


@pytest.mark.parametrize("position", [[0, 9, 5], [0, 5, 5], [0, 5, 20]])
def test_values_out_of_order_are_refused(tmp_path, position):
    with track_writer(tmp_path / "0.tracks", HEADER, ["a"]) as writer:
        changes = Changes(np.array(position, np.uint32), np.array([1, 2, 3], np.uint8))
        writer._write(0, TRACKS.index("coding_plus"), changes)
    with pytest.raises(PhytoScribeError, match="tracks of contig a are not in order; delete the shards and run again"):
        write_bigwig(ShardTracks([tmp_path / "0.tracks"]), "coding_plus", {"a": 20}, tmp_path / "x.bw")
    assert not list(tmp_path.glob("*x.bw*"))


def test_a_genome_without_any_value_still_gives_a_file(tmp_path):
    with track_writer(tmp_path / "0.tracks", HEADER, []):
        pass
    assert write_bigwig(ShardTracks([tmp_path / "0.tracks"]), "coding_plus", CONTIGS, tmp_path / "x.bw") == 0
    with pyBigWig.open(str(tmp_path / "x.bw")) as file:
        assert file.chroms() == CONTIGS


def cut_short(paths: list[Path]) -> list[Path]:
    paths[0].write_bytes(paths[0].read_bytes()[:-3])
    return paths


def cut_between_blocks(paths: list[Path]) -> list[Path]:
    content = paths[0].read_bytes()
    first = content.index(b"\n") + 1
    length = struct.unpack_from("<IIII", content, first)[3]
    paths[0].write_bytes(content[: first + 16 + length])
    return paths


def last_block_missing(paths: list[Path]) -> list[Path]:
    paths[0].write_bytes(paths[0].read_bytes()[: -16 - 32])
    return paths


def head_changed(paths: list[Path]) -> list[Path]:
    content = bytearray(paths[0].read_bytes())
    content[content.index(b"\n") + 1 + 4] ^= 1  # the number of the track
    paths[0].write_bytes(content)
    return paths


def appended(paths: list[Path]) -> list[Path]:
    paths[0].write_bytes(paths[0].read_bytes() + b"\0" * 16)
    return paths


def of_an_older_version(paths: list[Path]) -> list[Path]:
    paths[0].write_bytes(paths[0].read_bytes().replace(b"tracks 2", b"tracks 1")[: -16 - 32])
    return paths


def of_another_model(paths: list[Path]) -> list[Path]:
    with track_writer(paths[1], {**HEADER, "model": "xyz"}, ["c9"]) as writer:
        add_whole(writer, "c9", 91, 1, [])
    return paths


def no_tracks(paths: list[Path]) -> list[Path]:
    paths[1].write_bytes(struct.pack("<IIII", 1, 2, 3, 4) + b"\n")
    return paths


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (cut_short, "0.tracks: cut short; delete it and run again"),
        (cut_between_blocks, "0.tracks: cut short; delete it and run again"),
        (last_block_missing, "0.tracks: cut short; delete it and run again"),
        (head_changed, "0.tracks: changed since it was written"),
        (appended, "0.tracks: changed since it was written"),
        (of_an_older_version, "0.tracks: no tracks of this version of PhytoScribe; delete it and run again"),
        (of_another_model, "1.tracks: made with another model or other settings"),
        (no_tracks, "1.tracks: no tracks of this version of PhytoScribe"),
        (lambda paths: [paths[0], paths[0]], "0.tracks: contig a is in another shard too"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path, spoil, message):
    with pytest.raises(PhytoScribeError, match=message):
        ShardTracks(spoil(write_two(tmp_path)))


def test_a_changed_block_is_told_when_it_is_read(tmp_path):
    paths = write_two(tmp_path)
    content = bytearray(paths[0].read_bytes())
    content[-16 - 32 - 2] ^= 1  # in the last block that holds changes
    paths[0].write_bytes(content)
    shards = ShardTracks(paths)
    with shards.reading() as changes, pytest.raises(PhytoScribeError, match=r"0\.tracks: changed since it was written"):
        list(itertools.chain(*(changes(contig, track) for contig in ("a", "b") for track in TRACKS)))


def test_a_contig_that_the_fasta_lacks_is_refused_and_nothing_is_written(tmp_path):
    shards = ShardTracks(write_two(tmp_path))
    with pytest.raises(PhytoScribeError, match="tracks of contig c9, which the FASTA lacks"):
        write_bigwig(shards, "coding_plus", {"a": 333, "b": 700, "c10": 90}, tmp_path / "x.bw")
    assert not list(tmp_path.glob("*x.bw*"))


def test_a_failed_job_leaves_no_file(tmp_path):
    def fail() -> None:
        with track_writer(tmp_path / "0.tracks", HEADER, ["a"]) as writer:
            add_whole(writer, "a", 333, 1, [])
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        fail()
    assert not list(tmp_path.iterdir())


def test_one_value_for_each_bin(tmp_path):
    contigs = {"b": 1_050, "a": 400, "c": 90}
    values = np.array([0.1, np.nan, 0.2, 0.9994, 0.0, 0.5, 0.25], dtype=np.float16)
    path = tmp_path / "x.bw"
    assert bigwig.write_bin_bigwig(values, contigs, 200, path) == 6
    with pyBigWig.open(str(path)) as file:
        assert list(file.chroms()) == ["a", "b", "c"]
        found = [(start, end, round(value, 3)) for start, end, value in file.intervals("b")]
        assert found == [(0, 200, 0.1), (400, 600, 0.2), (600, 800, 1.0), (800, 1000, 0.0)]
        assert [round(value, 3) for *_, value in file.intervals("a")] == [0.5, 0.25]
        assert file.intervals("c") is None
