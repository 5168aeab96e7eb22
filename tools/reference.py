"""The pages that say what can be typed and written: commands, settings, study files; printed from the code itself."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_COMMANDS = """\
# Commands

Generated from the command line: what `--help` says of each command. Examples follow the README: the enclosure lies
in `home`, the synthetic France in `france`; `RUN` and `REQUEST` stand for what earlier commands printed. Every
command has `--help`; where `--json` is listed it prints one JSON document. Exit codes: 0 done, 1 bug, 2 usage, 3 not
allowed, 4 not as promised, 5 not safe ([refusals.md](refusals.md)). Secrets come from the environment
(`ENCLOS_PASSPHRASE`, `ENCLOS_PIN`), from files in the folder `ENCLOS_SECRETS`, or from prompts.
"""
_SETTINGS = """\
# Settings

Generated from `app/settings.py`. `enclos init` writes `enclos.toml` with all of them; a key that is not there has the
value of the last column, a key that is not known is refused (`ENC-08`). Secrets never stand in it.
"""
_STUDY_OPTIONS = """\
# Options of a study file

Generated from the schema ([study.schema.json](study.schema.json), for editors and programs). What the analyses compute
is in [studies.md](studies.md), [comparative.md](comparative.md) and [self_controlled.md](self_controlled.md).

A study file holds `study` (its name), `cohorts` (each by its name) and `analyses` (a list; each entry names one).
"""
_HEAD = "|---|---|---|"
_SHARED = {"--help": "", "--json": ""}
"""Options that every command has; said once at the top of the page."""


def cell(text: str) -> str:
    """A text as a cell of a table."""
    return " ".join(text.replace("|", "\\|").split())


def commands() -> tuple[Path, str]:
    """docs/commands.md: every command with its example and its options, in the order of the help."""
    import typer

    from enclos.cli import commands as _every_command  # noqa: F401 - importing them registers them
    from enclos.cli.application import application

    lines = [_COMMANDS]
    for name, command in _commands_of(typer.main.get_command(application)):
        lines += _command(name, command)
    return ROOT / "docs" / "commands.md", "\n".join(lines)


def _commands_of(command: Any, *names: str) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield " ".join(names), command
    else:
        for name, each in below.items():
            yield from _commands_of(each, *names, name)


def _command(name: str, command: Any) -> Iterator[str]:
    from enclos.cli.examples import example_of

    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option" and each.opts[0] not in _SHARED]
    usage = [_placed(each) for each in arguments]
    promise = (command.help or "").split("Example:")[0].replace("\b", "").strip()
    yield f"## `enclos {' '.join([name, *usage])}`"
    yield "\n\n".join(" ".join(part.split()) for part in promise.split("\n\n"))
    yield from ("", "```sh", example_of(command), "```")
    told = [each for each in arguments if each.help] if any(each.help != DIR_HELP for each in arguments) else []
    told = [each for each in told if each.help != DIR_HELP]
    json_too = any(each.opts[0] == "--json" for each in command.params)
    if told or options or json_too:
        yield from ("", "| argument or option | what | otherwise |", "|---|---|---|")
        for each in (*told, *options):
            yield f"| {_spelled(each)} | {cell(each.help or '')} | {_otherwise(each)} |"
        if json_too:
            yield "| `--json` | One JSON document on standard output. | |"
    yield ""


DIR_HELP = "The enclosure's folder."


def _placed(argument: Any) -> str:
    name = (argument.metavar or argument.human_readable_name or argument.name).strip("[]{}")
    return name if argument.required else f"[{name}]"


def _spelled(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{_placed(parameter).strip('[]')}`".replace("|", "\\|")
    names = "`, `".join(parameter.opts)
    if parameter.is_flag:
        other = "/".join(parameter.secondary_opts)
        return f"`{names}`" + (f" / `{other}`" if other else "")
    value = parameter.metavar or parameter.name.upper()
    if isinstance(parameter.default, Enum) and not parameter.metavar:
        value = "|".join(str(each.value) for each in type(parameter.default))
    return f"`{names} {value}`".replace("|", "\\|")


def _otherwise(parameter: Any) -> str:
    if parameter.required:
        return "**required**"
    default = parameter.default
    if default is None or default in ("", (), []) or callable(default) or (parameter.is_flag and default is False):
        return ""
    if parameter.is_flag:
        return f"`{parameter.opts[0]}`"
    return f"`{getattr(default, 'value', default)}`"


def settings() -> tuple[Path, str]:
    """docs/settings.md: every section and key of enclos.toml."""
    from enclos.app.settings import Settings

    lines = [_SETTINGS]
    for section, field in Settings.model_fields.items():
        model: Any = field.annotation
        doc = " ".join((model.__doc__ or "").split())
        doc = doc.replace("In: ", "").replace("``", "`")
        lines += [f"## `[{section}]`", doc, "", "| key | value | otherwise |", _HEAD]
        lines += [
            f"| `{key}` | {cell(_kind(each.annotation) + _limits(each.metadata))} | {_default(each)} |"
            for key, each in model.model_fields.items()
        ]
        lines.append("")
    return ROOT / "docs" / "settings.md", "\n".join(lines)


def _kind(annotation: Any) -> str:
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return " or ".join(f"`{each}`" for each in inner)
    if origin is types.UnionType or origin is typing.Union:
        return " or ".join(_kind(each) for each in inner if each is not type(None))
    if origin is tuple:
        return f"a list of {_kind(inner[0])}"
    if origin is dict:
        own = ", ".join(f"`{name}`" for name in inner[1].model_fields)
        return f"a table of its own for each source: {own}"
    names = {str: "text", int: "whole number", bool: "`true` or `false`", float: "number"}
    return names.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _limits(metadata: list[Any]) -> str:
    words = {
        "ge": "at least",
        "le": "at most",
        "gt": "more than",
        "min_length": "length at least",
        "pattern": "matching",
    }
    found = [
        f"{word} `{value}`"
        for each in metadata
        for name, word in words.items()
        if (value := getattr(each, name, None)) is not None
    ]
    return ", " + ", ".join(found) if found else ""


def _default(field: Any) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True)
    if value is None or value == {}:
        return ""
    return cell(f"`{json.dumps(value, ensure_ascii=False)}`")


def study_options() -> tuple[Path, str]:
    """docs/study-options.md: what a study file may hold, from its schema."""
    from enclos.studies.document import study_schema_text

    schema = json.loads(study_schema_text())
    parts: Mapping[str, Any] = schema["$defs"]
    entries = parts["Entry"]["properties"]
    lines = [_STUDY_OPTIONS]
    named = {_reference(each): name for name, each in entries.items()}
    order = [*named, *(part for part in parts if part not in named and part != "Entry")]
    for part in order:
        body = parts[part]
        if "properties" not in body:
            continue
        title = f"`{named[part]}`" if part in named else f"{_short(part)}"
        lines += [
            f"## {title}",
            body.get("description", ""),
            "",
            "| option | value | otherwise | what |",
            f"{_HEAD}---|",
        ]
        for name, each in body["properties"].items():
            default = "**required**" if name in body.get("required", ()) else _schema_default(each)
            lines.append(f"| `{name}` | {cell(_schema_kind(each))} | {default} | {cell(each.get('description', ''))} |")
        lines.append("")
    return ROOT / "docs" / "study-options.md", "\n".join(lines)


def _reference(each: Mapping[str, Any]) -> str:
    inner = [each, *each.get("anyOf", ())]
    return next((str(part["$ref"]).split("/")[-1] for part in inner if "$ref" in part), "")


def _short(part: str) -> str:
    words = part.split("__")
    return words[-1] if len(words) == 1 else f"{words[-1]} of {words[2]}"


def _schema_default(each: Mapping[str, Any]) -> str:
    value = each.get("default")
    return "" if value is None else cell(f"`{json.dumps(value)}`")


def _schema_kind(each: Mapping[str, Any]) -> str:
    if "$ref" in each:
        return _short(str(each["$ref"]).split("/")[-1])
    if choices := each.get("anyOf", each.get("oneOf")):
        kinds = [_schema_kind(inner) for inner in choices if inner != {"type": "null"}]
        return " or ".join(dict.fromkeys(kind for kind in kinds if kind))
    if "enum" in each or "const" in each:
        return " or ".join(f"`{value}`" for value in each.get("enum", [each.get("const")]))
    if each.get("type") == "array":
        places = [_schema_kind(item) or "value" for item in each.get("prefixItems", ())]
        return f"[{', '.join(places)}]" if places else f"list of {_schema_kind(each.get('items', {})) or 'values'}"
    names = {"integer": "whole number", "number": "number", "boolean": "`true` or `false`", "string": "text"}
    low, high = each.get("minimum"), each.get("maximum")
    limits = f" {low} to {high}" if low is not None and high is not None else f" from {low}" if low is not None else ""
    return names.get(str(each.get("type")), "a table by name" if each.get("type") == "object" else "") + limits
