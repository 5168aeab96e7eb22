"""What runs inside the confinement: takes rows and one query from standard input, answers on standard output.

It stands alone: the confinement shows it this file, Python, DuckDB and PyArrow, and no other part of Enclos. It holds
no key and no file; its rows came through the permit's view and lie in its memory before the query begins, so that no
expression of a person ever meets a row that the permit does not show.
"""

from __future__ import annotations

import io
import json
import resource
import struct
import sys
from typing import Any, BinaryIO

_MIB = 1 << 20
_FRAME = struct.Struct(">I")


def main() -> None:
    """Answer one request."""
    incoming, outgoing = sys.stdin.buffer, sys.stdout.buffer
    request = json.loads(incoming.read(_FRAME.unpack(incoming.read(_FRAME.size))[0]))
    _limit(request["limits"])
    try:
        status, content = _answer(request, incoming)
    except MemoryError:
        status, content = {"code": "memory"}, b""
    except Exception as error:  # noqa: BLE001 - what failed leaves as a word of a closed list, never as a text
        status, content = {"code": _word(error)}, b""
    head = json.dumps(status).encode()
    outgoing.write(_FRAME.pack(len(head)) + head + content)
    outgoing.flush()


def _limit(limits: dict[str, int]) -> None:
    """Bounds that the operating system keeps."""
    for what, value in (
        (resource.RLIMIT_AS, limits["address_space_mb"] * _MIB),
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(what, (value, value))


def _answer(request: dict[str, Any], incoming: BinaryIO) -> tuple[dict[str, Any], bytes]:
    import duckdb
    import pyarrow as pa

    limits = request["limits"]
    connection = duckdb.connect(
        config={
            "allow_persistent_secrets": "false",
            "allow_community_extensions": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": f"{limits['memory_mb']}MiB",
            "python_enable_replacements": "false",
            "temp_directory": "",
            "threads": str(limits["threads"]),
        }
    )
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET TimeZone = 'UTC'")
    for scan in request["scans"]:
        connection.register("incoming", pa.ipc.open_stream(incoming))
        keep = f" WHERE {scan['keep']}" if scan["keep"] else ""
        # The order says nothing of where the rows lay in the warehouse.
        connection.execute(f'CREATE TABLE "{scan["name"]}" AS SELECT * FROM incoming{keep} ORDER BY ALL')
        connection.unregister("incoming")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    reader = connection.execute(request["sql"]).to_arrow_reader(8192)
    out = io.BytesIO()
    n_rows = 0
    with pa.ipc.new_stream(out, reader.schema) as writer:
        for batch in reader:
            n_rows += batch.num_rows
            if n_rows > limits["result_rows"] or out.tell() > limits["result_bytes"]:
                return {"code": "size"}, b""
            writer.write_batch(batch)
    if out.tell() > limits["result_bytes"]:
        return {"code": "size"}, b""
    return {"code": "done"}, out.getvalue()


def _word(error: Exception) -> str:
    """The word for a fault of the engine; its text stays here."""
    kind = type(error).__name__
    if kind in {"BinderException", "CatalogException", "ParserException", "SyntaxException", "NotImplementedException"}:
        return "binding"
    if kind in {"ConversionException", "OutOfRangeException", "InvalidInputException", "InvalidTypeException"}:
        return "value"
    if kind in {"OutOfMemoryException", "ArrowMemoryError", "MemoryError"}:
        return "memory"
    return "failed"


if __name__ == "__main__":
    main()
