"""Users' tokens as another program would have kept them, and files of them."""

import csv
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.support.sandbox_app import SandboxApp


def row(user_id: str, **more: Any) -> dict[str, Any]:
    """Return a row, which X's own names."""
    return {"oauth_token": f"{user_id}-t{user_id}", "oauth_token_secret": f"s{user_id}", "user_id": user_id, **more}


def beside(app: SandboxApp, **changes: Any) -> SandboxApp:
    """Return the same app at the same provider under another name, where nobody is connected."""
    name, client = f"p-{secrets.token_hex(6)}", app.sandbox.client("secretsmanager")
    content = json.loads(client.get_secret_value(SecretId=app.consumer_secret_name)["SecretString"])
    client.create_secret(Name=f"{app.sandbox.prefix}/consumer/{name}", SecretString=json.dumps({**content, **changes}))
    return replace(app, name=name)


def csv_file(path: Path, rows: Iterable[Mapping[str, Any]], delimiter: str = ",") -> str:
    rows = list(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def json_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)
