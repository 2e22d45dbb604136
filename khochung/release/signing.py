"""Ed25519 signatures in minisign's form, so that `minisign -V` checks a release without any of our code.

Form: https://jedisct1.github.io/minisign/ (prehashed, `ED`: the signature is over BLAKE2b-512 of the file; a second one
covers the first and the trusted comment, which here says what was signed, so that a signed folder cannot pass for another).

The secret key is 32 bytes: `KHOCHUNG_RELEASE_KEY` (64 hexadecimal digits) holds it on servers, `keys/release` (mode 0600)
elsewhere; the variable wins. `keys/release.public/` has the public key of every key that ever signed, each but the first
signed by the one before it.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from khochung.errors import GateError
from khochung.key import Key
from khochung.settings import Settings, optional

VARIABLE = "KHOCHUNG_RELEASE_KEY"
KEY = Key(
    VARIABLE, "release", "signatures of releases",
    "restore it from the backup of keys/, or make a new one, which its users must then be told of: khochung release "
    "rotate-key",
)  # fmt: skip
_UNTRUSTED, _TRUSTED = "untrusted comment: ", "trusted comment: "


@dataclass(frozen=True)
class PublicKey:
    """A public key. `key_id`: eight bytes by which a signature names its key."""

    key_id: bytes
    raw: bytes

    @classmethod
    def parse(cls, text: str) -> "PublicKey":
        """The key of a `.pub` file, or of its second line alone. Raises GateError."""
        line = text.strip().splitlines()[-1] if text.strip() else ""
        body = _decoded(line, "public key")
        if len(body) != 42 or body[:2] != b"Ed":
            raise GateError("this is no public key of minisign: expected two lines, the second 56 letters and digits")
        return cls(body[2:10], body[10:])

    @property
    def name(self) -> str:
        """The key's name as minisign prints it: 16 hexadecimal digits."""
        return self.key_id[::-1].hex().upper()

    @property
    def line(self) -> str:
        """The key in one line, as `minisign -V -P` takes it."""
        return base64.b64encode(b"Ed" + self.key_id + self.raw).decode()

    @property
    def text(self) -> str:
        """The contents of a `.pub` file."""
        return f"{_UNTRUSTED}minisign public key {self.name}\n{self.line}\n"


@dataclass(frozen=True)
class SecretKey:
    """A secret key; its name is made from its public half."""

    seed: bytes

    @property
    def public(self) -> PublicKey:
        raw = self._key.public_key().public_bytes_raw()
        return PublicKey(hashlib.sha256(raw).digest()[:8], raw)

    @property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    def sign(self, data: bytes, comment: str) -> bytes:
        """The contents of the `.minisig` file of `data`. `comment` is signed too; it has one line."""
        signature = self._key.sign(hashlib.blake2b(data).digest())
        over_all = self._key.sign(signature + comment.encode())
        lines = [
            f"{_UNTRUSTED}signature of Kho Chung, key {self.public.name}",
            base64.b64encode(b"ED" + self.public.key_id + signature).decode(),
            f"{_TRUSTED}{comment}",
            base64.b64encode(over_all).decode(),
        ]
        return ("\n".join(lines) + "\n").encode()


def verify(keys: dict[bytes, PublicKey], data: bytes, signature: bytes) -> tuple[PublicKey, str]:
    """The key that signed and the trusted comment. Raises GateError when no key of `keys`, by id, signed `data`."""
    try:
        untrusted, first, trusted, second, nothing = signature.decode().split("\n")
    except ValueError as error:
        raise GateError("the signature file does not have the four lines of minisign") from error
    body, over_all = _decoded(first, "signature"), _decoded(second, "signature")
    if (
        nothing
        or not untrusted.startswith(_UNTRUSTED)
        or not trusted.startswith(_TRUSTED)
        or body[:2] != b"ED"
        or len(body) != 74
    ):
        raise GateError("the signature is not in minisign's prehashed form (ED)")
    key = keys.get(body[2:10])
    if key is None:
        raise GateError(f"it was signed with key {body[2:10][::-1].hex().upper()}, which is none of those trusted here")
    comment = trusted.removeprefix(_TRUSTED)
    try:
        public = Ed25519PublicKey.from_public_bytes(key.raw)
        public.verify(body[10:], hashlib.blake2b(data).digest())
        public.verify(over_all, body[10:] + comment.encode())
    except InvalidSignature as error:
        raise GateError(f"the signature of key {key.name} does not fit the file: one of the two was altered") from error
    return key, comment


def _decoded(line: str, what: str) -> bytes:
    """The bytes of a line of base64, of which there is only one spelling."""
    try:
        body = base64.b64decode(line, validate=True)
    except ValueError as error:
        raise GateError(f"the {what} is not base64") from error
    if base64.b64encode(body).decode() != line:
        raise GateError(f"the {what} is not base64 as everybody writes it")
    return body


def public_folder(settings: Settings) -> Path:
    """`<name>.pub` of every key that ever signed, and `<name>.pub.minisig`, by the key before it."""
    return settings.keys / "release.public"


def secret(settings: Settings) -> SecretKey:
    """The key that signs. The first is made here; once there was one, a missing key raises ConfigurationError."""
    if not KEY.is_there(settings) and not public_folder(settings).exists():
        KEY.make(settings)
    key = SecretKey(bytes.fromhex(KEY.value(settings)))
    _remember(settings, key.public, None)
    return key


def rotate(settings: Settings) -> tuple[SecretKey, SecretKey | None]:
    """A new key, whose public half the old one has signed. Returns the new and the old key (None: it was lost).

    The new one is in force at once, but where the environment holds the key: there somebody puts it in.
    """
    old = secret(settings) if KEY.is_there(settings) else None
    new = SecretKey(secrets.token_bytes(32))
    _remember(settings, new.public, old)
    if not optional(VARIABLE):
        KEY.make(settings, new.seed.hex())
    return new, old


def public_files(settings: Settings) -> dict[str, bytes]:
    """Name -> bytes of every file about public keys, the retired ones' too."""
    return {file.name: file.read_bytes() for file in sorted(public_folder(settings).iterdir())}


def _remember(settings: Settings, key: PublicKey, by: SecretKey | None) -> None:
    """Keep a public key for good; its signature first, so that a key that has one never stands without it."""
    folder = public_folder(settings)
    file = folder / f"{key.name}.pub"
    if file.exists():
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o755)
    if by:
        comment = f"khochung key:{key.name} after:{by.public.name}"
        (folder / f"{file.name}.minisig").write_bytes(by.sign(key.text.encode(), comment))
    file.write_text(key.text, encoding="utf-8")
