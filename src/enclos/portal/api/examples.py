"""Examples of a client, made from the interface's own description: for curl and for Python."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

PERMIT = "FR-2026-0042"
STUDY = """\
study: quick
cohorts:
  gibleed: {concepts: [192671], descendants: true, domain: condition, limit: all, end: {days: 1}}
analyses:
  - incidence: {outcome: [gibleed], interval: [years], washout_days: 0}
"""
_ROOT = "http://127.0.0.1:8400"


@dataclass(frozen=True, slots=True)
class Step:
    """One request of the story.

    In: operation — its ``{name}`` are what earlier steps kept; given — those that are known beforehand; keep — the
        field of the answer that later steps need; until — the state that is waited for
    """

    operation: str
    body: Mapping[str, Any] | None = None
    key: str = ""
    query: str = ""
    keep: str = ""
    until: str = ""
    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """GET or POST."""
        return self.operation.partition(" ")[0]

    @property
    def path(self) -> str:
        """The address, with what is known of it."""
        path = self.operation.partition(" ")[2]
        for name, value in self.given.items():
            path = path.replace(f"{{{name}}}", value)
        return path + (f"?{self.query}" if self.query else "")


STORY = (
    Step("GET /api/me"),
    Step("GET /api/permits", query="limit=10"),
    Step("POST /api/studies/validate", {"permit": PERMIT, "study": STUDY}),
    Step("POST /api/studies", {"permit": PERMIT, "study": STUDY}, key="first-study", keep="job"),
    Step("GET /api/jobs/{job}", until="done"),
    Step("GET /api/jobs/{job}/result", keep="run"),
    Step("GET /api/permits/{permit}/runs/{run}", given={"permit": PERMIT}),
    Step("POST /api/sql", {"permit": PERMIT, "query": "SELECT count(*) AS n FROM person"}, query="form=csv"),
    Step("POST /api/releases/check", None, keep="verdict"),
)


def as_curl(described: Mapping[str, Any]) -> str:
    """The story as a shell script.

    In: described — the interface's OpenAPI document
    Refuses: KeyError, ValueError when the story asks for what the interface does not have.
    """
    lines = [
        f"root=${{ENCLOS_ROOT:-{_ROOT}}}  # and TOKEN=$(enclos token DIR)",
        'ask() { curl -sS --fail-with-body -H "Authorization: Bearer $TOKEN" "$@"; }',
        "field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' \"$1\"; }",
    ]
    for step, summary in _checked(described):
        address = f'"$root{step.path.replace("{", "${")}"'
        call = f"ask {address}"
        if step.method == "POST":
            body = _shell(step)
            once = f' -H "Idempotency-Key: {step.key}"' if step.key else ""
            call = f'ask{once} -H "Content-Type: application/json" -d {body} {address}'
        if step.until:
            call = f'until [ "$({call} | field state)" = {step.until} ]; do sleep 1; done'
        elif step.keep:
            call = f"{step.keep}=$({call} | field {step.keep})"
        lines += ["", f"# {summary}", call]
    return "\n".join([*lines, "", 'echo "$verdict"', ""])


def as_python(described: Mapping[str, Any]) -> str:
    """The story as a Python program.

    In, Refuses: as ``as_curl``
    """
    lines = [
        "import os",
        "import time",
        "",
        "import requests",
        "",
        f'root = os.environ.get("ENCLOS_ROOT", "{_ROOT}")',
        "client = requests.Session()",
        f'permit = "{PERMIT}"',
        f'study = """\\\n{STUDY}"""',
        'client.headers["Authorization"] = f"Bearer {os.environ[\'TOKEN\']}"  # enclos token DIR',
        "",
        "",
        'def ask(method, path, body=None, key=""):',
        '    headers = {"Idempotency-Key": key} if key else {}',
        "    answer = client.request(method, root + path, json=body, headers=headers, timeout=60)",
        "    if not answer.ok:  # a problem (RFC 9457): what, which rule, what next",
        "        raise SystemExit(answer.text)",
        "    return answer",
        "",
    ]
    for step, summary in _checked(described):
        path = f'f"{step.path}"' if "{" in step.path else f'"{step.path}"'
        body = f", {_python(step)}" if step.method == "POST" else ""
        once = f', key="{step.key}"' if step.key else ""
        call = f'ask("{step.method}", {path}{body}{once})'
        lines += ["", f"# {summary}"]
        if step.until:
            lines += [f'while {call}.json()["state"] != "{step.until}":', "    time.sleep(1)"]
        elif step.keep:
            lines.append(f'{step.keep} = {call}.json()["{step.keep}"]')
        else:
            lines.append(f"print({call}.text)")
    return "\n".join([*lines, "print(verdict)", ""])


def _checked(described: Mapping[str, Any]) -> Iterator[tuple[Step, str]]:
    """The steps with their summaries, after their bodies are found to be what the interface takes."""
    for step in STORY:
        operation = described["paths"][step.operation.partition(" ")[2]][step.method.lower()]
        if step.method == "POST":
            named = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            schema = described["components"]["schemas"][named]
            fields = {"permit", "run"} if step.body is None else set(step.body)
            if not set(schema.get("required", ())) <= fields <= set(schema["properties"]):
                raise ValueError(f"{step.operation} takes other fields")
        yield step, str(operation["summary"])


def _shell(step: Step) -> str:
    if step.body is None:
        return f'\'{{"permit": "{PERMIT}", "run": "\'"$run"\'"}}\''
    return "'" + json.dumps(step.body).replace("'", "'\\''") + "'"


def _python(step: Step) -> str:
    known = {PERMIT: "permit", STUDY: "study"}
    if step.body is None:
        return '{"permit": permit, "run": run}'
    parts = [f'"{name}": {known.get(str(value)) or json.dumps(value)}' for name, value in step.body.items()]
    return f"{{{', '.join(parts)}}}"
