"""Objects in a bucket, and the same bucket lent to the engine for the lake.

The two servers that are tested differ in conditional writes, batch deletes and checksums (docs/hosting.md), so none of
these is used: an object is written once under a name that no other has, and removed one by one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.stores.engine import Engine, quoted
from enclos.stores.objects.credentials import S3Credentials
from enclos.stores.objects.place import S3Place

_PIECE = 1 << 20
_ATTEMPTS = 5
"""Tries of one request: with the waits between them some ten seconds, half a minute at most."""
_SECONDS = 30
"""Seconds without a byte after which a try has failed."""
_NOTHING_OF_THE_ACCOUNT = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""What the client would else read from files and variables of the account that runs this."""
AUTHORITIES = "SSL_CERT_FILE"
"""The variable that names a PEM file of authorities, as OpenSSL reads it: for a host with one of its own."""
_ABSENT, _DENIED = {"404", "NoSuchKey", "NotFound"}, {"401", "403"}
_FULL = {"QuotaExceeded", "InsufficientStorage", "507"}
"""Ceph says the first, under 403; HTTP itself the last."""
_ENDED = {"ExpiredToken", "InvalidToken", "InvalidTokenId"}
"""Temporary credentials that are over, or whose session token is none."""
_SKEWED = {"RequestTimeTooSkewed", "RequestExpired"}


@contextmanager
def _border() -> Iterator[None]:
    """Replace the client's exceptions, which quote addresses and answers, by refusals."""
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "NoSuchBucket":
            raise refusal(
                Code.STORAGE_BROKEN, "There is no such bucket.", "Make it at the host, or name another."
            ) from None
        status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
        said = {status, str(error.response.get("Error", {}).get("Code"))}
        if said & _ABSENT:
            raise KeyError("absent") from None
        if said & _FULL:
            raise refusal(
                Code.STORAGE_FULL,
                "The object storage has no room for more.",
                "Ask its operator for more; nothing was lost: run it again.",
            ) from None
        if said & _SKEWED:
            raise refusal(
                Code.STORAGE_CREDENTIALS,
                "The object storage finds this machine's clock too far off to accept a signature.",
                "Set the clock of one of the two.",
            ) from None
        if status in _DENIED or said & _ENDED:
            raise refusal(
                Code.STORAGE_CREDENTIALS,
                "The object storage refuses these credentials.",
                "Give the ones of this bucket: ENCLOS_S3_KEY_ID and ENCLOS_S3_SECRET.",
            ) from None
        raise _unreachable() from None
    except (BotoCoreError, HTTPClientError, HTTPError, OSError):
        raise _unreachable() from None


def _authorities() -> str:
    """The file of authorities whose certificates are believed; both clients go by the same one."""
    import certifi

    return os.environ.get(AUTHORITIES) or certifi.where()


def _unreachable() -> Refusal:
    return refusal(
        Code.STORAGE_UNREACHABLE,
        "The object storage does not answer as it should, several times in a row.",
        "Nothing was lost: run it again when the storage answers.",
    )


class S3Objects:
    """The objects under a prefix of a bucket, by what follows the prefix."""

    def __init__(self, place: S3Place, credentials: S3Credentials) -> None:
        self._place = place
        self._credentials = credentials
        self._made: tuple[tuple[str, str, str], Any] | None = None

    def __repr__(self) -> str:
        return "S3Objects()"

    @property
    def _client(self) -> Any:
        """The client by the credentials as they are now."""
        shown, made = self._credentials.reveal(), self._made
        if made is None or made[0] != shown:
            made = self._made = (shown, self._client_by(*shown))
        return made[1]

    def _client_by(self, key_id: str, secret: str, session_token: str) -> Any:
        import botocore.session
        from botocore.config import Config

        session = botocore.session.Session(session_vars=_NOTHING_OF_THE_ACCOUNT)
        return session.create_client(
            "s3",
            endpoint_url=self._place.endpoint,
            region_name=self._place.region,
            verify=_authorities(),
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            aws_session_token=session_token or None,
            config=Config(
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
                connect_timeout=_SECONDS,
                read_timeout=_SECONDS,
                proxies={},
            ),
        )

    def names(self) -> Iterator[str]:
        """The names of all objects, in the order of their bytes."""
        return iter(sorted(self._pages("list_objects_v2", "Contents")))

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes of an object in pieces; a broken connection is taken up where it broke.

        Refuses: KeyError when the storage does not give it; STORAGE_UNREACHABLE, STORAGE_CREDENTIALS.
        """
        n_read, size, failures = 0, -1, 0
        rest: dict[str, Any] = {}
        while n_read != size:
            before = n_read
            try:
                with _border():
                    answer = self._client.get_object(**self._at(name), **rest)
                    if not rest:
                        size, version = answer["ContentLength"], answer["ETag"]
                    for piece in answer["Body"].iter_chunks(_PIECE):
                        n_read += len(piece)
                        yield piece
            except Refusal:
                failures = 0 if n_read > before else failures + 1
                if size < 0 or failures >= _ATTEMPTS:
                    raise
            if n_read > size:
                raise _unreachable()
            rest = {"Range": f"bytes={n_read}-", "IfMatch": version}

    def put(self, name: str, content: bytes) -> None:
        """Store an object, whole or not at all.

        Refuses: STORAGE_UNREACHABLE, STORAGE_CREDENTIALS.
        """
        with _border():
            self._client.put_object(**self._at(name), Body=content)

    def remove(self, name: str) -> None:
        """Remove an object; nothing happens when it is absent."""
        with _border():
            self._client.delete_object(**self._at(name))

    def remove_half_written(self) -> int:
        """Remove the parts of uploads that never ended; how many uploads there were. Nobody may be writing."""
        n_removed = 0
        with _border():
            pages = self._client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self._place.bucket, Prefix=f"{self._place.prefix}/"):
                for upload in page.get("Uploads", []):
                    self._client.abort_multipart_upload(
                        Bucket=self._place.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                    )
                    n_removed += 1
        return n_removed

    def _at(self, name: str) -> Mapping[str, str]:
        return {"Bucket": self._place.bucket, "Key": f"{self._place.prefix}/{name}"}

    def _pages(self, operation: str, part: str) -> Iterator[str]:
        start = f"{self._place.prefix}/"
        with _border():
            for page in self._client.get_paginator(operation).paginate(Bucket=self._place.bucket, Prefix=start):
                yield from (found["Key"].removeprefix(start) for found in page.get(part, []))


class S3Lake:
    """A bucket as the lake's place: what the engine needs to read and write its files there."""

    def __init__(self, place: S3Place, credentials: S3Credentials) -> None:
        self._place = place
        self._credentials = credentials

    def __repr__(self) -> str:
        return "S3Lake()"

    @property
    def folder(self) -> str:
        """Where the files lie, as the engine names it."""
        return self._place.folder

    def lend_to(self, engine: Engine) -> None:
        """Let the engine use the bucket; the credentials stay in its memory and end with it.

        They are those of this moment: what goes on for longer than temporary ones last is refused, and done again.
        """
        key_id, secret, session_token = self._credentials.reveal()
        server = urlsplit(self._place.endpoint)
        options = {
            "KEY_ID": key_id,
            "SECRET": secret,
            "REGION": self._place.region,
            "ENDPOINT": server.netloc,
            "URL_STYLE": "path",
            "SCOPE": self._place.folder,
            **({"SESSION_TOKEN": session_token} if session_token else {}),
        }
        values = ", ".join(f"{name} '{quoted(value)}'" for name, value in options.items())
        secure = str(server.scheme == "https").lower()
        engine.execute(f"CREATE OR REPLACE TEMPORARY SECRET enclos_lake (TYPE s3, {values}, USE_SSL {secure})")
        # for all its connections: the lake's catalog lists objects through one of its own
        engine.execute("SET GLOBAL enable_server_cert_verification = true")
        engine.execute(f"SET GLOBAL ca_cert_file = '{quoted(_authorities())}'")
        engine.execute(f"SET GLOBAL http_timeout = {_SECONDS}")
        engine.execute(f"SET GLOBAL http_retries = {_ATTEMPTS - 1}")
        engine.execute("SET GLOBAL http_retry_wait_ms = 200")
        engine.execute("SET GLOBAL http_retry_backoff = 2")
