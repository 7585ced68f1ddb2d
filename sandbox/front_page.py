"""The sandbox's own page, at the API's ``/``: links to sign in, and the stored items, secrets and events. (On AWS, ``/`` is 404.)"""

import json
from collections.abc import Callable, Iterable
from html import escape
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from sandbox.aws.bus import PublishedEvent

STYLE = """
:root{color-scheme:light dark}
body{margin:0;font:1rem/1.5 system-ui,sans-serif}
main{max-width:64rem;margin:auto;padding:1.5rem;overflow-wrap:anywhere}
nav a{display:inline-block;margin:0 .5rem .5rem 0;padding:.6rem 1.1rem;border-radius:.6rem;background:#0b57d0;color:#fff;
  font-weight:600;text-decoration:none}
nav a:focus-visible{outline:3px solid}
div{overflow-x:auto}
table{border-collapse:collapse;width:100%}
caption{text-align:left;font-size:1.2rem;font-weight:600;padding:1.5rem 0 .4rem}
th,td{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-top:1px solid #8886;font-size:.9rem}
"""
WAYS = (
    ("Sign in with X", "/oauth/x/start?endpoint=authenticate"),
    ("Connect X (always asks)", "/oauth/x/start"),
    ("As somebody else", "/oauth/x/start?force_login=true"),
    ("With a PIN", "/oauth/x/start?pin=true"),
)
SECRET = ("consumer_secret", "oauth_token", "oauth_token_secret")
LATEST = 20  # rows of a table


def render(
    client: Callable[[str], Any],
    table: str,
    prefix: str,
    events: Iterable[PublishedEvent],
    users: Iterable[str],
    *,
    ways: Iterable[tuple[str, str]] = (),
) -> str:
    """Return the page: ``client`` makes boto3 clients of the sandbox's AWS, ``users`` are listed as accounts that can sign in.

    ``ways`` are links, each of a name and an address, that come before those to X.
    """
    pages = client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    items = [_item(one) for page in pages for one in page["Items"]]
    begun = sorted((item for item in items if "state" in item), key=lambda item: item["created_at"], reverse=True)
    connections = sorted(
        (item for item in items if "state" not in item), key=lambda item: item.get("granted_at") or 0, reverse=True
    )
    links = "".join(f'<a href="{escape(address)}">{escape(name)}</a>' for name, address in (*ways, *WAYS))
    who = "".join(f"<li>{escape(user)}</li>" for user in users)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Tripod sandbox</title><style>{STYLE}</style></head><body><main><h1>Tripod sandbox</h1>"
        f'<nav aria-label="Ways in">{links}</nav><p>The provider knows:</p><ul>{who}</ul>'
        + _table("Authorizations", ("provider", "state", "screen_name", "error", "outbox"), begun)
        + _table("Connections", ("provider", "user_id", "screen_name", "subject", "revoked_at"), connections)
        + _table("Secrets", ("name", "content"), _secrets(client("secretsmanager"), prefix))
        + _table("Events", ("type", "detail"), [{"type": one.detail_type, "detail": json.dumps(one.detail)} for one in events])
        + "</main></body></html>"
    )


def _item(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item's plain values. Only named columns are shown, none of which is secret."""
    return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}


def _secrets(client: Any, prefix: str) -> list[dict[str, Any]]:
    """Return the secrets below ``prefix``, their values masked."""
    listed = client.list_secrets(Filters=[{"Key": "name", "Values": [f"{prefix}/"]}])["SecretList"]
    rows = []
    for secret in listed:
        text = client.get_secret_value(SecretId=secret["Name"])["SecretString"]
        rows.append({"name": secret["Name"], "content": _shown(text)})
    return rows


def _shown(text: str) -> str:
    """Return a secret's content, masked; of one that is no JSON object, which somebody is trying out, nothing but that."""
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        return "no JSON object"
    return json.dumps({key: _masked(key, content[key]) for key in content})


def _masked(name: str, value: Any) -> Any:
    return f"{value[:4]}…" if isinstance(value, str) and name in SECRET else value


def _table(title: str, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(row.get(column) or ''))}</td>" for column in columns) + "</tr>"
        for row in rows[:LATEST]
    )
    nothing = f'<tr><td colspan="{len(columns)}">nothing yet</td></tr>'
    return (
        f'<div tabindex="0" role="region" aria-label="{escape(title)}"><table><caption>{escape(title)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body or nothing}</tbody></table></div>"
    )
