"""Which command of the command line is where over REST, and why the others are not there; a test holds it."""

from __future__ import annotations

from collections.abc import Mapping

_MAKES = "makes or begins an enclosure, before there is one to ask"
_HOST = "is done on the host, by who has its folder and its passphrase"
_HANDS = "keys change hands where they lie, with their passphrase or token"
_SENDER = "runs at a sender or a desk that knows identities, which never come here"
_AT_HOME = "needs files and public keys only: it is run by who does not trust this service"
_VAULT = "joins the vault's lines and the warehouse's rows of one person, which is done on the host alone"
_BELIEVED = "says whose signature this enclosure believes: it is said on the host"
_NOBODY_S = "needs no enclosure; the same files come with `catalogue`"
_PUBLIC = "is served to everybody without signing in"
_PAGE = "is a page: signing in needs a browser or the command line"
_ACCOUNTS = "local accounts are for trying out, and made on the host"
_FOR_EVER = "ends data for ever: it is done on the host, by hand"

_FILES = "GET /api/jobs/{job}/files/{name}"
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "whoami": ("GET /api/me",),
    "sign-ins": ("GET /api/me/sign-ins", "POST /api/me/sign-ins/{sign_in}/end"),
    "logout": ("POST /api/me/sign-out", "POST /api/me/sign-ins/end-others"),
    "application keep": ("POST /api/applications", "POST /api/applications/{application}/keep"),
    "application ask": ("POST /api/applications/{application}/ask",),
    "application withdraw": ("POST /api/applications/{application}/withdraw",),
    "application grant": ("POST /api/applications/{application}/grant",),
    "application refuse": ("POST /api/applications/{application}/refuse",),
    "application list": ("GET /api/applications",),
    "application show": ("GET /api/applications/{application}",),
    "permit draft": ("GET /api/permit-draft",),
    "permit sign": ("POST /api/permits",),
    "permit list": ("GET /api/permits",),
    "permit show": ("GET /api/permits/{permit}",),
    "permit amend": ("POST /api/permits/{permit}/amend",),
    "permit renew": ("POST /api/permits/{permit}/renew",),
    "permit revoke": ("POST /api/permits/{permit}/revoke",),
    "permit open": ("POST /api/permits/{permit}/open",),
    "permit review": ("GET /api/permit-review",),
    "study": (
        "POST /api/studies",
        "POST /api/studies/validate",
        "GET /api/permits/{permit}/runs",
        "GET /api/permits/{permit}/runs/{run}/page",
    ),
    "protocol": ("POST /api/studies/protocol",),
    "rerun": ("POST /api/permits/{permit}/runs/{run}/rerun",),
    "dictionary": ("GET /api/permits/{permit}/dictionary", "POST /api/permits/{permit}/dictionary"),
    "study-file check": ("POST /api/studies/validate",),
    "study-file keep": ("POST /api/permits/{permit}/study-files",),
    "study-file list": ("GET /api/permits/{permit}/study-files",),
    "study-file show": ("GET /api/permits/{permit}/study-files/{name}",),
    "study-file remove": ("POST /api/permits/{permit}/study-files/{name}/remove",),
    "cohort": ("POST /api/cohorts", "GET /api/permits/{permit}/cohorts"),
    "sql": ("POST /api/sql", "POST /api/sql/keep"),
    "table": ("POST /api/tables",),
    "release request": ("POST /api/releases",),
    "release check": ("POST /api/releases/check", "GET /api/releases/{request_id}/evidence"),
    "release ask": ("POST /api/releases/{request_id}/questions",),
    "release answer": ("POST /api/releases/{request_id}/questions/{number}/answer",),
    "release show": ("GET /api/releases/{request_id}", "GET /api/releases/{request_id}/numbers"),
    "release review": ("POST /api/releases/{request_id}/votes",),
    "release export": ("POST /api/releases/{request_id}/export",),
    "release list": ("GET /api/releases",),
    "release verify": ("POST /api/releases/verify",),
    "ingest": ("POST /api/deliveries/ingest",),
    "link": ("POST /api/persons/link",),
    "build": ("POST /api/snapshots",),
    "snapshots": ("GET /api/snapshots",),
    "quality": ("POST /api/quality", "GET /api/quality", _FILES),
    "profile": ("POST /api/profile", _FILES),
    "catalogue": ("POST /api/catalogue", "GET /api/catalogue-draft", _FILES),
    "keys list": ("GET /api/keys",),
    "hosting verify": ("POST /api/hosting/verify",),
    "conformity assess": ("POST /api/conformity/assess", _FILES),
    "ledger verify": ("GET /api/ledger/verify", "POST /api/ledger/verify"),
    "ledger show": ("GET /api/ledger/entries", "GET /api/ledger", "GET /api/ledger/entries/{index}/proof"),
    "ledger find": ("GET /api/ledger/acts",),
    "ledger entry": ("GET /api/ledger/entries/{index}",),
    "ledger review": ("GET /api/ledger/review", "POST /api/ledger/review", _FILES),
    "optout": ("POST /api/objections", "POST /api/objections/withdraw", "GET /api/objections"),
    "question answer": ("POST /api/questions/answer",),
    "reidentify request": ("POST /api/reidentifications",),
    "reidentify approve": ("POST /api/reidentifications/{request_id}/decisions",),
    "reidentify refuse": ("POST /api/reidentifications/{request_id}/decisions",),
    "reidentify carry-out": ("POST /api/reidentifications/{request_id}/carry-out",),
    "reidentify show": ("GET /api/reidentifications/{request_id}",),
    "reidentify list": ("GET /api/reidentifications",),
}
"""Where each command is, the first being the same act; and what of its answer is asked for apart."""

BESIDE: Mapping[str, str] = {
    "GET /api/jobs": "your long work, newest first",
    "GET /api/jobs/{job}": "how far it is; once it is done, its files and the run that came of it",
    "GET /api/jobs/{job}/result": "what the command answers",
    "POST /api/jobs/{job}/cancel": "end it",
    "POST /api/jobs/{job}/again": "start it anew",
    "GET /api/permits/{permit}/tables": "what a permit opens in SQL",
    "GET /api/permits/{permit}/runs/{run}": "what a run found, as far as it is shown",
    "GET /api/permits/{permit}/runs/{run}/files/{name}": "the files of `study --out`",
    "GET /api/permits-due": "as `destroy --due`",
    "GET /api/deliveries": "what landed, and what was not taken",
    "GET /api/persons/matches": "what linkage found last",
    "GET /api/snapshots/account": "what became of every delivered row",
}
"""What is there beside the commands."""

ELSEWHERE: Mapping[str, str] = {
    **dict.fromkeys(("demo", "synth", "init"), _MAKES),
    **dict.fromkeys(("serve", "gateway", "move", "backup", "restore"), _HOST),
    **dict.fromkeys(("conformity accept", "conformity dismiss", "question accept", "question dismiss"), _BELIEVED),
    **dict.fromkeys(("destroy", "keys destroy", "ledger forget"), _FOR_EVER),
    **dict.fromkeys(("keys rotate", "conformity owner", "conformity sign"), _HANDS),
    **dict.fromkeys(("delivery make", "keys source", "keys translate", "pseudonymise"), _SENDER),
    **dict.fromkeys(("circuit hospital", "circuit third-party", "circuit reconstruct", "circuit cnam"), _SENDER),
    **dict.fromkeys(("question desk", "question ask", "question open", "reidentify key", "reidentify open"), _SENDER),
    **dict.fromkeys(("ledger witness", "keys verify", "pool", "conformity compare", "conformity diff"), _AT_HOME),
    "explain": _VAULT,
    "register": _PUBLIC,
    "sample": _NOBODY_S,
    **dict.fromkeys(("login", "token", "password"), _PAGE),
    **dict.fromkeys(("account add", "account list", "account change", "account remove", "account sign-out"), _ACCOUNTS),
    "account forget": _ACCOUNTS,
}
"""Which commands are not there, and why."""

KEYLESS: Mapping[str, str] = {
    **dict.fromkeys(
        ("POST /api/studies/validate", "POST /api/studies/protocol", "POST /api/releases/verify"),
        "looks at what was sent and changes nothing",
    ),
    **dict.fromkeys(
        ("POST /api/sql", "POST /api/releases/check"), "answers a question and keeps nothing; each asking counts"
    ),
    "POST /api/me/sign-out": "ends what it is asked by: who asks twice is nobody (401)",
}
"""Which operations take no idempotency key, and why."""

_ASKER = "the person is who asks"
_FILE = "is a file on the caller's own disk: over REST it is sent, or answered"
_PAGE_FILE = "is kept with the work, in each language, for who began it"
_HOST_S_FILE = "is a document of the host's: `catalogue.yaml`"
_OTHER_PLACE = "is an operation of its own"

RENAMED: Mapping[str, str] = {
    "ingest deliveries": "deliveries",
    "study file": "study",
    "study-file check file": "study",
    "study-file keep file": "text",
    "protocol file": "study",
    "cohort --circe": "definitions",
    "cohort more": "definitions",
    "table rows": "rows",
    "sql --format": "form",
    "permit sign file": "document",
    "permit amend file": "document",
    "application keep file": "document",
    "application refuse --reason": "why",
    "release request --table": "tables",
    "release check what": "run",
    "release check --table": "tables",
    "release answer --question": "number",
    "release list --user": "queue",
    "release verify file": "application/zip",
    "optout file": "lines",
    "optout --receipt": "receipts",
    "ledger show --last": "limit",
    "ledger find --by": "actor",
    "conformity assess --framework": "frameworks",
}
"""What an argument or option of a command is called over REST, where it is not its own name."""

OPTIONS_ELSEWHERE: Mapping[str, str] = {
    **dict.fromkeys(("--user", "release export --to"), _ASKER),
    **dict.fromkeys(("--out", "out", "--truth", "--evidence", "optout --key"), _FILE),
    **dict.fromkeys(("ledger verify source", "ledger verify --witness", "ledger verify --copy"), _AT_HOME),
    **dict.fromkeys(("quality --page", "quality --lang", "profile --page", "profile --lang"), _PAGE_FILE),
    **dict.fromkeys(("ledger review --page", "ledger review --lang"), _PAGE_FILE),
    **dict.fromkeys(
        ("study --page", "logout --others", "sql --keep", "dictionary --count", "optout verb"), _OTHER_PLACE
    ),
    "catalogue --draft": _OTHER_PLACE,
    "catalogue --about": _HOST_S_FILE,
    "dictionary --table": "the whole dictionary is answered",
    "ledger entry --proof": "the proof is always answered",
    "sql --unconfined-for-trying-out": "takes walls away, which only who holds the host may",
}
"""Which options of all commands, or arguments and options of one, are not there, and why."""

_DOCUMENT = "is one document, looked at as a whole"
WHOLE: Mapping[str, str] = {
    **dict.fromkeys(("GET /api/me", "GET /api/permits/{permit}", "GET /api/ledger/entries/{index}/proof"), _DOCUMENT),
    **dict.fromkeys(("GET /api/ledger/review", "GET /api/quality", "GET /api/snapshots/account"), _DOCUMENT),
}
"""Which answers hold lists and do not come in pages, and why."""
