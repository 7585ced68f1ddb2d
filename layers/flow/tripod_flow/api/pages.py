"""The pages that a person sees: one template, one small stylesheet, no script, nothing from elsewhere."""

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from html import escape

_STYLE = """
:root{color-scheme:light dark;--ink:#14171a;--soft:#4b5560;--ground:#f4f6f8;--card:#fff;--line:#76808a;--error:#a3001b;--good:#0b6b33;--accent:COLOUR;--on:INK}
@media (prefers-color-scheme:dark){:root{--ink:#eceff1;--soft:#b4bec7;--ground:#0f1215;--card:#1b2025;--line:#8b97a3;--error:#ff9ca8;--good:#7fd69b}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--card);color:var(--ink);font:1.0625rem/1.5 system-ui,sans-serif}
main{width:100%;max-width:30rem;padding:2rem 1.5rem;background:var(--card);overflow-wrap:anywhere}
@media (min-width:32rem){body{background:var(--ground)}main{border-radius:1rem;padding:2.5rem}}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .75rem;text-wrap:balance}
svg{display:block;width:3rem;height:3rem;margin:0 0 1rem;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
h1:lang(ja){word-break:auto-phrase}
:lang(ko){word-break:keep-all}
p{margin:0 0 1.25rem;text-wrap:pretty}
main>p:last-child{margin:0}
.app{color:var(--soft);font-weight:600}
a,button{display:inline-block;padding:.7rem 1.2rem;border:2px solid var(--accent);border-radius:.6rem;background:var(--accent);color:var(--on);font:inherit;font-weight:600;text-decoration:none;cursor:pointer}
a.plain{padding:.4rem 0;border:0;background:none;color:inherit;font-weight:400;text-decoration:underline}
a:focus-visible,button:focus-visible,summary:focus-visible,input:focus-visible{outline:3px solid var(--ink);outline-offset:2px}
label{display:block;font-weight:600;margin:0 0 .35rem}
input{width:100%;padding:.6rem .8rem;border:1px solid var(--line);border-radius:.6rem;background:var(--card);color:var(--ink);font:inherit;font-size:1.3rem;letter-spacing:.15em}
[dir=rtl] input{text-align:right}
.good{color:var(--good)}
.soft{color:var(--soft)}
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


# A drawing above the heading, which says nothing that the words don't say: the class of its colour, and its path (24 by 24).
Mark = tuple[str, str]
CHECK = ("good", "M7 12.5l3.5 3.5L17 9")
DOTS = ("soft", "M7 12h.01M12 12h.01M17 12h.01")
CROSS = ("error", "M8 8l8 8M16 8l-8 8")

_ISOLATE, _END = "\u2068", "\u2069"  # Unicode's: first strong isolate, pop directional isolate


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


def isolated(value: str) -> str:
    """Return a value as it may stand in a sentence of either direction: ``render`` gives it an element of its own."""
    return f"{_ISOLATE}{value.translate(dict.fromkeys(map(ord, _ISOLATE + _END)))}{_END}"


def render(
    look: Look,
    title: str,
    detail: str,
    *,
    language: tuple[str, str] = ("en", "ltr"),
    mark: Mark | None = None,
    link: tuple[str, str] | None = None,
    new_tab: str = "",
    form: PinForm | None = None,
    again: tuple[str, str] | None = None,
    operator: tuple[str, str] | None = None,
    reference: str = "",
) -> str:
    """Return a page in a ``language`` of that name and direction.

    ``operator`` is folded: a heading, and what whoever runs the service can do, in English.
    ``link`` is the button's text and where it leads, in a tab of its own where ``new_tab`` says so; ``again`` is a smaller one below
    the form.
    """
    name = f'<p class="app"><bdi>{escape(look.app_name)}</bdi></p>' if look.app_name else ""
    suffix = f" – {escape(look.app_name)}" if look.app_name else ""
    note = f"<p><small>{_escaped(reference)}</small></p>" if reference else ""
    return (
        f'<!doctype html><html lang="{language[0]}" dir="{language[1]}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{_plain(title)}{suffix}</title><style>{_style(look.colour)}</style></head>"
        f"<body><main>{name}{_drawn(mark)}<h1>{_escaped(title)}</h1><p>{_escaped(detail)}</p>"
        f"{_button(link, new_tab)}{_form(form)}{_small_link(again)}{_folded(operator)}{note}</main></body></html>"
    )


def _escaped(words: str) -> str:
    """Return words as HTML, each value that is ``isolated`` in an element of its own."""
    return escape(words).replace(_ISOLATE, "<bdi>").replace(_END, "</bdi>")


def _plain(words: str) -> str:
    """Return words as HTML without any element, for the window's title."""
    return escape(words).replace(_ISOLATE, "").replace(_END, "")


def _drawn(mark: Mark | None) -> str:
    if mark is None:
        return ""
    circle = '<circle cx="12" cy="12" r="11"/>'
    return f'<div class="{mark[0]}"><svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">{circle}<path d="{mark[1]}"/></svg></div>'


def _button(link: tuple[str, str] | None, new_tab: str) -> str:
    if link is None:
        return ""
    target = ' target="_blank" rel="noopener noreferrer"' if new_tab else ""
    hint = f" <small>{escape(new_tab)}</small>" if new_tab else ""
    return f'<p><a href="{escape(link[1])}"{target}>{_escaped(link[0])}</a>{hint}</p>'


def _small_link(link: tuple[str, str] | None) -> str:
    return f'<p><a class="plain" href="{escape(link[1])}">{escape(link[0])}</a></p>' if link else ""


def _folded(operator: tuple[str, str] | None) -> str:
    if operator is None:
        return ""
    return f'<details><summary>{escape(operator[0])}</summary><p lang="en" dir="ltr">{escape(operator[1])}</p></details>'


def _form(form: PinForm | None) -> str:
    if form is None:
        return ""
    wrong = f'<p class="error" id="error" role="alert">{_escaped(form.error)}</p>' if form.error else ""
    described = ' aria-invalid="true" aria-describedby="error"' if form.error else ""
    return (
        f'{wrong}<form method="post" action="{escape(form.action)}">'
        f'<input type="hidden" name="request_token" value="{escape(form.request_token)}">'
        f'<p><label for="pin">{escape(form.label)}</label>'
        f'<input id="pin" name="pin" inputmode="numeric" autocomplete="one-time-code" dir="ltr" required{described}></p>'
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
