"""How a REST source knows us: four ways, one of which the contract names (`service: {authentication: ...}`).

Key and secret come from `KHOCHUNG_SOURCE_<SOURCE>_KEY` and `_SECRET` and appear in no message.
"""

import base64
import hashlib
import hmac
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import httpx
import msgspec

from khochung import contract
from khochung.errors import SourceRefusedError, SourceUnavailableError
from khochung.settings import optional, required

if TYPE_CHECKING:
    from khochung.extract.session import Reply

Send = Callable[[httpx.Request], "Reply"]
RENEW_AT = 0.9  # of a token's life


class Credentials(Protocol):
    """`remedy` ends the message of a refusal."""

    remedy: str

    def headers(self, request: httpx.Request) -> dict[str, str]:
        """What to add to a request that is about to be sent."""

    def renew(self, sent: dict[str, str]) -> bool:
        """Told that `sent` was refused. True when another try with other credentials makes sense."""


def of(source: contract.Source, url: str, send: Send) -> Credentials:
    """The credentials that the contract of `source` asks for. Raises ConfigurationError for a missing variable."""
    prefix = f"KHOCHUNG_SOURCE_{source.name.upper()}"
    key = required(f"{prefix}_KEY", f"the consumer key for source {source.name}")
    secret = required(f"{prefix}_SECRET", f"the consumer secret for source {source.name}")
    wanted = source.service.authentication
    if isinstance(wanted, contract.Signed):
        return Signature(prefix, key, secret)
    if isinstance(wanted, contract.AccessKey):
        return PartnerKey(prefix, key, secret, wanted)
    base = (optional(f"{prefix}_TOKEN_URL") or url).rstrip("/")
    grant = {"grant_type": "client_credentials"}
    if isinstance(wanted, contract.Keycloak):
        address = f"{base}/realms/{wanted.realm}/protocol/openid-connect/token"
        form = grant | {"client_id": key, "client_secret": secret}
        return Token(f"source {source.name}", prefix, lambda: httpx.Request("POST", address, data=form), send)
    basic = {"Authorization": "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()}
    return Token(
        f"source {source.name}", prefix, lambda: httpx.Request("POST", f"{base}/token", data=grant, headers=basic), send
    )


class Token:
    """A bearer token that expires, shared by all threads: whoever finds it stale gets a new one, the others wait."""

    def __init__(self, where: str, prefix: str, request: Callable[[], httpx.Request], send: Send) -> None:
        self._where, self._prefix, self._request, self._send = where, prefix, request, send
        self._token, self._stale_at = "", 0.0
        self._lock = threading.Lock()
        self.remedy = ", also with a new token; ask the owner whether we are subscribed to this service"

    def headers(self, request: httpx.Request) -> dict[str, str]:
        with self._lock:
            if time.monotonic() >= self._stale_at:
                self._ask()
            return {"Authorization": f"Bearer {self._token}"}

    def renew(self, sent: dict[str, str]) -> bool:
        with self._lock:
            if sent["Authorization"] == f"Bearer {self._token}":  # else another thread has renewed it
                self._stale_at = 0.0
        return True

    def _ask(self) -> None:
        request = self._request()
        reply, place = self._send(request), f"{self._where}: {request.url.host}{request.url.path}"
        if reply.status in (400, 401, 403):
            raise SourceRefusedError(
                f"{place} refused our credentials ({reply.status}): correct {self._prefix}_KEY and _SECRET"
            )
        if reply.status != 200:
            raise SourceRefusedError(
                f"{place} answered {reply.status} when asked for a token: correct {self._prefix}_TOKEN_URL (or _URL), "
                "or `authentication` in the contract"
            )
        try:
            body = msgspec.json.decode(reply.content)
            token, life = body["access_token"], float(body.get("expires_in", 60))
            sound = isinstance(token, str) and token.isascii() and token.isprintable()
        except (msgspec.DecodeError, LookupError, TypeError, ValueError):
            sound = False
        if not sound:
            raise SourceUnavailableError(f"{place} answered 200 without a token")
        self._token, self._stale_at = token, time.monotonic() + RENEW_AT * life


class Signature:
    """Headers `X-Access-Key`, `X-Timestamp` (Unix seconds) and `X-Signature`: hex HMAC-SHA256, keyed by the secret, of

        METHOD \\n path?query as sent \\n X-Timestamp \\n hex SHA-256 of the body

    so that neither a request nor its time can be altered, and the secret never travels.
    """

    def __init__(self, prefix: str, key: str, secret: str) -> None:
        self._key, self._secret = key, secret.encode()
        self.remedy = f"; correct {prefix}_KEY and _SECRET, and compare the clocks of both machines"

    def headers(self, request: httpx.Request) -> dict[str, str]:
        moment = str(int(time.time()))
        target, body = request.url.raw_path.decode(), hashlib.sha256(request.content).hexdigest()
        signed = "\n".join((request.method, target, moment, body))
        signature = hmac.new(self._secret, signed.encode(), hashlib.sha256).hexdigest()
        return {"X-Access-Key": self._key, "X-Timestamp": moment, "X-Signature": signature}

    def renew(self, sent: dict[str, str]) -> bool:
        return False


class PartnerKey:
    """`Authorization`: base64 of `{"AccessKey", "SecretKey", "AppName", "PartnerCode"}`. Only over TLS."""

    def __init__(self, prefix: str, key: str, secret: str, wanted: contract.AccessKey) -> None:
        names = {"AppName": wanted.app_name, "PartnerCode": wanted.partner_code}
        body = msgspec.json.encode({"AccessKey": key, "SecretKey": secret} | names)
        self._headers = {"Authorization": base64.b64encode(body).decode()}
        self.remedy = f"; correct {prefix}_KEY and _SECRET, or `app_name` and `partner_code` in the contract"

    def headers(self, request: httpx.Request) -> dict[str, str]:
        return self._headers

    def renew(self, sent: dict[str, str]) -> bool:
        return False
