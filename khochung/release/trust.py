"""The signatures of a public tree: who signed it, and whether each signature is about the place in which it stands."""

from collections.abc import Callable
from pathlib import Path

from khochung.errors import GateError
from khochung.release import files, signing
from khochung.release.signing import PublicKey

Note = Callable[[str, str], None]


def keys_of(root: Path, key: PublicKey | None, note: Note) -> dict[bytes, PublicKey]:
    """The keys of `keys/`, by id: those that ever signed. The list is covered by the signature over the whole tree.

    A key that follows another one bears its signature, unless the other was lost.

    `key`: the one that the verifier trusts; without it `minisign.pub` of the tree itself, which proves that nothing was
    altered by accident, and nothing more.
    """
    found = {
        public.key_id: public for public in (_read(path, note) for path in sorted(root.glob("keys/*.pub"))) if public
    }
    for public in found.values():
        path = root / f"keys/{public.name}.pub"
        signature = path.with_name(f"{path.name}.minisig")
        if signature.is_file():
            others = {key_id: other for key_id, other in found.items() if key_id != public.key_id}
            check(path, signature, others, f"khochung key:{public.name} after:", note, f"keys/{path.name}")
    current = key or _read(root / "minisign.pub", note)
    if current is None or current.key_id not in found:
        note("minisign.pub", "the key in force is not among keys/")
    return found


def _read(path: Path, note: Note) -> PublicKey | None:
    try:
        return PublicKey.parse(path.read_text(encoding="utf-8"))
    except (GateError, FileNotFoundError) as error:
        note(path.name, str(error) if isinstance(error, GateError) else "missing")
        return None


def root_key(root: Path, key: PublicKey | None, note: Note) -> dict[bytes, PublicKey]:
    """The one key that may have signed the whole tree."""
    current = key or _read(root / "minisign.pub", note)
    return {current.key_id: current} if current else {}


def check(file: Path, signature: Path, keys: dict[bytes, PublicKey], comment: str, note: Note, place: str) -> None:
    """Note a problem unless one of `keys` signed `file` with a trusted comment that begins with `comment`."""
    if not file.is_file() or not signature.is_file():
        note(place, "is not signed")
        return
    try:
        _, said = signing.verify(keys, file.read_bytes(), signature.read_bytes())
    except GateError as error:
        note(place, str(error))
        return
    if not said.startswith(comment):
        note(place, "the signature is about something else")


def check_folder(folder: Path, keys: dict[bytes, PublicKey], comment: str, note: Note, place: str) -> None:
    """The signature over a folder's SHA256SUMS."""
    check(folder / files.SUMS, folder / files.SIGNATURE, keys, comment, note, place)
