"""The closed list of refusal codes, by room: id, branch, rule with its source."""

from __future__ import annotations

from enum import Enum


class Branch(Enum):
    """What a caller can do about a refusal."""

    NOT_ALLOWED = "not allowed"
    NOT_AS_PROMISED = "not as promised"
    NOT_SAFE = "not safe"


_ALLOW, _PROMISE, _SAFE = Branch.NOT_ALLOWED, Branch.NOT_AS_PROMISED, Branch.NOT_SAFE


class Code(Enum):
    """A stable id, its branch and the rule it stands for. Ids are never reused."""

    # -- the enclosure and its stores (ENC)
    ENCLOSURE_MISSING = ("ENC-01", _PROMISE, "an enclosure is a folder with a valid enclos.toml [design § 5]")
    ENCLOSURE_EXISTS = ("ENC-02", _PROMISE, "init never overwrites an existing enclosure [design § 5]")
    ENCLOSURE_BUSY = ("ENC-03", _ALLOW, "one process at a time writes to an enclosure [design § 5]")
    STORAGE_FULL = ("ENC-04", _PROMISE, "a step that cannot be stored whole is not kept at all [design § 3.1]")
    STORAGE_BROKEN = ("ENC-05", _PROMISE, "stored data must read back as written [design § 3.1]")
    PASSPHRASE_WRONG = ("ENC-06", _ALLOW, "the key store opens only with its passphrase [design § 6]")
    KEY_MISSING = ("ENC-07", _PROMISE, "a destroyed or absent key makes its data unreadable [design § 3.4]")
    SETTINGS_BROKEN = ("ENC-08", _PROMISE, "enclos.toml holds known settings only [design § 5]")
    CLOCK_BEHIND = ("ENC-09", _PROMISE, "time never runs behind the last ledger entry [design § 3.8]")
    RUN_UNKNOWN = ("ENC-10", _PROMISE, "a run is released under the permit that it ran under [design § 6]")
    STORAGE_URL = (
        "ENC-11",
        _PROMISE,
        "a bucket is named by a URL with TLS and without secrets [docs/hosting.md]",
    )
    STORAGE_CREDENTIALS = (
        "ENC-12",
        _ALLOW,
        "credentials of a storage are never in an enclosure [docs/hosting.md]",
    )
    STORAGE_UNREACHABLE = ("ENC-13", _PROMISE, "a storage that fails is asked again, not for ever [docs/hosting.md]")
    STORAGE_ALTERED = ("ENC-14", _PROMISE, "a host gives back what it was given, all and unaltered [docs/hosting.md]")
    ENCLOSURE_MOVED = ("ENC-16", _ALLOW, "an enclosure that moved answers at its new place only [docs/hosting.md]")
    ENCLOSURE_ENDED = ("ENC-17", _ALLOW, "a destroyed enclosure is not opened again [docs/hosting.md]")
    DESTROY_UNCONFIRMED = ("ENC-18", _ALLOW, "an enclosure is destroyed by who names it only [docs/hosting.md]")
    WORKER_DIED = ("ENC-19", _PROMISE, "a bucket is asked three times, then given up [docs/studies.md]")
    SPARK_FAILED = ("ENC-20", _PROMISE, "Spark runs what it is given, or says so [docs/guides/kubernetes-spark.md]")
    SERVE_PLACE = ("ENC-15", _PROMISE, "an enclosure is served at one free address [docs/portal.md]")

    # -- keys and senders' pseudonyms (KEY)
    TOKEN_UNREACHABLE = ("KEY-01", _PROMISE, "keys in a token are used in that token only [PKCS #11 v3.0]")
    TOKEN_PIN = ("KEY-02", _ALLOW, "a token opens only with its PIN, which no file and no argument holds [design § 5]")
    KEY_URI = ("KEY-03", _PROMISE, "a token is named by a PKCS#11 URI without a PIN [RFC 7512]")
    KEY_FIXED = ("KEY-04", _ALLOW, "a key is rotated or destroyed only where its data stay usable [docs/keys.md]")
    KEY_ROTATING = ("KEY-05", _ALLOW, "a rotation that was begun is ended before anything else [docs/keys.md]")
    IDENTITY_INVALID = ("KEY-06", _PROMISE, "an identity is a NIR, a birth date and a sex [docs/pseudonyms.md]")
    IDENTITY_SHOWN = ("KEY-07", _PROMISE, "no identity leaves its sender beside a pseudonym [SNDS référentiel 6.1]")
    SENDER_FILE = ("KEY-08", _PROMISE, "a file to pseudonymise is CSV or FHIR NDJSON, whole [docs/pseudonyms.md]")

    CIRCUIT_BORDER = ("KEY-09", _PROMISE, "each actor of a circuit is given what its step needs only [CNIL, 12/2020]")

    # -- deliveries and intake (DLV)
    DELIVERY_UNDECLARED = ("DLV-01", _PROMISE, "a delivery is a folder with a delivery.json [design § 7]")
    DELIVERY_MALFORMED = ("DLV-02", _PROMISE, "delivery.json declares known fields only [design § 7]")
    TABLE_UNKNOWN = ("DLV-03", _PROMISE, "every table belongs to the layout of the delivery's kind [design § 7]")
    ENCODING_UNKNOWN = ("DLV-04", _PROMISE, "a text file declares utf-8 or iso-8859-1 [design § 7]")
    FILE_MISSING = ("DLV-05", _PROMISE, "the folder holds the declared files and no other data [design § 7]")
    HASH_WRONG = ("DLV-06", _PROMISE, "a file is the one that was declared: same SHA-256 [design § 7]")
    COLUMNS_WRONG = ("DLV-07", _PROMISE, "columns are those of the official layout, key columns included [design § 7]")
    FILE_TRUNCATED = ("DLV-08", _PROMISE, "a file is whole [design § 7]")
    ROWS_MISCOUNTED = ("DLV-09", _PROMISE, "delivered = landed + rejected, and the sender's count agrees [design § 2]")
    FILE_TWICE = ("DLV-10", _PROMISE, "the same content is landed once per source [design § 2]")
    FLUX_TWICE = ("DLV-11", _PROMISE, "a flux or a yearly table is landed once per source [design § 2]")
    FILE_UNREADABLE = ("DLV-12", _PROMISE, "a file reads as the format its name says [design § 7]")
    WRITING_WRONG = ("DLV-13", _PROMISE, "dates and decimals are written as delivery.json declares [design § 7]")
    DAYS_SHIFTED = ("DLV-14", _PROMISE, "a day is exported as that day: TZ and ORA_SDTZ are Europe/Paris [sndsTools]")
    DELIVERY_TOO_LARGE = (
        "DLV-15",
        _PROMISE,
        "a delivery unpacks to no more than is taken [docs/settings.md]",
    )
    # -- linkage and pseudonyms (LNK)
    LINK_UNSOUND = ("LNK-01", _PROMISE, "a temporary id stands for one patient of one hospital [design § 2]")
    PSEUDONYM_COLLISION = ("LNK-02", _PROMISE, "pseudonyms are collision-free, checked [SNDS référentiel 6.2]")
    CROSSING_UNBALANCED = ("LNK-03", _PROMISE, "landed = crossed + left behind for a named reason [design § 2]")
    # -- warehouse (WHS)
    BUILD_EMPTY = ("WHS-01", _PROMISE, "a snapshot is built from at least one delivered person [design § 3.1]")
    BUILD_UNBALANCED = ("WHS-02", _PROMISE, "delivered = mapped + cancelled + filtered + rejected [design § 3.1]")
    BUILD_RULE_UNKNOWN = ("WHS-03", _PROMISE, "a drug duration follows a named, versioned rule [docs/warehouse.md]")
    LAKE_EMPTY = ("WHS-04", _PROMISE, "only a committed snapshot is read [design § 3.1]")
    BUILD_PERIOD = ("WHS-06", _PROMISE, "persons are observed on days that national care covers [docs/warehouse.md]")
    SNAPSHOT_UNKNOWN = ("WHS-05", _PROMISE, "a snapshot id names one committed build for ever [design § 3.1]")
    EXPLAIN_UNKNOWN = (
        "WHS-07",
        _PROMISE,
        "a row is explained by its table and number in a snapshot [docs/warehouse.md]",
    )
    EXPLAIN_CHANGED = ("WHS-08", _PROMISE, "a row is explained by what landed and makes it again [docs/warehouse.md]")
    # -- permits and views (PRM)
    PERMIT_INVALID = ("PRM-01", _PROMISE, "a permit document follows design § 7 to the letter [EHDS Art. 68(10)]")
    PERMIT_UNKNOWN = ("PRM-02", _ALLOW, "data are reached only under a permit [EHDS Art. 73(1)(a)]")
    PERMIT_UNSIGNED = ("PRM-03", _ALLOW, "only the access body grants: a permit bears its signature [EHDS Art. 68]")
    PERMIT_ALTERED = ("PRM-04", _ALLOW, "a permit is worth what was signed, to the byte [RFC 8032]")
    PERMIT_ROLLED_BACK = ("PRM-05", _ALLOW, "a newer version replaces every older one for ever [TEHDAS2 D6.4]")
    PERMIT_NOT_YET_VALID = ("PRM-06", _ALLOW, "a permit binds from its first instant [EHDS Art. 68(12)]")
    PERMIT_EXPIRED = ("PRM-07", _ALLOW, "a permit ends at its last instant, exclusive [EHDS Art. 68(12)]")
    PERMIT_REVOKED = ("PRM-08", _ALLOW, "a revoked permit opens nothing [EHDS Art. 63, 73]")
    PERMIT_USER_MISSING = ("PRM-09", _ALLOW, "only the natural persons that a permit lists [EHDS Art. 73(1)(a)]")
    PERMIT_TRANSITION = ("PRM-10", _ALLOW, "a permit changes state along its transition table only [design § 7]")
    PERMIT_EXISTS = ("PRM-11", _ALLOW, "a signed permit changes by amendment only [EHDS Art. 68(13)]")
    PERMIT_TOO_LONG = ("PRM-12", _PROMISE, "the legal basis bounds duration and renewals [EHDS Art. 68(12)]")
    APPLICATION_UNKNOWN = ("PRM-16", _PROMISE, "an application is kept before it is decided [docs/permits.md]")
    APPLICATION_TRANSITION = ("PRM-17", _ALLOW, "an application follows its transition table [docs/permits.md]")
    APPLICATION_PERSON = ("PRM-18", _ALLOW, "who asks for data does not grant them [EHDS Art. 68, 73]")
    PERMIT_CHANGED = ("PRM-19", _ALLOW, "a change is made to the version that was looked at [docs/permits.md]")
    VIEW_UNOPENED = ("PRM-13", _PROMISE, "a permit is opened before it is used [design § 3.4]")
    VIEW_NOT_GRANTED = ("PRM-14", _ALLOW, "users reach only the data of their permit [EHDS Art. 73(1)(d)]")
    VIEW_POPULATION = ("PRM-15", _PROMISE, "a population is drawn only where its members are known [design § 7]")
    # -- people's SQL (SQL)
    SQL_NOT_ALLOWED = ("SQL-01", _ALLOW, "people's SQL is one SELECT of listed parts over granted tables [docs/sql.md]")
    SQL_LIMIT = ("SQL-02", _ALLOW, "a query has limits of memory, time and size [docs/sql.md]")
    SQL_FAILED = ("SQL-03", _PROMISE, "a query that cannot be computed says so in closed words [TEHDAS2 TIR-10]")
    SQL_UNCONFINED = ("SQL-04", _PROMISE, "people's SQL runs with no file and no network [docs/decisions/0020]")
    SQL_WITHHELD = ("SQL-05", _SAFE, "an answer rests on enough persons, and so does what it adds [CASD rules p. 17]")
    # -- the gateway (GAT)
    GATE_CREDENTIAL = ("GAT-01", _ALLOW, "who comes in shows an own credential that holds [EHDS Art. 73(1)(b)]")
    GATE_CLEAR = ("GAT-02", _ALLOW, "nothing is said in clear text [docs/gateway.md]")
    GATE_BUSY = ("GAT-03", _ALLOW, "one person's statements do not stop the others [docs/gateway.md]")
    GATE_STOPPED = ("GAT-04", _ALLOW, "a statement ends when its person says so [docs/gateway.md]")
    GATE_CATALOG = ("GAT-05", _PROMISE, "the catalog answers what tools ask about a permit's names [docs/gateway.md]")
    GATE_PARAMETER = ("GAT-06", _PROMISE, "a parameter is a number, a text, a day or an instant [docs/gateway.md]")
    GATE_COMMAND = ("GAT-07", _ALLOW, "a door reads, and writes nothing [docs/gateway.md]")
    # -- long work of people (JOB)
    JOB_UNKNOWN = ("JOB-01", _PROMISE, "work is shown to who began it [docs/rest.md]")
    JOB_STOPPED = ("JOB-02", _ALLOW, "work ends when its person says so [docs/rest.md]")
    JOB_BUSY = ("JOB-03", _ALLOW, "one person's work does not stop the others' [docs/rest.md]")
    JOB_UNFINISHED = ("JOB-04", _PROMISE, "a result is shown when its work is done [docs/rest.md]")
    JOB_KEY = ("JOB-05", _ALLOW, "an idempotency key stands for one request [docs/rest.md]")
    # -- studies (STU)
    STUDY_UNREADABLE = ("STU-01", _PROMISE, "a study is one YAML document of plain values [design § 7]")
    STUDY_UNKNOWN_NAME = ("STU-02", _PROMISE, "a study names known options, analyses and cohorts [study.schema.json]")
    STUDY_INVALID = ("STU-03", _PROMISE, "a study gives every option a value in its range [study.schema.json]")
    STUDY_CONCEPT_UNKNOWN = ("STU-04", _PROMISE, "the concepts of a study are in the vocabulary [design § 7]")
    STUDY_DURATION_UNKNOWN = ("STU-05", _PROMISE, "dispensings last by a rule of the snapshot [docs/warehouse.md]")
    CIRCE_UNREADABLE = ("STU-06", _PROMISE, "a cohort definition is one JSON document [OHDSI circe-be]")
    CIRCE_INVALID = ("STU-07", _PROMISE, "a cohort definition holds what Circe defines, and that only [OHDSI circe-be]")
    CIRCE_TABLE_MISSING = ("STU-08", _PROMISE, "a cohort definition reads tables that the snapshot has [OMOP CDM 5.4]")
    # -- release (REL)
    RELEASE_UNKNOWN = ("REL-01", _PROMISE, "a release is asked for before it is decided [design § 6]")
    RELEASE_UNTYPED = ("REL-02", _SAFE, "only typed results leave, labels from closed lists [design § 3.6]")
    RELEASE_UNSAFE = ("REL-03", _SAFE, "no cell rests on fewer persons than the permit's minimum [CASD rules p. 17]")
    RELEASE_REVIEWER = ("REL-04", _ALLOW, "two persons decide, neither its author nor users of its permit [design § 1]")
    RELEASE_TRANSITION = ("REL-05", _ALLOW, "a request changes state along its transition table only [design § 6]")
    RELEASE_ALTERED = ("REL-06", _SAFE, "what leaves is what was voted on, to the byte [design § 1]")
    RELEASE_REQUEST = ("REL-07", _PROMISE, "a request states purpose, author and reasons in words [SEC-EXP-2]")
    PACKAGE_BROKEN = ("REL-08", _PROMISE, "a package is complete and signed by the release key [Five Safes RO-Crate]")
    RELEASE_DIFFERENCE = ("REL-11", _SAFE, "no released numbers together tell of fewer than the minimum [SACRO]")
    RELEASE_OTHER_PERMIT = ("REL-09", _ALLOW, "a result leaves under its own permit and no other [EHDS Art. 73(2)]")
    RELEASE_RECIPIENT = ("REL-12", _ALLOW, "a result leaves once to each person of its permit [design § 6]")
    RELEASE_FILE = ("REL-14", _SAFE, "a table that the platform counts may leave, a file never [threats C7 73, 76, 82]")
    RELEASE_VOLUME = ("REL-13", _SAFE, "what leaves under a permit stays within the policy's volume [threats C7 78]")
    RELEASE_PROBING = (
        "REL-15",
        _SAFE,
        "how often a day a permit is told whether results differ is bounded [threats C6]",
    )
    POOL_SITES = (
        "REL-10",
        _PROMISE,
        "sites are pooled by one package of each, of one and the same study [docs/comparative.md]",
    )
    # -- who acts (SGN)
    SIGN_IN_WRONG = ("SGN-01", _ALLOW, "who signs in shows all that their account asks for [NIST SP 800-63B § 4.2]")
    SIGN_IN_SLOW = ("SGN-02", _ALLOW, "who fails waits before the next try [NIST SP 800-63B § 5.2.2]")
    SIGN_IN_TOKEN = (
        "SGN-03",
        _ALLOW,
        "a token is signed by its issuer, for this place, in time and not withdrawn [RFC 9068 § 4]",
    )
    SIGN_IN_FACTOR = ("SGN-04", _ALLOW, "a second factor is shown [docs/sign-in.md]")
    SIGN_IN_ROLE = ("SGN-05", _ALLOW, "each acts in a role that was given to them [design § 1]")
    ACCOUNT_INVALID = ("SGN-06", _PROMISE, "an account is one person's, with roles and a password [docs/sign-in.md]")
    ACCOUNT_UNKNOWN = ("SGN-07", _PROMISE, "an account is made before it is changed [docs/sign-in.md]")
    SIGN_IN_PROVIDER = ("SGN-08", _PROMISE, "a provider answers as OpenID Connect says, over TLS [OpenID Connect Core]")
    SIGN_IN_ANSWER = ("SGN-09", _ALLOW, "a sign-in is answered once, to who began it [RFC 9700 § 2.1]")
    SIGN_IN_MISSING = ("SGN-10", _ALLOW, "who acts has signed in, as themselves [docs/sign-in.md]")
    SIGN_IN_FIRST = ("SGN-11", _ALLOW, "a first password is good for choosing one's own [docs/sign-in.md]")
    SIGN_IN_OFTEN = ("SGN-12", _ALLOW, "a person asks sixty times at once and four times a second [docs/rest.md]")
    # -- rights of persons (RGT)
    OBJECTION_FILE = ("RGT-01", _PROMISE, "an objection names a source and its pseudonym [docs/rights.md]")
    REIDENTIFY_REQUEST = ("RGT-02", _ALLOW, "a person is found again for a reason of the list [CNIL EDS SEC-REI]")
    REIDENTIFY_PERSON = ("RGT-03", _ALLOW, "two persons outside the project decide on finding a person again [SEC-REI]")
    REIDENTIFY_TRANSITION = ("RGT-04", _ALLOW, "a re-identification follows its transition table [docs/rights.md]")
    REIDENTIFY_UNKNOWN = ("RGT-05", _PROMISE, "a re-identification is asked for before it is decided [docs/rights.md]")
    REIDENTIFY_NOBODY = ("RGT-06", _PROMISE, "a permit's number leads to one person of the source [docs/rights.md]")
    REIDENTIFY_FILE = ("RGT-07", _PROMISE, "an answer opens at its source only [RFC 9180]")
    QUESTION_FILE = ("RGT-08", _PROMISE, "a question and its answer open where they are meant for, whole [RFC 9180]")
    QUESTION_PLACE = ("RGT-09", _PROMISE, "a question is put to one enclosure, under its key in use [docs/rights.md]")
    QUESTION_DESK = ("RGT-10", _ALLOW, "an accepted desk asks about its own source, and signs [docs/rights.md]")
    QUESTION_LATE = ("RGT-11", _ALLOW, "a question is answered within its time, a month at most [GDPR Art. 12(3)]")
    QUESTION_AGAIN = ("RGT-12", _ALLOW, "a question is answered once [docs/rights.md]")
    # -- ledger (LDG)
    LEDGER_UNWRITABLE = ("LDG-01", _PROMISE, "nothing runs that is not in the ledger first [design § 3.7]")
    LEDGER_MISSING = ("LDG-02", _PROMISE, "a ledger is begun once, at init, and never begun again [design § 3.7]")
    LEDGER_EXISTS = ("LDG-03", _PROMISE, "a ledger is never overwritten by a new one [design § 3.7]")
    LEDGER_DAMAGED = ("LDG-04", _PROMISE, "entries and tiles are as they were signed [RFC 6962 § 2.1; C2SP tlog-tiles]")
    LEDGER_UNSIGNED = ("LDG-05", _PROMISE, "a checkpoint bears the ledger's origin and signature [C2SP signed-note]")
    LEDGER_FORKED = ("LDG-06", _PROMISE, "a later checkpoint contains every earlier one [RFC 6962 § 2.1.2]")
    LEDGER_DISORDERED = ("LDG-07", _PROMISE, "time never runs back; an outcome follows its own intent [design § 3.7]")
    REVIEW_MONTH = ("LDG-08", _PROMISE, "the traces of each month are reviewed [MR-007 SEC-JOU-2]")
    REGISTER_PLACE = ("LDG-09", _PROMISE, "a register replaces a register and nothing else")
    LEDGER_RETENTION = ("LDG-10", _ALLOW, "access logs are kept for a year at least [EHDS Art. 73(1)(e)]")

    # -- the description of the holdings (HLD)
    CATALOGUE_DOCUMENT = (
        "HLD-01",
        _PROMISE,
        "what data are held by which right is stated, never made up [EHDS Art. 77]",
    )
    CATALOGUE_TOO_FEW = (
        "HLD-02",
        _SAFE,
        "no number told to everybody rests on few persons [docs/catalogue.md]",
    )
    CATALOGUE_PLACE = ("HLD-03", _PROMISE, "a description replaces a description and nothing else")

    # -- conformity (CNF)
    CATALOGUE_ROWS = ("CNF-01", _PROMISE, "every row of a catalogue of requirements is understood [docs/conformity.md]")
    FRAMEWORK_UNKNOWN = ("CNF-02", _PROMISE, "a framework is one of those that are carried [docs/conformity.md]")
    STATEMENT_BROKEN = ("CNF-03", _PROMISE, "a declaration has an owner, a date and an end [docs/conformity.md]")
    OWNER_KEY = ("CNF-04", _PROMISE, "an owner of declarations is named with one key [docs/conformity.md]")
    ASSESSMENT_FILE = ("CNF-05", _PROMISE, "assessments of the same kind are compared [docs/conformity.md]")
    CONFORMITY_SCOPE = (
        "CNF-06",
        _PROMISE,
        "conformity.toml says what is looked at, and nothing else [docs/conformity.md]",
    )
    CONFORMITY_PLACE = (
        "CNF-07",
        _PROMISE,
        "an assessment replaces an assessment and nothing else [docs/conformity.md]",
    )

    # -- synthetic (SYN)
    SYNTH_OUT_TAKEN = ("SYN-01", _PROMISE, "a synthetic France is written in its own place [docs/synthetic-france.md]")
    SYNTH_PARAMETERS = ("SYN-02", _PROMISE, "a synthetic France has persons and years [docs/synthetic-france.md]")

    def __init__(self, id_: str, branch: Branch, rule: str) -> None:
        self.id = id_
        self.branch = branch
        self.rule = rule
