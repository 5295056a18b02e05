"""A gene with its isoforms as a sentence, and back.

In extended Backus-Naur form; ``@D`` is a pointer at a donor, and so on::

    sentence    = "[BOS]" , gene , "[EOS]" ;
    gene        = "<gene>" , gene_type , ( "<+>" | "<->" ) , primary , { alternative } ;
    primary     = "<transcript>" , span , { intron } , [ coding ] ;
    alternative = "<transcript>" , [ span ] , { removed } , { intron } , [ coding ] ;    (* one of them at least *)
    span        = "@T" , "@P" ;
    removed     = "<exon>" , "@D" ;      (* the primary's intron behind this donor stays in *)
    intron      = "@D" , "@A" ;
    coding      = "<CDS>" , ( "@S" | "<sep>" ) ;      (* from this ATG to the stop codon, or none *)

* Removed and new introns are each in ascending order.
* An alternative has the primary's ends and introns but for what it says.  With a span of its own it has those introns
  of the primary that leave 3 bases of exon at the ends that differ; the others need no word.
* Left out, the CDS is the longest open reading frame of a protein-coding gene, and none in other genes.  It is left
  out wherever that is so, unless the alternative would have no word.
* Genes of RNA have no CDS, tRNA at most one intron; rRNA and mobile elements have none.  These three have one isoform.
* The primary is the isoform with the longest CDS, then the most exonic bases, then the first in position.
  Alternatives are in order of their number of changes, then of the positions that they name.  So one set of isoforms
  has exactly one sentence, whatever the order of the transcripts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from phytoscribe.annotation.model import introns_between
from phytoscribe.decoding.isoform_edits import Chain
from phytoscribe.genome.intervals import Interval
from phytoscribe.sentences.frames import open_frame
from phytoscribe.sentences.shapes import (
    Codes,
    GeneSentence,
    GeneShape,
    WrittenIsoform,
    chain_with,
    default_cds,
    introns_inside,
    shape_of,
)
from phytoscribe.sentences.tokens import (
    BOS,
    CDS,
    EOS,
    EXON,
    GENE,
    MINUS,
    PLUS,
    SEP,
    STRANDS,
    TRANSCRIPT,
    Reason,
    SentenceError,
    Site,
    SiteKind,
    Token,
    gene_type_of,
    gene_type_token,
)

#: Isoforms of a gene, and words of a sentence, at most; more is refused with a reason and never cut.
MOST_ISOFORMS, MOST_TOKENS = 16, 192


def _coding(isoform: WrittenIsoform, shape: GeneShape, codes: Codes, needed: bool = False) -> list[Token]:
    """The words on an isoform's CDS, none if it is what is left out and they are not needed."""
    if isoform.cds == default_cds(isoform.exons, shape, codes) and not needed:
        return []
    if not isoform.cds:
        return [CDS, SEP]
    if not shape.may_code:
        raise SentenceError(Reason.CDS_IN_RNA_GENE, f"{isoform} has a CDS, but its gene codes for RNA")
    start = isoform.cds[0][0]
    if open_frame(isoform.exons, start, codes) != isoform.cds:
        raise SentenceError(
            Reason.CDS_NO_OPEN_FRAME,
            f"the CDS of {isoform} is not the open reading frame of its exons from ATG at {start} to the first stop",
        )
    return [CDS, Site(SiteKind.S, start)]


def _introns(introns: Iterable[Interval]) -> list[list[Token]]:
    return [[Site(SiteKind.D, donor), Site(SiteKind.A, acceptor)] for donor, acceptor in introns]


def _span(exons: Chain) -> list[Token]:
    return [Site(SiteKind.T, exons[0][0]), Site(SiteKind.P, exons[-1][1])]


def changes_of(isoform: WrittenIsoform, primary: WrittenIsoform, shape: GeneShape, codes: Codes) -> list[list[Token]]:
    """What an alternative says: the words of each of its changes.

    Raises:
        SentenceError: its CDS cannot be written.
    """
    start, end = isoform.exons[0][0], isoform.exons[-1][1]
    own, expected = introns_between(isoform.exons), introns_inside(primary.exons, start, end)
    same_ends = (start, end) == (primary.exons[0][0], primary.exons[-1][1])
    changes = [] if same_ends else [_span(isoform.exons)]
    changes += [[EXON, Site(SiteKind.D, donor)] for donor, acceptor in expected if (donor, acceptor) not in own]
    changes += _introns(intron for intron in own if intron not in expected)
    coding = _coding(isoform, shape, codes, needed=not changes)
    return [*changes, coding] if coding else changes


def _check_shape(gene_type: str, isoforms: Sequence[WrittenIsoform]) -> GeneShape:
    """The shape of a gene.

    Raises:
        SentenceError: its isoforms are not of it, or too many.
    """
    shape = shape_of(gene_type)
    if len(set(isoforms)) < len(isoforms):
        raise SentenceError(Reason.SAME_ISOFORM_TWICE, "two isoforms of the gene are the same")
    if len(isoforms) > MOST_ISOFORMS:
        text = f"the gene has {len(isoforms)} isoforms; a sentence has at most {MOST_ISOFORMS}"
        raise SentenceError(Reason.TOO_MANY_ISOFORMS, text)
    if len(isoforms) > 1 and not shape.alternatives:
        text = f"the {gene_type} gene has {len(isoforms)} isoforms; genes of its type have one"
        raise SentenceError(Reason.TYPE_HAS_NO_ISOFORMS, text)
    for isoform in isoforms:
        if shape.most_introns is not None and len(isoform.exons) > shape.most_introns + 1:
            text = f"{isoform} of the {gene_type} gene has {len(isoform.exons) - 1} introns; "
            raise SentenceError(
                Reason.TYPE_HAS_NO_INTRONS, text + f"genes of its type have at most {shape.most_introns}"
            )
    return shape


def tokens_of(gene: GeneSentence, codes: Codes) -> list[Token]:
    """The sentence of a gene, in the canonical order of its alternatives; the first isoform is the primary.

    Args:
        codes: bases of the window in the direction of transcription, uint8 (n,).

    Raises:
        SentenceError: the grammar has no sentence for it, or none short enough.
    """
    shape = _check_shape(gene.gene_type, gene.isoforms)
    primary = gene.isoforms[0]
    tokens: list[Token] = [BOS, GENE, gene_type_token(gene.gene_type), STRANDS[gene.strand], TRANSCRIPT]
    tokens += _span(primary.exons)
    tokens += [token for change in _introns(introns_between(primary.exons)) for token in change]
    tokens += _coding(primary, shape, codes)
    alternatives = [changes_of(isoform, primary, shape, codes) for isoform in gene.isoforms[1:]]
    for changes in sorted(alternatives, key=_place):
        tokens += [TRANSCRIPT, *(token for change in changes for token in change)]
    tokens.append(EOS)
    if len(tokens) > MOST_TOKENS:
        text = f"the sentence of the gene has {len(tokens)} words; at most {MOST_TOKENS} are read and written"
        raise SentenceError(Reason.TOO_MANY_TOKENS, text)
    return tokens


def _place(changes: list[list[Token]]) -> tuple[int, list[int], list[str]]:
    """Order of alternatives: number of changes, positions in the order in which they are named, words."""
    words = [token for change in changes for token in change]
    sites = [token for token in words if isinstance(token, Site)]
    return (
        len(changes),
        [site.cut for site in sites],
        [token.kind if isinstance(token, Site) else token for token in words],
    )


def gene_of(tokens: Sequence[Token], codes: Codes, origin: int = 0) -> GeneSentence:
    """The gene that a sentence describes, its isoforms in the order of the sentence.

    Args:
        codes: bases of the window in the direction of transcription, uint8 (n,).
        origin: cut from which error messages count.

    Raises:
        SentenceError: the grammar forbids the sentence, or a site cannot be where it points.
    """
    return _Reader(tokens, codes, origin).gene()


class _Reader:
    """Reads a sentence from its first word to its last.

    Messages count words from ``<gene>`` on and sites from ``origin`` on, as files show them.
    """

    def __init__(self, tokens: Sequence[Token], codes: Codes, origin: int) -> None:
        self._tokens, self._codes, self._origin, self._at = tokens, codes, origin, 0

    def _shown(self, token: Token) -> str:
        return f"{token.kind}{token.cut - self._origin:+d}" if isinstance(token, Site) else token

    def _next(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _wrong(self, wanted: str) -> SentenceError:
        token = self._next()
        found = "the end" if token is None or token == EOS else self._shown(token)
        text = f"word {self._at} of the sentence is {found}; {wanted} is expected"
        return SentenceError(Reason.NOT_THE_GRAMMAR, text)

    def _is_site(self, kind: SiteKind) -> bool:
        token = self._next()
        return isinstance(token, Site) and token.kind == kind

    def _word(self, *words: str) -> str:
        token = self._next()
        if isinstance(token, Site) or token not in words:
            raise self._wrong(" or ".join(words))
        self._at += 1
        return str(token)

    def _site(self, kind: SiteKind, low: int, high: int) -> int:
        """The cut of the next word, which must be a pointer at this kind of site from ``low`` to ``high``."""
        token = self._next()
        if not isinstance(token, Site) or token.kind != kind:
            raise self._wrong(f"a pointer at a site of kind {kind}")
        if not low <= token.cut <= high:
            place = f"from {low - self._origin:+d} to {high - self._origin:+d}, where the site must be"
            text = f"{self._shown(token)}, word {self._at} of the sentence, is not {place}"
            raise SentenceError(Reason.UNKNOWN_SITE, text)
        self._at += 1
        return token.cut

    def gene(self) -> GeneSentence:
        self._word(BOS)
        self._word(GENE)
        gene_type = gene_type_of(self._next() or "")
        if gene_type is None:
            raise self._wrong("a gene type")
        self._at += 1
        strand = "+" if self._word(PLUS, MINUS) == PLUS else "-"
        shape = shape_of(gene_type)
        self._word(TRANSCRIPT)
        start, end = self._read_span()
        exons = chain_with(start, end, self._read_introns(start, end, ()))
        isoforms = [WrittenIsoform(exons, self._read_coding(exons, shape, changed=True))]
        while self._word(TRANSCRIPT, EOS) == TRANSCRIPT:
            isoforms.append(self._alternative(isoforms[0], shape))
        if self._next() is not None:
            raise self._wrong("the end")
        _check_shape(gene_type, isoforms)
        return GeneSentence(gene_type, strand, tuple(isoforms))

    def _read_span(self) -> Interval:
        start = self._site(SiteKind.T, 0, self._codes.size - 1)
        return start, self._site(SiteKind.P, start + 1, self._codes.size)

    def _alternative(self, primary: WrittenIsoform, shape: GeneShape) -> WrittenIsoform:
        before = self._at
        own_span = start, end = primary.exons[0][0], primary.exons[-1][1]
        if self._is_site(SiteKind.T):
            start, end = self._read_span()
            if (start, end) == own_span:
                raise SentenceError(
                    Reason.NOT_THE_GRAMMAR, "an alternative names the primary's ends, which it has anyway"
                )
        expected = introns_inside(primary.exons, start, end)
        kept, last = dict(expected), -1
        while self._next() == EXON:
            self._at += 1
            donor = self._site(SiteKind.D, last + 1, end)
            if donor not in kept:
                text = f"D{donor - self._origin:+d} is no donor of the primary that the alternative could lose"
                raise SentenceError(Reason.UNKNOWN_SITE, text)
            last = donor
            del kept[donor]
        introns = self._read_introns(start, end, tuple(kept.items()))
        if set(introns) & (set(expected) - set(kept.items())):
            raise SentenceError(Reason.NOT_THE_GRAMMAR, "an alternative has an intron that it also loses")
        exons = chain_with(start, end, sorted([*kept.items(), *introns]))
        return WrittenIsoform(exons, self._read_coding(exons, shape, changed=self._at > before))

    def _read_introns(self, start: int, end: int, kept: tuple[Interval, ...]) -> list[Interval]:
        """New introns, each inside an exon that the introns before it and those that are kept leave."""
        introns: list[Interval] = []
        low = start + 1
        while self._is_site(SiteKind.D):
            donor = self._site(SiteKind.D, low, end - 2)
            high = min([d for d, a in kept if a >= donor], default=end) - 1
            if any(d <= donor <= a for d, a in kept):
                text = f"D{donor - self._origin:+d} lies in or beside an intron of the same isoform"
                raise SentenceError(Reason.UNKNOWN_SITE, text)
            introns.append((donor, self._site(SiteKind.A, donor + 1, high)))
            low = introns[-1][1] + 1
        return introns

    def _read_coding(self, exons: Chain, shape: GeneShape, changed: bool) -> Chain:
        usual = default_cds(exons, shape, self._codes)
        if self._next() != CDS:
            if not changed:
                raise self._wrong("a change")
            return usual
        self._at += 1
        if not shape.may_code:
            raise SentenceError(Reason.CDS_IN_RNA_GENE, "the sentence has a CDS, but its gene codes for RNA")
        cds: Chain = ()
        if self._next() == SEP:
            self._at += 1
        else:
            start = self._site(SiteKind.S, exons[0][0], exons[-1][1] - 1)
            cds = open_frame(exons, start, self._codes)
            if not cds:
                text = f"no open reading frame of its exons begins with ATG at S{start - self._origin:+d}"
                raise SentenceError(Reason.CDS_NO_OPEN_FRAME, text)
        if changed and cds == usual:
            raise SentenceError(Reason.NOT_THE_GRAMMAR, f"word {self._at - 2} says what may be left out: the usual CDS")
        return cds
