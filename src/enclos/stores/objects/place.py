"""Where a bucket is, in one line that holds no credentials: ``s3://bucket/prefix?endpoint=https://host&region=r``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
_REGION = re.compile(r"[A-Za-z0-9-]{1,40}")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class S3Place:
    """A prefix of a bucket on a server; buckets are named in the path of a request, as any server understands it."""

    bucket: str
    prefix: str
    endpoint: str
    region: str = "us-east-1"

    @classmethod
    def from_url(cls, url: str) -> S3Place:
        """The place that the URL names.

        Refuses: STORAGE_URL when it is not one, holds credentials, or would send signatures without TLS over a network.
        """
        try:
            parts = urlsplit(url)
            options = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            endpoint = urlsplit(options.pop("endpoint", "https://s3.amazonaws.com"))
            region, prefix = options.pop("region", "us-east-1"), parts.path.strip("/")
            host, port = endpoint.hostname or "", endpoint.port
        except ValueError:
            raise _refused() from None
        fits = (
            parts.scheme == "s3"
            and _BUCKET.fullmatch(parts.netloc)
            and _PREFIX.fullmatch(prefix)
            and ".." not in prefix.split("/")
            and _REGION.fullmatch(region)
            and not (options or parts.fragment)
            and (endpoint.scheme == "https" or (endpoint.scheme == "http" and host in _LOOPBACK))
            and host
            and endpoint.path in {"", "/"}
            and not (endpoint.username or endpoint.password or endpoint.query or endpoint.fragment)
        )
        if not fits:
            raise _refused()
        netloc = f"[{host}]" if ":" in host else host
        where = f"{endpoint.scheme}://{netloc}{f':{port}' if port else ''}"
        return cls(parts.netloc, prefix, where, region)

    @property
    def url(self) -> str:
        """The line that names it."""
        return f"s3://{self.bucket}/{self.prefix}?endpoint={self.endpoint}&region={self.region}"

    @property
    def folder(self) -> str:
        """The prefix as the engine writes it."""
        return f"s3://{self.bucket}/{self.prefix}/"


def _refused() -> Refusal:
    return refusal(
        Code.STORAGE_URL,
        "The storage cannot be understood from its URL, or the URL would not be safe.",
        "Write s3://BUCKET/PREFIX?endpoint=https://HOST[:PORT]&region=REGION; credentials go into the environment.",
    )
