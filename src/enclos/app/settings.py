"""enclos.toml: what an enclosure is made of."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from enclos.contracts.delivered.document import LARGEST_GB, MOST_FILES
from enclos.contracts.disclosure import DEMANDED, Demands, RuleSets, rule_sets
from enclos.contracts.pseudonymised.hospital import ORDERING_INTENTS
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.signin.model import Role

SETTINGS_FILE = "enclos.toml"


Intent = Literal[
    "proposal", "plan", "order", "original-order", "reflex-order", "filler-order", "instance-order", "option"
]

SignatureAlgorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EnclosureSection(_Section):
    """Name, number of buckets and the floor that no permit may go below."""

    name: str = Field(min_length=1)
    buckets: int = Field(ge=1, le=4096)
    min_count_floor: int = Field(ge=1)


class StorageSection(_Section):
    """Where the lake's ciphertext lies: a folder of the enclosure, or a bucket (``url``, without credentials)."""

    kind: Literal["local", "s3"] = "local"
    url: str | None = None

    @model_validator(mode="after")
    def _url_fits(self) -> Self:
        if (self.kind == "s3") != (self.url is not None):
            raise ValueError("s3 has a url, local has none")
        return self


class CatalogSection(_Section):
    """Where the catalog that names the snapshots is kept: an encrypted file, or sealed in a database (``url``).

    ``name`` is drawn at init: under it the database keeps this enclosure's catalog.
    """

    kind: Literal["ducklake-file", "postgres"] = "ducklake-file"
    url: str | None = None
    name: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")

    @model_validator(mode="after")
    def _url_fits(self) -> Self:
        if {self.kind == "postgres"} != {self.url is not None, self.name is not None}:
            raise ValueError("postgres has a url and a name, a file has none")
        return self


class KeysSection(_Section):
    """Where the keys live: ``file`` or a PKCS#11 URI; ``roles`` puts some roles' keys elsewhere (``role=place``)."""

    place: str = Field(default="file", pattern=r"^(file|pkcs11:.+)$")
    roles: tuple[str, ...] = ()


class EngineSection(_Section):
    """What the engines of one command may use together, and over how many processes buckets are spread."""

    memory_limit_mb: int = Field(default=4096, ge=256)
    threads: int = Field(default=2, ge=1)
    workers: int = Field(default=1, ge=1, le=256)


class SparkSection(_Section):
    """A cluster that looks at the buckets of studies (docs/guides/kubernetes-spark.md).

    In: master — as Spark writes it, or ``sc://HOST:PORT`` of a Spark Connect server; address, port — where executors
        reach this process, port 0 is any; python — the interpreter on executors; conf — Spark's own settings, each
        ``name=value``; log — a file for what Spark says; memory_limit_mb, threads — of the engine of one task
    """

    master: str = ""
    address: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    python: str = ""
    conf: tuple[Annotated[str, Field(pattern=r"^spark\.[^=\s]+=")], ...] = ()
    log: str = ""
    memory_limit_mb: int = Field(default=2048, ge=256)
    threads: int = Field(default=1, ge=1)


class SqlSection(_Section):
    """What one query of a person may use (docs/sql.md); without confinement on synthetic data only."""

    memory_limit_mb: int = Field(default=2048, ge=256)
    wall_seconds: int = Field(default=600, ge=1)
    result_rows: int = Field(default=1_000_000, ge=1)
    result_mb: int = Field(default=256, ge=1)
    unconfined_for_trying_out: bool = False


class JobsSection(_Section):
    """How much long work of people runs at once, of all and under one permit, and how much of one person waits."""

    at_once: int = Field(default=2, ge=1, le=64)
    per_permit: int = Field(default=1, ge=1, le=64)
    waiting: int = Field(default=8, ge=1, le=100)

    @property
    def n_at_once(self) -> int:
        """As a place of the queue."""
        return self.at_once

    @property
    def n_per_permit(self) -> int:
        """As a place of the queue."""
        return self.per_permit

    @property
    def n_waiting(self) -> int:
        """As a place of the queue."""
        return self.waiting


class DeliveriesSection(_Section):
    """What a delivery may be: the gigabytes (10^9 bytes) that its files unpack to in sum, and how many files with rows.

    More is refused before any row is read (DLV-15); a line of text is of 64 MiB at most.
    """

    largest_gb: int = Field(default=LARGEST_GB, ge=1)
    most_files: int = Field(default=MOST_FILES, ge=1)


class WarehouseSection(_Section):
    """The rules that a build chooses: how long dispensings last, which prescriptions order (docs/warehouse.md)."""

    drug_duration: str = "pack-size"
    medication_request_intents: tuple[Intent, ...] = Field(
        default=cast("tuple[Intent, ...]", ORDERING_INTENTS), min_length=1
    )


class DemandsSection(_Section):
    """Thresholds beyond the platform's rules, each with its bounds; nothing is loosened by them (docs/release.md)."""

    dominance_percent: int = 100
    p_percent: int = 0
    stays: int = 0
    quantile_persons: int = 0
    place_days: int = 0
    step_persons: int = 0
    residual_degrees: int = 0
    hides_zeros: bool = False

    @model_validator(mode="after")
    def _lie_within_their_bounds(self) -> Self:
        _ = self.demands
        return self

    @property
    def demands(self) -> Demands:
        """As the rules read them."""
        return Demands(**{name: getattr(self, name) for name in DEMANDED})


class SourceRules(DemandsSection):
    """What a source demands of everything that leaves while its rows are among the data."""

    min_count: int = Field(default=1, ge=1)
    round_to: int = Field(default=1, ge=1)


class ReleaseSection(DemandsSection):
    """What leaves without votes, how much under one permit, and to what counts are rounded (docs/release.md).

    Never looser than the platform; of permit, enclosure and sources the strictest holds.
    """

    automatic: tuple[str, ...] = ()
    max_estimates_per_permit: int | None = Field(default=None, ge=0)
    max_bytes_per_permit: int | None = Field(default=None, ge=0)
    max_collisions_told_per_day: int | None = Field(default=None, ge=1)
    max_checks_per_day: int | None = Field(default=None, ge=1)
    round_to: int = Field(default=1, ge=1)
    sources: dict[str, SourceRules] = Field(default_factory=dict)


class PublicDesk(_Section):
    """Who takes objections and questions of the persons of a source, and where; in the public's words."""

    who: str = Field(min_length=1, max_length=200)
    where: str = Field(min_length=1, max_length=300)


class PublicSection(_Section):
    """Whom the public turns to: about the enclosure, and by source to say no or to ask (docs/rights.md)."""

    contact: str = Field(default="", max_length=300)
    desks: dict[str, PublicDesk] = Field(default_factory=dict)


class LedgerSection(_Section):
    """The origin line of the log's checkpoints (C2SP tlog-checkpoint), and how long it can be told who acted.

    Source: Regulation (EU) 2025/327, Art. 73(1)(e): a year at least; MR-007 SEC-JOU-3: a year, three where justified.
    """

    origin: str = Field(min_length=1, max_length=120, pattern=r"^[^\s+]+$")
    retention_months: int = Field(default=12, ge=12, le=36)


class SignInSection(_Section):
    """Who may act, and how it is known that it is they (docs/sign-in.md).

    In: required — nobody is believed without having signed in; issuer, client — an OpenID Connect provider and our id
        with it; audience — what its access tokens for us say, the ledger's origin when not given; token_scope — what
        the ``scope`` of an access token says that may be used here, alone or with ``:role``; roles — each
        ``value=role``, of the claim ``role_claim``; acr, amr — what tells a second factor, one of them is enough;
        scopes — asked for beside ``openid profile email``; command_line_client — our id for ``enclos login``, when the
        provider wants another for programs than for the portal; portal — its address for people, when a proxy stands
        before it; least_rsa_bits — shorter RSA keys of the provider are not taken; 3072 have 128 bits of security, and
        many providers sign with 2048
    """

    required: bool = False
    minutes: int = Field(default=60, ge=1, le=60)
    issuer: str | None = Field(default=None, pattern=r"^https?://[^\s?#]+$")
    client: str = ""
    command_line_client: str = ""
    scopes: str = ""
    portal: str = Field(default="", pattern=r"^(https?://[^\s/?#]+)?$")
    audience: str = ""
    token_scope: str = Field(default="enclos", pattern=r"^[!#-\[\]-~]+$")
    algorithms: tuple[SignatureAlgorithm, ...] = Field(default=("RS256", "PS256", "ES256", "Ed25519"), min_length=1)
    least_rsa_bits: int = Field(default=2048, ge=2048, le=16384)
    subject: str = "email"
    role_claim: str = "roles"
    roles: tuple[str, ...] = ()
    acr: tuple[str, ...] = ()
    amr: tuple[str, ...] = ("mfa", "otp", "hwk", "swk", "sc", "fpt")
    without_second_factor_for_trying_out: bool = False

    @model_validator(mode="after")
    def _provider_is_whole(self) -> Self:
        if (self.issuer is None) == bool(self.client):
            raise ValueError("a provider has an issuer and a client")
        if self.issuer and not _is_over_tls(self.issuer):
            raise ValueError("a provider is asked over TLS; plain http is for one on this machine")
        if not (self.acr or self.amr or self.without_second_factor_for_trying_out):
            raise ValueError("a second factor is demanded: acr or amr")
        self.given_roles()
        return self

    def given_roles(self) -> dict[str, Role]:
        """Which role each value of the provider's claim gives."""
        return {value: Role(role) for value, _, role in (each.rpartition("=") for each in self.roles)}


def _is_over_tls(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in {"127.0.0.1", "localhost", "::1"}


class ReviewSection(_Section):
    """When people work here, for the monthly review of the ledger: a time zone and hours of its clock."""

    zone: str = "Europe/Paris"
    day_begins: int = Field(default=6, ge=0, le=23)
    day_ends: int = Field(default=22, ge=1, le=24)
    works_weekends: bool = False

    @field_validator("zone")
    @classmethod
    def _is_known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("not a time zone of the IANA data base") from None
        return zone


class Settings(_Section):
    """The whole of enclos.toml."""

    enclosure: EnclosureSection
    ledger: LedgerSection
    storage: StorageSection = StorageSection()
    catalog: CatalogSection = CatalogSection()
    keys: KeysSection = KeysSection()
    engine: EngineSection = EngineSection()
    spark: SparkSection = SparkSection()
    sql: SqlSection = SqlSection()
    jobs: JobsSection = JobsSection()
    warehouse: WarehouseSection = WarehouseSection()
    review: ReviewSection = ReviewSection()
    release: ReleaseSection = ReleaseSection()
    public: PublicSection = PublicSection()
    sign_in: SignInSection = SignInSection()
    deliveries: DeliveriesSection = DeliveriesSection()

    @model_validator(mode="after")
    def _rounds_no_wider_than_it_hides(self) -> Self:
        if self.round_to > self.floor:
            raise ValueError("counts are rounded to no more than the least minimum count")
        return self

    @property
    def floor(self) -> int:
        """The least number of distinct persons in a cell: the enclosure's, or a source's where it is larger."""
        return max(self.enclosure.min_count_floor, *(each.min_count for each in self.release.sources.values()), 1)

    @property
    def round_to(self) -> int:
        """To what counts are rounded whatever a permit says: the widest that the enclosure or a source demands."""
        return max(self.release.round_to, *(each.round_to for each in self.release.sources.values()), 1)

    @property
    def demands(self) -> RuleSets:
        """What the enclosure and its sources demand beyond the platform's rules: all of it holds."""
        return rule_sets((self.release.demands, *(each.demands for each in self.release.sources.values())))

    def to_toml(self) -> str:
        """The file's text."""
        lines = ["# What this enclosure is made of. Changing `buckets` needs a new build."]
        for section, values in self.model_dump().items():
            lines.append(f"\n[{section}]")
            # JSON scalars are TOML scalars; TOML has no null: what is not chosen is not there
            plain = {key: value for key, value in values.items() if value is not None and not isinstance(value, dict)}
            lines += [f"{key} = {json.dumps(value)}" for key, value in plain.items()]
            for key, parts in values.items():
                for name, rules in parts.items() if isinstance(parts, dict) else ():
                    lines.append(f"\n[{section}.{key}.{json.dumps(name)}]")
                    lines += [f"{rule} = {json.dumps(value)}" for rule, value in rules.items()]
        return "\n".join(lines) + "\n"


def read_settings(folder: Path) -> Settings:
    """The settings of the enclosure in the folder.

    Refuses: ENCLOSURE_MISSING, SETTINGS_BROKEN (all faults at once).
    """
    path = folder / SETTINGS_FILE
    if folder.is_file():
        raise refusal(
            Code.ENCLOSURE_MISSING,
            f"{folder.name} is a file, no enclosure's folder.",
            "Name the enclosure's folder first, then the file.",
        )
    if not path.is_file():
        raise refusal(
            Code.ENCLOSURE_MISSING,
            f"There is no enclosure in {folder.name or folder}.",
            "Make one with `enclos init DIR`, or name the right folder.",
        )
    try:
        return parse_settings(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise refusal(Code.SETTINGS_BROKEN, "enclos.toml is not valid TOML.", "Repair the file.") from None


def parse_settings(text: str) -> Settings:
    """The settings of a file's text.

    Refuses: SETTINGS_BROKEN (all faults at once).
    """
    try:
        return Settings.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError:
        raise refusal(Code.SETTINGS_BROKEN, "enclos.toml is not valid TOML.", "Repair the file.") from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['type']}" for fault in error.errors())
        raise refusal(Code.SETTINGS_BROKEN, f"enclos.toml does not hold: {faults}.", "Repair the file.") from None
