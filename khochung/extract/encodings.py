"""Encodings of Vietnamese files: TCVN3 and VNI as Python codecs, and finding out which one a file is written in.

TCVN3 (TCVN 5712:1993, “ABC”, fonts .VnTime) has one byte per letter, VNI (fonts VNI-Times) a letter and a byte for its
marks. Both tables are data, `data/tcvn3.csv` and `data/vni.csv`; what they leave free below A0 (below C0 in VNI) is
Windows punctuation, as those fonts show it. Decoding is exact: a byte or a pair outside the table is an error.
"""

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any, BinaryIO

from khochung.errors import ContractError

BLOCK = 1 << 20
SAMPLE_BYTES = 1 << 20
LONGEST_LINE = 16 << 20  # characters: beyond it this is no text of lines
_DATA = Path(__file__).parent / "data"
_OWN = ("tcvn3", "vni")
_LEGACY = (*_OWN, "windows-1258")
_SURE = 0.8  # share of the accented words that must be Vietnamese syllables
_LEAD = 0.2  # and how far ahead of the next encoding

_TONES = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
_ACCENTED = re.compile(r"[^\W\d_]*[^\W\d_\x00-\x7f][^\W\d_]*")
_ONSET = "(?:ngh|ng|nh|gh|gi|kh|ph|th|tr|ch|qu|[bcdđghklmnprstvx])?"
_RHYME = (
    "(?:uyê|uya|uyu|uêu|ươi|ươu|iêu|yêu|uôi|oai|oay|oao|oeo|uây|iê|yê|ươ|uô|uâ|uê|uơ|uy|ua|ưa|ưu|ưi|ui|oa|oă|oe|oi|ôi"
    "|ơi|ai|ao|au|ay|âu|ây|eo|êu|ia|iu|[aăâeêioôơuưy])"
)
_SYLLABLE = re.compile(f"{_ONSET}{_RHYME}(?:ng|nh|ch|[cmnpt])?")


@cache
def _table(name: str) -> dict[str, str]:
    """Letters by their bytes; the bytes are written as the Latin-1 text that they would be."""
    with (_DATA / f"{name}.csv").open(encoding="ascii", newline="") as stream:
        return {
            bytes.fromhex(row["bytes"]).decode("latin-1"): chr(int(row["code_point"], 16))
            for row in csv.DictReader(stream)
        }


@cache
def _unit(name: str) -> re.Pattern[str]:
    """A letter with the byte of its marks, or any byte above ASCII."""
    pairs = [units for units in _table(name) if len(units) == 2]
    first, second = ("".join(sorted({pair[place] for pair in pairs})) for place in (0, 1))
    return re.compile((f"[{first}][{second}]|" if pairs else "") + "[\x80-\xff]")


def _decode(name: str, data: bytes, errors: str = "strict") -> tuple[str, int]:
    table = _table(name)

    def letter(unit: re.Match[str]) -> str:
        try:
            return table[unit.group()]
        except KeyError:
            raise UnicodeDecodeError(
                name, bytes(data), unit.start(), unit.end(), "no letter of this encoding"
            ) from None

    return _unit(name).sub(letter, bytes(data).decode("latin-1")), len(data)


def _encode(name: str, text: str, errors: str = "strict") -> tuple[bytes, int]:
    letters = {letter: units for units, letter in _table(name).items()}
    for place, character in enumerate(text):
        if not character.isascii() and character not in letters:
            raise UnicodeEncodeError(name, text, place, place + 1, "not in this encoding")
    return "".join(letters.get(character, character) for character in text).encode("latin-1"), len(text)


class _Decoder(codecs.BufferedIncrementalDecoder):
    """Holds back a letter at the end of a block: the byte of its marks may follow."""

    name = ""

    def _buffer_decode(self, input: Any, errors: str, final: bool) -> tuple[str, int]:
        data = bytes(input)
        firsts = {units[0] for units in _table(self.name) if len(units) == 2}
        kept = len(data) - (not final and bool(data) and chr(data[-1]) in firsts)
        return _decode(self.name, data[:kept])[0], kept


def _codec(name: str) -> codecs.CodecInfo | None:
    if name not in _OWN:
        return None
    decoder = type(f"{name}_decoder", (_Decoder,), {"name": name})
    return codecs.CodecInfo(partial(_encode, name), partial(_decode, name), name=name, incrementaldecoder=decoder)  # type: ignore[arg-type]


codecs.register(_codec)


def text_blocks(stream: BinaryIO, encoding: str, name: str) -> Iterator[str]:
    """The text of a stream, block by block. Raises ContractError with line and byte of what cannot be decoded."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    read, line = 0, 1
    while True:
        block = stream.read(BLOCK)
        held = len(decoder.getstate()[0])
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            line += error.object[: error.start].count(b"\n")
            raise ContractError(
                f"{name}, line {line}: byte {read - held + error.start:,} of the file is not {encoding}; "
                "correct `encoding` (or declare `auto`), or ask the owner for the file again"
            ) from None
        read += len(block)
        line += text.count("\n")
        if text:
            yield text
        if not block:
            return


def utf8_blocks(stream: BinaryIO, encoding: str, name: str) -> Iterator[bytes]:
    """The stream as UTF-8 without a byte order mark. What claims to be UTF-8 is passed on as it is, unchecked."""
    if encoding == "utf-8":
        first = stream.read(BLOCK).removeprefix(codecs.BOM_UTF8)
        while first:
            yield first
            first = stream.read(BLOCK)
        return
    for number, text in enumerate(text_blocks(stream, encoding, name)):
        yield (text.removeprefix("\ufeff") if number == 0 else text).encode()


class Blocks(io.RawIOBase):
    """A stream made of blocks of bytes."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._rest = blocks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = memoryview(block)
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def lines(stream: BinaryIO, encoding: str, name: str) -> Iterator[str]:
    """The lines of a stream with their ends, without a byte order mark; CR, LF and CRLF end a line.

    Raises ContractError for what cannot be decoded, for NUL and for a line without end.
    """
    blocks = (text.encode() for text in text_blocks(stream, encoding, name))
    text = io.TextIOWrapper(io.BufferedReader(Blocks(blocks)), "utf-8-sig", newline="")
    for number, line in enumerate(iter(lambda: text.readline(LONGEST_LINE), ""), start=1):
        if "\0" in line:
            raise ContractError(
                f"{name}, line {number}: a NUL byte; is it UTF-16, or damaged? declare `encoding: auto`, or ask the owner for the file again"
            )
        if len(line) == LONGEST_LINE:
            raise ContractError(f"{name}, line {number} has no end; ask the owner for the file again")
        yield line


def of(path: Path, declared: str, name: str) -> str:
    """The encoding to read a file with: the declared one, or for `auto` the one that its bytes tell."""
    return detect(path, name) if declared == "auto" else declared.removesuffix("-sig")


def detect(path: Path, name: str) -> str:
    """The encoding of a text file, by its bytes: a byte order mark, NULs, valid UTF-8, else which reading is Vietnamese.

    Raises ContractError when no encoding is clearly ahead: the contract must then say which it is.
    """
    with path.open("rb") as stream:
        head = stream.read(4096)
        if head.startswith(codecs.BOM_UTF8):
            return "utf-8"
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if b"\0" in head:
            return "utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be"
        stream.seek(0)
        if _is_utf8(stream):
            return "utf-8"
        stream.seek(0)
        sample = _accented_lines(stream)
    ranked = sorted(((_share(sample, encoding), encoding) for encoding in _LEGACY), reverse=True)
    (best, encoding), (second, _) = ranked[0], ranked[1]
    if best < _SURE or best - second < _LEAD:
        found = ", ".join(f"{candidate} {share:.0%}" for share, candidate in ranked)
        raise ContractError(
            f"{name}: its encoding cannot be told from its bytes (Vietnamese words: {found}); declare `encoding` in the contract"
        )
    return encoding


def _is_utf8(stream: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        while block := stream.read(BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _accented_lines(stream: BinaryIO) -> bytes:
    sample = bytearray()
    while len(sample) < SAMPLE_BYTES and (line := stream.readline(BLOCK)):
        if not line.isascii():
            sample += line
    return bytes(sample)


def _share(sample: bytes, encoding: str) -> float:
    """Share of the words with accents that are Vietnamese syllables; a sign that is no letter counts as a bad word."""
    try:
        text = unicodedata.normalize("NFC", sample.decode(encoding)).lower()
    except UnicodeDecodeError:
        return 0.0
    words = _ACCENTED.findall(text)
    signs = sum(not character.isascii() and not character.isalpha() for character in text)
    return sum(map(_is_syllable, words)) / max(len(words) + signs, 1)


@cache
def _is_syllable(word: str) -> bool:
    toneless, tones = _TONES.subn("", unicodedata.normalize("NFD", word))
    return tones <= 1 and _SYLLABLE.fullmatch(unicodedata.normalize("NFC", toneless)) is not None
