"""Sequence names of annotation and FASTA: what is proposed, what is refused, and the mapping as the user writes it."""

import gzip
import logging

import pytest
import yaml

from phytoscribe.annotation.seqid_proposal import canonical_names
from phytoscribe.annotation.seqids import check_seqid_map, read_seqid_map, unknown_sequence_message
from phytoscribe.errors import ConfigError, PhytoScribeError
from phytoscribe.genome.names import organelle_of

TAIR_LENGTHS = (30427671, 19698289, 23459830, 18585056, 26975502)
REFSEQ = [f"NC_00307{digit}" for digit in ("0.9", "1.7", "4.8", "5.7", "6.8")]
TAIR = {f"Chr{number}": length for number, length in enumerate(TAIR_LENGTHS, start=1)}
ENSEMBL = {name.removeprefix("Chr"): length for name, length in TAIR.items()}
NCBI = dict(zip(REFSEQ, TAIR_LENGTHS, strict=True))


@pytest.fixture
def annotation(tmp_path):
    """Write an annotation with one gene per name that ends shortly before the sequence does."""

    def write(names, ends=None, head="", lines=()):
        path = tmp_path / "a.gff3"
        text = "##gff-version 3\n" + head + "".join(lines)
        for name, end in zip(names, ends or [length - 2000 for length in TAIR_LENGTHS] + [9999] * 9, strict=False):
            text += f"{name}\ts\tgene\t100\t{end}\t.\t+\t.\tID=g{name}\n"
        path.write_text(text)
        return path

    return write


def proposed(message):
    """The YAML of a message as a mapping; the words before and after it must not disturb a paste."""
    lines = message.splitlines()
    if "  seqid_map:" not in lines:
        return None
    start = lines.index("  seqid_map:")
    block = [lines[start], *(line for line in lines[start + 1 :] if line.startswith("    "))]
    return yaml.safe_load("\n".join(block))["seqid_map"]


@pytest.mark.parametrize(
    "names", [TAIR, {name.lower(): 1 for name in TAIR}, {f"chromosome_0{n}": 1 for n in range(1, 6)}]
)
@pytest.mark.parametrize("contigs", [ENSEMBL, {f"LG{n}": length for n, length in ENSEMBL.items()}])
def test_chromosome_numbers(annotation, names, contigs):
    message = unknown_sequence_message(annotation(names), contigs, {})
    assert proposed(message) == dict(zip(names, contigs, strict=True))


def test_both_sides_and_the_first_line_are_named(annotation):
    message = unknown_sequence_message(annotation(TAIR), ENSEMBL, None)
    assert "a.gff3, line 2: the sequence 'Chr1' is not in the genome FASTA" in message
    assert "5 names, 5 of them not in the FASTA: Chr1, Chr2, Chr3, Chr4, Chr5" in message
    assert "FASTA: 5 names: 1, 2, 3, 4, 5" in message


def test_gzip_crlf_and_percent_escapes(annotation, tmp_path):
    path = annotation(["Chr%31", "Chr2"])
    path.write_bytes(gzip.compress(path.read_bytes().replace(b"\n", b"\r\n")))
    assert proposed(unknown_sequence_message(path, ENSEMBL, {})) == {"Chr1": "1", "Chr2": "2"}


def test_accessions_with_and_without_version(annotation):
    plain = {name.partition(".")[0]: length for name, length in NCBI.items()}
    assert proposed(unknown_sequence_message(annotation(NCBI), plain, {})) == dict(zip(NCBI, plain, strict=True))
    bars = {f"gi|{n}|ref|{name}|": length for n, (name, length) in enumerate(NCBI.items())}
    assert proposed(unknown_sequence_message(annotation(plain), bars, {})) == dict(zip(plain, bars, strict=True))


def test_declared_lengths(annotation):
    head = "".join(f"##sequence-region {name} 1 {length}\n" for name, length in TAIR.items())
    path = annotation(TAIR, ends=[5000] * 5, head=head)
    assert proposed(unknown_sequence_message(path, NCBI, {})) == dict(zip(TAIR, NCBI, strict=True))


def test_region_lines_of_ncbi(annotation):
    lines = [
        f"{name}\tRefSeq\tregion\t1\t{length}\t.\t+\t.\tID={name}:1..{length};Dbxref=taxon:3702;Name={n};chromosome={n};"
        "gbkey=Src;genome=chromosome\n"
        for n, (name, length) in enumerate(NCBI.items(), start=1)
    ]
    lines.append("NC_9.1\tRefSeq\tregion\t1\t367808\t.\t+\t.\tID=NC_9.1:1..367808;Name=MT;genome=mitochondrion\n")
    path = annotation(NCBI, ends=[5000] * 5, lines=lines)
    expected = {**dict(zip(NCBI, TAIR, strict=True)), "NC_9.1": None}
    assert proposed(unknown_sequence_message(path, TAIR, {})) == expected


def test_aliases_of_ensembl(annotation):
    line = "1\taraport11\tchromosome\t1\t30427671\t.\t.\t.\tID=chromosome:1;Alias=CP002684.1,NC_003070.9\n"
    path = annotation(["1"], ends=[5000], lines=[line])
    assert proposed(unknown_sequence_message(path, {**NCBI, "twin": 30427671}, {})) == {"1": "NC_003070.9"}


def test_the_last_feature_tells_where_nothing_else_does(annotation):
    path = annotation(["one", "two", "three", "four", "five"])
    assert proposed(unknown_sequence_message(path, NCBI, {})) == dict(
        zip(["one", "two", "three", "four", "five"], NCBI, strict=True)
    )


def test_two_contigs_of_about_one_length_are_not_guessed(annotation):
    path = annotation(["one"], ends=[99_800])
    message = unknown_sequence_message(path, {"a": 100_000, "b": 100_100}, {})
    assert proposed(message) is None
    assert "No mapping is evident for one" in message


def test_two_names_that_could_be_one_contig_are_not_guessed(annotation):
    path = annotation(["Chr1", "chr01"], ends=[500, 600])
    assert proposed(unknown_sequence_message(path, {"1": 1000, "2": 1000}, {})) is None


def test_name_against_length_is_not_guessed(annotation):
    path = annotation(["Chr1"], ends=[500], head="##sequence-region Chr1 1 1000\n")
    assert proposed(unknown_sequence_message(path, {"1": 900, "x": 1000}, {})) == {"Chr1": "x"}
    message = unknown_sequence_message(path, {"1": 900, "x": 1001}, {})
    assert proposed(message) is None
    assert "Another assembly version, it seems: 'Chr1' is 1000 long, but '1' has 900 bases" in message


def test_a_contig_shorter_than_the_last_feature_is_another_assembly(annotation):
    message = unknown_sequence_message(annotation(["Chr1"], ends=[30_000_000]), {"1": 29_000_000}, {})
    assert proposed(message) is None
    assert "'Chr1' has features up to 30000000, but '1' has 29000000 bases" in message


def test_organelles_that_the_fasta_lacks_are_left_out(annotation):
    path = annotation([*TAIR, "ChrM", "ChrC"])
    assert proposed(unknown_sequence_message(path, TAIR, {})) == {"ChrM": None, "ChrC": None}
    contigs = {**ENSEMBL, "Mt": 367808, "Pt": 154478}
    assert proposed(unknown_sequence_message(path, contigs, {})) == {
        **dict(zip(TAIR, ENSEMBL, strict=True)),
        "ChrM": "Mt",
        "ChrC": "Pt",
    }


def test_scaffolds_are_not_chromosomes(annotation):
    assert proposed(unknown_sequence_message(annotation(["scaffold_1"], [500]), {"Chr1": 90_000}, {})) is None


def test_a_prefix_of_the_species(annotation):
    path = annotation(["Gm01", "Gm02", "scaffold_21"], [500, 500, 500])
    contigs = {"Chr01": 9000, "Chr02": 8000, "scaffold_21": 900}
    assert proposed(unknown_sequence_message(path, contigs, {})) == {"Gm01": "Chr01", "Gm02": "Chr02"}


def test_the_mapping_in_force_is_kept_and_its_targets_are_taken(annotation):
    path = annotation(["a", "Chr2", "Chr3"])
    message = unknown_sequence_message(path, ENSEMBL, {"a": "1", "Chr3": "third"})
    assert "'Chr2' is not in the genome FASTA" in message
    assert proposed(message) == {"a": "1", "Chr2": "2", "Chr3": "3"}
    message = unknown_sequence_message(annotation(["Chr1"]), ENSEMBL, {"Chr1": "one"})
    assert "'one' (seqid_map's name for 'Chr1') is not in the genome FASTA" in message


def test_long_mappings_are_shortened_in_the_message_and_whole_in_the_log(annotation, caplog):
    names = [f"scaffold_{n}" for n in range(1, 101)]
    contigs = {f"Scaffold{n}": 100_000 for n in range(1, 101)}
    with caplog.at_level(logging.INFO):
        message = unknown_sequence_message(annotation(names, [500] * 100), contigs, {})
    assert len(message.splitlines()) < 70
    assert "the rest is in the log" in message
    assert len(yaml.safe_load(caplog.messages[-1].partition("\n")[2])["seqid_map"]) == 100


@pytest.mark.parametrize("name", ["no", "null", "1", "1e5", "0x1", "a: b", "a #b", 'quote"', "*x", "~"])
def test_yaml_of_odd_names(annotation, name):
    escaped = name.replace(" ", "%20").replace("#", "%23")
    path = annotation([escaped], ends=[500], head=f"##sequence-region {escaped} 1 1000\n")
    assert proposed(unknown_sequence_message(path, {name + "x": 1000}, {})) == {name: name + "x"}


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("Chr01", ("chromosome", "1")),
        ("SL4.0ch01", ("chromosome", "1")),
        ("Pp3c10", None),
        ("chr1A", ("chromosome", "1A")),
        ("A01", ("chromosome", "A1")),
        ("chrA1", ("chromosome", "A1")),
        ("chrX", ("chromosome", "X")),
        ("super_12", ("scaffold", "12")),
        ("scaffold_0012", ("scaffold", "12")),
        ("Scaffold1013_240202-242469", None),
        ("tig00000012", ("contig", "12")),
        ("NW_003307593.1", ("accession", "NW_003307593")),
        ("CM000001", ("accession", "CM000001")),
        ("chloroplast", ("organelle", "chloroplast")),
    ],
)
def test_meanings(name, meaning):
    assert canonical_names([name, "Chr9"])[name] == meaning


MITOCHONDRIA = """
ChrM chrMt Mt MT mitochondrion NC_037304.1 NC_001284 Mitochondria mtDNA scaffold_mito1 mt_genome Osat_Mt MT-genome
Bna_mtDNA_2 mito_circular Mito chrMito2 IRGSP-1.0_Mt Athaliana_ChrM zma.chr_M mitogenome_1 mitocondria contig_mt AT#1#MT
mtgenome
"""
CHLOROPLASTS = """
ChrC Pt chrPt Pltd chloroplast NC_000932.1 gi|7525012|ref|NC_000932.1| cpDNA ptDNA Osat_Pt cp_genome Zm-cp at9900#1#ChrC
scaffold_pltd plastome.1 ctDNA chloro Vvi_chrPt cpDNA_1 Os_cpDNA TAIR10_Pt pt_genome_circular
"""
#: Pt1 is of poplar, Mt_chr1 of Medicago, ptg000001l of hifiasm.
NUCLEAR = """
Chr1 C M P C01 chrC09 scaffold_5 Ptr1 NC_003070.9 LG_X MtrunA17Chr1 Pt1 Mt1 Pt_1 Mt_chr1 Pt_scaffold_12 ptg000001l
PtChr01 Cp3 Chr01_Pt chr_1_mt LG01.Pt Mt_genome_chr1 Bnapus_C hap_M scaffold_c AT_chrC01 Mtr_1 Plt1 Cpa_LG1 Mitra_chr1
Os_M SL4.0ch01 mthap_chr2 ctg_pt3
"""


@pytest.mark.parametrize("name", MITOCHONDRIA.split())
def test_mitochondria(name):
    assert organelle_of(name) == "mitochondrion"


@pytest.mark.parametrize("name", CHLOROPLASTS.split())
def test_chloroplasts(name):
    assert organelle_of(name) == "chloroplast"


@pytest.mark.parametrize("name", NUCLEAR.split())
def test_nuclear_contigs(name):
    assert organelle_of(name) is None


def test_a_mapping_from_yaml(annotation):
    assert read_seqid_map(None) == {}
    assert read_seqid_map(yaml.safe_load("{1: Chr1, Chr2: 2, ChrM: null}")) == {"1": "Chr1", "Chr2": "2", "ChrM": None}


def test_a_mapping_from_a_table(tmp_path):
    table = tmp_path / "map.tsv"
    table.write_text("# annotation\tgenome\nChr1\t1\r\n\nChrM\t\n")
    assert read_seqid_map(str(table)) == {"Chr1": "1", "ChrM": None}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Chr1 1\n", "line 1: 1 columns; a seqid_map has two"),
        ("Chr1\t1\tx\n", "line 1: 3 columns"),
        ("Chr1\t1\nChr1\t2\n", "line 2: 'Chr1' is mapped to '1' and to '2'"),
        ("\t1\n", "line 1: a name is empty"),
    ],
)
def test_faulty_tables(tmp_path, text, problem):
    table = tmp_path / "map.tsv"
    table.write_text(text)
    with pytest.raises(ConfigError, match=r"map\.tsv, ") as stopped:
        read_seqid_map(str(table))
    assert problem in str(stopped.value)


def test_a_missing_table_and_an_empty_target(tmp_path):
    with pytest.raises(PhytoScribeError, match="cannot be read"):
        read_seqid_map(str(tmp_path / "none.tsv"))
    with pytest.raises(ConfigError, match="write null"):
        read_seqid_map({"Chr1": ""})


def test_a_target_must_be_in_the_fasta(annotation):
    with pytest.raises(ConfigError, match="'Chr1' is mapped to 'one', which is not in the genome FASTA"):
        check_seqid_map(annotation(TAIR), ENSEMBL, {"Chr1": "one"})


def test_two_names_may_become_one_sequence_only_as_spellings_of_one_name(annotation):
    check_seqid_map(annotation(["Chr1", "chr01", "Chr2"], [500] * 3), ENSEMBL, {"Chr1": "1", "chr01": "1", "Chr2": "2"})
    with pytest.raises(ConfigError, match=r"'Chr1' and 'Chr2' of .* would both become '1'"):
        check_seqid_map(annotation(["Chr1", "Chr2"], [500] * 2), ENSEMBL, {"Chr1": "1", "Chr2": "1"})
    with pytest.raises(ConfigError, match=r"'x' and '1' of .* would both become '1'"):  # the second by its own name
        check_seqid_map(annotation(["x", "1"], [500] * 2), ENSEMBL, {"x": "1"})


def test_a_name_that_never_occurs_is_logged(annotation, caplog):
    check_seqid_map(annotation(["Chr1"], [500]), ENSEMBL, {"Chr1": "1", "Chr7": None})
    assert "has no feature on Chr7" in caplog.text


def test_names_behind_a_fasta_section_are_found_like_the_reader_finds_them(tmp_path):
    path = tmp_path / "joined.gff3"
    path.write_text("chr1\tx\tgene\t1\t9\t.\t+\t.\tID=g\n##FASTA\n>a\nACGT\nfoo\tx\tgene\t1\t9\t.\t+\t.\tID=h\n")
    assert "line 5: the sequence 'foo' is not in the genome FASTA" in unknown_sequence_message(path, {"chr1": 100})


def test_odd_lines_and_names_do_not_spoil_the_message(tmp_path):
    path = tmp_path / "odd.gff3"
    name = "n" * 20_000
    rows = [("chr1%85", "9"), (name, "9"), ("z", "9" * 5000)]
    path.write_text("".join(f"{contig}\tx\tgene\t1\t{end}\t.\t+\t.\tID=g\n" for contig, end in rows))
    message = unknown_sequence_message(path, {"chr1": 100})
    assert len(message) < 1500
    assert all(letter.isprintable() or letter == "\n" for letter in message)
