"""Signatures: plain minisign accepts them, every alteration is refused, and keys follow one another."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khochung.errors import ConfigurationError, GateError
from khochung.release import signing
from khochung.release.signing import PublicKey, SecretKey
from khochung.release.verify import verify
from khochung.settings import Settings
from tests.toy_warehouse import Toy

KEY = SecretKey(bytes(range(32)))
minisign = pytest.mark.skipif(
    not shutil.which("minisign"), reason="minisign is not installed (apt-get install minisign)"
)
VERSION = "data/don-vi-thu/v/2025.9.0"


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["minisign", *arguments], cwd=cwd, capture_output=True, text=True, check=False)


@minisign
def test_plain_minisign_accepts_a_release_and_refuses_an_altered_one(toy: Toy) -> None:
    toy.release()
    root = toy.settings.public.resolve()
    line = signing.secret(toy.settings).public.line
    for folder, said in (
        (root, "khochung release:2025-09-30.1"),
        (root / VERSION, "khochung dataset:don-vi-thu version:2025.9.0"),
    ):
        for key in (("-P", line), ("-p", str(root / "minisign.pub"))):
            done = run("-V", *key, "-m", "SHA256SUMS", cwd=folder)
            assert done.returncode == 0 and f"Trusted comment: {said}" in done.stdout, done.stderr
    sums = root / VERSION / "SHA256SUMS"
    sums.write_bytes(sums.read_bytes() + b"\n")
    assert run("-V", "-P", line, "-m", "SHA256SUMS", cwd=sums.parent).returncode != 0


@minisign
def test_we_accept_what_minisign_signs(tmp_path: Path) -> None:
    assert run("-G", "-W", "-p", "key.pub", "-s", "key.sec", cwd=tmp_path).returncode == 0
    (tmp_path / "x").write_bytes(b"contents")
    assert run("-S", "-s", "key.sec", "-m", "x", "-t", "said", cwd=tmp_path).returncode == 0
    key = PublicKey.parse((tmp_path / "key.pub").read_text(encoding="utf-8"))
    assert key.text.splitlines()[0] in (tmp_path / "key.pub").read_text(encoding="utf-8")
    assert signing.verify({key.key_id: key}, b"contents", (tmp_path / "x.minisig").read_bytes()) == (key, "said")


@given(data=st.binary(), place=st.integers(0, 10_000))
def test_no_letter_of_a_signature_can_be_changed(data: bytes, place: int) -> None:
    keys = {KEY.public.key_id: KEY.public}
    good = KEY.sign(data, "said")
    assert signing.verify(keys, data, good) == (KEY.public, "said")
    # The first line is the only one that is not signed.
    start = good.index(b"\n") + 1
    place = start + place % (len(good) - start)
    bad = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
    with pytest.raises(GateError):
        signing.verify(keys, data, bad)
    with pytest.raises(GateError):
        signing.verify(keys, data + b"x", good)


def test_another_key_is_not_trusted(toy: Toy) -> None:
    toy.release()
    assert verify(toy.settings.public, signing.secret(toy.settings).public).versions == 2
    with pytest.raises(GateError, match="none of those trusted"):
        verify(toy.settings.public, KEY.public)


def test_one_version_verifies_alone_and_only_in_its_own_name(toy: Toy, tmp_path: Path) -> None:
    toy.release()
    key = signing.secret(toy.settings).public
    shutil.copytree(toy.settings.public / VERSION, tmp_path / "mine")
    found = verify(tmp_path / "mine", key)
    assert found.versions == 1 and found.cells > 5 * 3 * 6
    with pytest.raises(GateError, match="give the publisher's with --key"):
        verify(tmp_path / "mine")
    other = toy.settings.public / "data/dan-so-thu/v/2025.9.0"
    for name in ("SHA256SUMS", "SHA256SUMS.minisig"):
        shutil.copy(other / name, tmp_path / "mine" / name)
    with pytest.raises(GateError, match="the signature is about something else"):
        verify(tmp_path / "mine", key)


def test_a_new_key_is_vouched_for_by_the_old_one_and_old_versions_keep_their_signature(toy: Toy) -> None:
    toy.release()
    old = signing.secret(toy.settings).public
    before = (toy.settings.public / VERSION / "SHA256SUMS.minisig").read_bytes()
    new, by = signing.rotate(toy.settings)
    assert by is not None and by.public == old and signing.secret(toy.settings) == new
    assert toy.release().created
    assert (toy.settings.public / VERSION / "SHA256SUMS.minisig").read_bytes() == before
    assert (toy.settings.public / "minisign.pub").read_text(encoding="utf-8") == new.public.text
    assert sorted(path.name for path in (toy.settings.public / "keys").iterdir()) == sorted(
        [f"{old.name}.pub", f"{new.public.name}.pub", f"{new.public.name}.pub.minisig"]
    )
    verify(toy.settings.public, new.public)
    with pytest.raises(GateError, match="none of those trusted"):
        verify(toy.settings.public, old)


def test_after_a_loss_releases_go_on_under_a_key_that_nobody_vouches_for(toy: Toy) -> None:
    toy.release()
    signing.KEY.path(toy.settings).unlink()
    with pytest.raises(ConfigurationError, match="rotate-key"):
        toy.release()
    new, old = signing.rotate(toy.settings)
    assert old is None and toy.release().created
    verify(toy.settings.public, new.public)


def test_a_false_voucher_is_seen(toy: Toy) -> None:
    toy.release()
    new, _ = signing.rotate(toy.settings)
    voucher = signing.public_folder(toy.settings) / f"{new.public.name}.pub.minisig"
    voucher.write_bytes(new.sign(new.public.text.encode(), f"khochung key:{new.public.name} after:itself"))
    with pytest.raises(GateError, match="none of those trusted"):
        toy.release()


def test_a_lost_key_is_never_replaced_in_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(tmp_path)
    first = signing.secret(settings)
    assert signing.KEY.path(settings).stat().st_mode & 0o777 == 0o600
    assert signing.secret(settings) == first
    signing.KEY.path(settings).unlink()
    with pytest.raises(ConfigurationError, match="rotate-key"):
        signing.secret(settings)
    monkeypatch.setenv(signing.VARIABLE, "ab" * 32)
    assert signing.secret(settings).seed == b"\xab" * 32
    monkeypatch.setenv(signing.VARIABLE, "short")
    with pytest.raises(ConfigurationError, match="64 hexadecimal digits"):
        signing.secret(settings)
