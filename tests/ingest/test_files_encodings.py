"""Encodings of Vietnamese files: exact both ways, told apart by their bytes, and refused with a place."""

import codecs
import io
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khochung.errors import ContractError
from khochung.extract import encodings

LOWER = "aáàảãạăắằẳẵặâấầẩẫậbcdđeéèẻẽẹêếềểễệghiíìỉĩịklmnoóòỏõọôốồổỗộơớờởỡợpqrstuúùủũụưứừửữựvxyýỳỷỹỵ"
PLAIN = "\n\t ;,.0123456789\u00a0“”–…fjwzFJWZ"
TCVN3 = LOWER + "ABCDEGHIKLMNOPQRSTUVXY" + "ĂÂĐÊÔƠƯ" + PLAIN  # no accented capitals but these
VNI = LOWER + LOWER.upper() + PLAIN
REGISTER = (
    "Số;Tên;Địa chỉ\n1;Nguyễn Thị Hường;Ấp Bình Tả 1, xã Đức Hòa Hạ\n2;Lê Văn Đạt;khu phố 3, phường Khánh Hậu\n"
    "3;Trần Quốc Tuấn;xã Mỹ Quý Đông\n4;Phạm Ngọc Ánh;thị trấn Cần Giuộc\n"
)


@pytest.mark.parametrize(
    ("encoding", "as_latin", "text"),
    [  # as such texts are seen in the wild, when a program takes them for Latin-1
        ("tcvn3", "Céng hßa x· héi chñ nghÜa ViÖt Nam", "Cộng hòa xã hội chủ nghĩa Việt Nam"),
        ("tcvn3", "§éc lËp - Tù do - H¹nh phóc", "Độc lập - Tự do - Hạnh phúc"),
        ("vni", "Coäng hoøa xaõ hoäi chuû nghóa Vieät Nam", "Cộng hòa xã hội chủ nghĩa Việt Nam"),
        ("vni", "ÑOÄC LAÄP - TÖÏ DO - HAÏNH PHUÙC", "ĐỘC LẬP - TỰ DO - HẠNH PHÚC"),
        ("vni", "Thöûa ñaát 100 m²", "Thửa đất 100 m²"),
    ],
)
def test_known_texts(encoding: str, as_latin: str, text: str) -> None:
    assert as_latin.encode("latin-1").decode(encoding) == text
    assert text.encode(encoding) == as_latin.encode("latin-1")


@pytest.mark.parametrize(("encoding", "letters"), [("tcvn3", TCVN3), ("vni", VNI)])
def test_every_letter_has_bytes_of_its_own(encoding: str, letters: str) -> None:
    assert unicodedata.is_normalized("NFC", letters)
    written = [letter.encode(encoding) for letter in letters]
    assert len(set(written)) == len(set(letters))
    assert [units.decode(encoding) for units in written] == list(letters)


@given(st.data(), st.sampled_from([("tcvn3", TCVN3), ("vni", VNI)]), st.integers(1, 7))
def test_round_trip_however_the_bytes_are_cut(data: st.DataObject, case: tuple[str, str], step: int) -> None:
    encoding, letters = case
    text = data.draw(st.text(letters))
    raw = text.encode(encoding)
    decoder = codecs.getincrementaldecoder(encoding)()
    pieces = [decoder.decode(raw[place : place + step]) for place in range(0, len(raw), step)]
    assert "".join(pieces) + decoder.decode(b"", final=True) == text == raw.decode(encoding)


@pytest.mark.parametrize(
    ("encoding", "raw"), [("tcvn3", b"a\x81"), ("vni", b"b\xf9"), ("vni", b"\xf9"), ("vni", b"aa\xf9\xf9")]
)
def test_bytes_that_are_no_letter(encoding: str, raw: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        raw.decode(encoding)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "windows-1258", "tcvn3", "vni"]
)
def test_told_from_the_bytes(tmp_path: Path, encoding: str) -> None:
    text = REGISTER.replace("Ấ", "A").replace("Á", "A") if encoding == "tcvn3" else REGISTER
    if encoding == "windows-1258":
        text = "".join(_windows(letter) for letter in text)
    path = tmp_path / "ds.csv"
    path.write_bytes(text.encode(encoding))
    found = encodings.of(path, "auto", "ds.csv")
    assert found == ("utf-8" if encoding == "utf-8-sig" else encoding)
    with path.open("rb") as stream:
        assert "".join(encodings.lines(stream, found, "ds.csv")) == text
    with path.open("rb") as stream:
        assert b"".join(encodings.utf8_blocks(stream, found, "ds.csv")).decode() == text


def _windows(letter: str) -> str:
    """Windows-1258 writes the tone behind its vowel; vowels with a tone only some."""
    try:
        letter.encode("cp1258")
        return letter
    except UnicodeEncodeError:
        parts = unicodedata.normalize("NFD", letter)
        tone = next(part for part in parts[1:] if part in "\u0300\u0301\u0303\u0309\u0323")
        return unicodedata.normalize("NFC", parts.replace(tone, "")) + tone


@pytest.mark.parametrize(
    "raw", [b"ma;ten\n1;caf\xe9 fran\xe7ais no\xebl\n", b"ma;ten\n1;20 \xb0C\n", bytes(range(128, 256))]
)
def test_an_encoding_that_cannot_be_told(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "ds.csv"
    path.write_bytes(raw)
    with pytest.raises(ContractError, match=r"ds\.csv: its encoding cannot be told .*declare `encoding`"):
        encodings.of(path, "auto", "ds.csv")


@pytest.mark.parametrize(
    ("encoding", "raw", "place"),
    [
        ("utf-8", "Ế\nĐ".encode() + b"\xff", "line 2: byte 6 "),
        ("utf-8", b"a\n" * 700_000 + b"\xc3", "line 700001: byte 1,400,000 "),
        ("tcvn3", b"a" * 1_048_575 + b"\n\x81", "line 2: byte 1,048,576 "),
        ("vni", b"a" * 1_048_575 + b"\xe9\n\xf9", "line 2: byte 1,048,577 "),
        ("utf-16-le", "a\n".encode("utf-16-le") + b"\x00\xdc", "line 2: byte 4 "),
    ],
)
def test_what_cannot_be_decoded_is_named_by_its_place(encoding: str, raw: bytes, place: str) -> None:
    with pytest.raises(ContractError) as raised:
        list(encodings.text_blocks(io.BytesIO(raw), encoding, "ds.csv"))
    assert place in str(raised.value)


def test_lines_without_end_and_nul_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encodings, "LONGEST_LINE", 10)
    with pytest.raises(ContractError, match="line 2 has no end"):
        list(encodings.lines(io.BytesIO(b"a\n" + b"b" * 11), "utf-8", "ds.csv"))
    with pytest.raises(ContractError, match="line 2: a NUL byte"):
        list(encodings.lines(io.BytesIO(b"a\nb\0"), "utf-8", "ds.csv"))
