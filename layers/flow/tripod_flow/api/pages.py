"""The pages that a person sees: one template, one small stylesheet, no script, nothing from elsewhere."""

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from html import escape

_STYLE = """
:root{color-scheme:light dark;--ink:#14171a;--soft:#4b5560;--ground:#f4f6f8;--card:#fff;--line:#76808a;--error:#a3001b;--accent:COLOUR;--on:INK}
@media (prefers-color-scheme:dark){:root{--ink:#eceff1;--soft:#b4bec7;--ground:#0f1215;--card:#1b2025;--line:#8b97a3;--error:#ff9ca8}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--card);color:var(--ink);font:1.0625rem/1.5 system-ui,sans-serif}
main{width:100%;max-width:30rem;padding:2rem 1.5rem;background:var(--card);overflow-wrap:anywhere}
@media (min-width:32rem){body{background:var(--ground)}main{border-radius:1rem;padding:2.5rem}}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .75rem}
p{margin:0 0 1.25rem}
main>p:last-child{margin:0}
.app{color:var(--soft);font-weight:600}
a,button{display:inline-block;padding:.7rem 1.2rem;border:2px solid var(--accent);border-radius:.6rem;background:var(--accent);color:var(--on);font:inherit;font-weight:600;text-decoration:none;cursor:pointer}
a.plain{padding:.4rem 0;border:0;background:none;color:inherit;font-weight:400;text-decoration:underline}
a:focus-visible,button:focus-visible,summary:focus-visible,input:focus-visible{outline:3px solid var(--ink);outline-offset:2px}
label{display:block;font-weight:600;margin:0 0 .35rem}
input{width:100%;padding:.6rem .8rem;border:1px solid var(--line);border-radius:.6rem;background:var(--card);color:var(--ink);font:inherit;font-size:1.3rem;letter-spacing:.15em}
.error{color:var(--error);font-weight:600}
small,details{color:var(--soft)}
details{margin:0 0 1.25rem}
summary{cursor:pointer;padding:.4rem 0}
p>a+small{display:block;margin-top:.4rem}
"""


@dataclass(frozen=True, slots=True)
class Look:
    """How a stack's pages look: the app's name above the heading, and the colour (#rrggbb) of the buttons."""

    app_name: str = ""
    colour: str = "#0b57d0"


PLAIN = Look()


@dataclass(frozen=True, slots=True)
class PinForm:
    """A field for a PIN: the authorization that it is for, its words, and what was wrong with the last one."""

    action: str
    request_token: str
    label: str
    button: str
    error: str = ""


def style_hash(look: Look) -> str:
    """Return the stylesheet's hash, as a Content-Security-Policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(_style(look.colour).encode()).digest()).decode()


def render(
    look: Look,
    title: str,
    detail: str,
    *,
    link: tuple[str, str] | None = None,
    new_tab: str = "",
    form: PinForm | None = None,
    again: tuple[str, str] | None = None,
    operator: tuple[str, str] | None = None,
    reference: str = "",
) -> str:
    """Return a page.

    ``operator`` is folded: a heading, and what whoever runs the service can do.
    ``link`` is the button's text and where it leads, in a tab of its own where ``new_tab`` says so; ``again`` is a smaller one below
    the form.
    """
    name = f'<p class="app">{escape(look.app_name)}</p>' if look.app_name else ""
    suffix = f" – {escape(look.app_name)}" if look.app_name else ""
    note = f"<p><small>{escape(reference)}</small></p>" if reference else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}{suffix}</title><style>{_style(look.colour)}</style></head>"
        f"<body><main>{name}<h1>{escape(title)}</h1><p>{escape(detail)}</p>"
        f"{_button(link, new_tab)}{_form(form)}{_small_link(again)}{_folded(operator)}{note}</main></body></html>"
    )


def _button(link: tuple[str, str] | None, new_tab: str) -> str:
    if link is None:
        return ""
    target = ' target="_blank" rel="noopener noreferrer"' if new_tab else ""
    hint = f" <small>{escape(new_tab)}</small>" if new_tab else ""
    return f'<p><a href="{escape(link[1])}"{target}>{escape(link[0])}</a>{hint}</p>'


def _small_link(link: tuple[str, str] | None) -> str:
    return f'<p><a class="plain" href="{escape(link[1])}">{escape(link[0])}</a></p>' if link else ""


def _folded(operator: tuple[str, str] | None) -> str:
    return f"<details><summary>{escape(operator[0])}</summary><p>{escape(operator[1])}</p></details>" if operator else ""


def _form(form: PinForm | None) -> str:
    if form is None:
        return ""
    wrong = f'<p class="error" id="error" role="alert">{escape(form.error)}</p>' if form.error else ""
    described = ' aria-invalid="true" aria-describedby="error"' if form.error else ""
    return (
        f'{wrong}<form method="post" action="{escape(form.action)}">'
        f'<input type="hidden" name="request_token" value="{escape(form.request_token)}">'
        f'<p><label for="pin">{escape(form.label)}</label>'
        f'<input id="pin" name="pin" inputmode="numeric" autocomplete="one-time-code" required{described}></p>'
        f"<p><button>{escape(form.button)}</button></p></form>"
    )


@cache
def _style(colour: str) -> str:
    return _STYLE.replace("COLOUR", colour).replace("INK", _ink_on(colour))


def _ink_on(colour: str) -> str:
    """Return black or white, whichever reads better on ``colour`` (WCAG 2.2, relative luminance)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "#fff"
