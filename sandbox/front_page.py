"""The sandbox's own page, at the API's ``/``: ways to sign in, failures to switch on, and the stored items, secrets and events.

On AWS, ``/`` is 404.
"""

import json
import secrets
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from boto3.dynamodb.types import TypeDeserializer

from sandbox.aws.bus import PublishedEvent
from sandbox.controls import Controls, Switch
from sandbox.gateway.event import GatewayRequest, Reply

STYLE = """
:root{color-scheme:light dark}
body{margin:0;font:1rem/1.5 system-ui,sans-serif}
main{max-width:64rem;margin:auto;padding:1.5rem}
nav a{display:inline-block;margin:0 .5rem .5rem 0;padding:.6rem 1.1rem;border-radius:.6rem;background:#0b57d0;color:#fff;
  font-weight:600;text-decoration:none}
nav a:focus-visible,button:focus-visible{outline:3px solid;outline-offset:2px}
h2,caption{text-align:left;font-size:1.2rem;font-weight:600;margin:0;padding:1.5rem 0 .4rem}
ul{margin:0;padding:0;list-style:none}
li{display:flex;flex-wrap:wrap;align-items:center;gap:.3rem .8rem;padding:.3rem 0;border-top:1px solid #8886}
form{display:inline}
button{padding:.25rem .8rem;border:1px solid #888;border-radius:.5rem;background:none;color:inherit;font:inherit;font-size:.9rem;
  white-space:nowrap;cursor:pointer}
.said,.on{border-left:.4rem solid #0b57d0;padding:.4rem .8rem;background:#0b57d01a}
.on{border-color:#c5221f;background:#c5221f1a}
div,pre{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-top:1px solid #8886;font-size:.9rem}
td.long{min-width:20rem;overflow-wrap:anywhere}
"""
WAYS = (
    ("Sign in with X", "/oauth/x/start?endpoint=authenticate"),
    ("Connect X (always asks)", "/oauth/x/start"),
    ("As somebody else", "/oauth/x/start?force_login=true"),
    ("With a PIN", "/oauth/x/start?pin=true"),
)
HEADERS = [
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"),
]
OUR_HOSTS = (
    "127.0.0.1",
    "localhost",
)  # by another name it may be a page of somebody else's that has been rebound to this machine
SECRET = ("consumer_secret", "oauth_token", "oauth_token_secret")
LONG = ("content", "detail")  # columns that may be broken anywhere
LATEST = 20  # rows of a table


@dataclass(frozen=True)
class Shown:
    """What the page shows beside its controls.

    ``client`` makes boto3 clients of the sandbox's AWS. ``ways`` are links, each of a name and an address, that come before those to X.
    ``environment`` is what other processes reach the sandbox with.
    """

    client: Callable[[str], Any]
    table: str
    prefix: str
    events: Callable[[], Iterable[PublishedEvent]]
    ways: tuple[tuple[str, str], ...]
    environment: Mapping[str, str]


class FrontPage:
    """Answers the browser at ``/``: GET shows the page, POST does what one of its buttons says."""

    def __init__(self, shown: Shown, controls: Controls) -> None:
        self._shown = shown
        self._controls = controls
        self._form_token = secrets.token_urlsafe(32)  # another site's form doesn't have it
        self._said = ""  # what the last button did, until it was shown

    def reply(self, request: GatewayRequest) -> Reply:
        """Return the response to a request for ``/``."""
        if urlsplit(f"//{request.header('host')}").hostname not in (*OUR_HOSTS, request.domain.lower() or None):
            return _refused("This page is the sandbox's, by its own address only.")
        if request.method != "POST":
            said, self._said = self._said, ""
            return 200, HEADERS, self._render(said).encode()
        form = dict(parse_qsl(request.body.decode(errors="replace")))
        if not secrets.compare_digest(form.get("form_token", "").encode(), self._form_token.encode()):
            return _refused("This button is of a page that is too old: go back and load it again.")
        self._said = self._controls.act(form)
        return 303, [("location", "/"), ("cache-control", "no-store")], b""

    def _render(self, said: str) -> str:
        shown, controls = self._shown, self._controls
        pages = shown.client("dynamodb").get_paginator("scan").paginate(TableName=shown.table, ConsistentRead=True)
        items = [_item(one) for page in pages for one in page["Items"]]
        begun = sorted((item for item in items if "state" in item), key=lambda item: item["created_at"], reverse=True)
        connections = sorted(
            (item for item in items if "state" not in item), key=lambda item: item.get("granted_at") or 0, reverse=True
        )
        links = "".join(f'<a href="{escape(address)}">{escape(name)}</a>' for name, address in (*shown.ways, *WAYS))
        on = "; ".join(switch.title for switch in controls.switches if switch.is_on())
        told = [{"type": one.detail_type, "detail": _json(one.detail)} for one in shown.events()]
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>Tripod sandbox</title><style>{STYLE}</style></head><body><main><h1>Tripod sandbox</h1>"
            + (f'<p class="said" role="status">{escape(said)}</p>' if said else "")
            + (f'<p class="on" role="status">Switched on: {escape(on)}.</p>' if on else "")
            + f'<nav aria-label="Ways in">{links}</nav>'
            + _list("Who can sign in", [self._account(*account) for account in controls.accounts()])
            + _list("Failures", [self._switch(switch) for switch in controls.switches])
            + _table("Authorizations", ("provider", "state", "screen_name", "error", "outbox"), begun)
            + _table(
                "Connections",
                ("provider", "user_id", "screen_name", "subject", "revoked_at"),
                connections,
                button=self._disconnect_button,
            )
            + _table("Secrets", ("name", "content"), _secrets(shown.client("secretsmanager"), shown.prefix))
            + _table("Events", ("type", "detail"), told)
            + f"<h2>In the terminal of a script or an app of yours</h2><pre tabindex=0>{escape(exports(shown.environment))}</pre>"
            + "</main></body></html>"
        )

    def _account(self, user: Any, apps: list[str]) -> str:
        buttons = (self._button(f"Revoke {app} at the provider", do="revoke", provider=app, user_id=user.user_id) for app in apps)
        return f"{escape(user.screen_name)}, password {escape(user.password)}{''.join(buttons)}"

    def _switch(self, switch: Switch) -> str:
        to = "off" if switch.is_on() else "on"
        button = self._button(f"Switch {to}", switch.title, do="switch", switch=switch.name, to=to)
        return f"<span><b>{escape(switch.title)}</b>: {escape(switch.effect)}</span>{button}"

    def _disconnect_button(self, connection: dict[str, Any]) -> str:
        if connection.get("revoked_at"):
            return ""
        user_id = str(connection.get("user_id", ""))
        return self._button("Disconnect", f"user {user_id}", do="disconnect", provider=connection["provider"], user_id=user_id)

    def _button(self, label: str, what: str = "", **fields: str) -> str:
        """Return a button that posts ``fields``; ``what`` says to a screen reader what it is about."""
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(value)}">'
            for name, value in {"form_token": self._form_token, **fields}.items()
        )
        about = f' aria-label="{escape(f"{label}: {what}")}"' if what else ""
        return f'<form method="post" action="/">{hidden}<button{about}>{escape(label)}</button></form>'


def exports(environment: Mapping[str, str]) -> str:
    """Return the lines of a shell that set ``environment``, and take out what would lead elsewhere."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    return "\n".join(["unset AWS_PROFILE AWS_SESSION_TOKEN", *lines])


def _refused(why: str) -> Reply:
    return 403, [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")], why.encode()


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
    return _json({key: _masked(key, content[key]) for key in content})


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False)


def _masked(name: str, value: Any) -> Any:
    return f"{value[:4]}…" if isinstance(value, str) and name in SECRET else value


def _list(title: str, lines: list[str]) -> str:
    return f"<h2>{escape(title)}</h2><ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>" if lines else ""


def _table(
    title: str,
    columns: tuple[str, ...],
    rows: list[dict[str, Any]],
    *,
    button: Callable[[dict[str, Any]], str] | None = None,
) -> str:
    """Return a table of the first rows; ``button`` returns what is in a last column."""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns) + ("<td></td>" if button else "")
    body = "".join(
        "<tr>" + "".join(_cell(column, row) for column in columns) + (f"<td>{button(row)}</td>" if button else "") + "</tr>"
        for row in rows[:LATEST]
    )
    nothing = f'<tr><td colspan="{len(columns)}">nothing yet</td></tr>'
    return (
        f'<div tabindex="0" role="region" aria-label="{escape(title)}"><table><caption>{escape(title)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body or nothing}</tbody></table></div>"
    )


def _cell(column: str, row: Mapping[str, Any]) -> str:
    kind = ' class="long"' if column in LONG else ""
    return f"<td{kind}>{escape(str(row.get(column) or ''))}</td>"
