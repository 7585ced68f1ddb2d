"""The pages that a person sees: one template, one small stylesheet, no script, nothing from elsewhere."""

import base64
import hashlib
from html import escape

_STYLE = """
:root{color-scheme:light dark;--ink:#14171a;--soft:#4b5560;--ground:#fff;--accent:#0b57d0;--on-accent:#fff}
@media (prefers-color-scheme:dark){:root{--ink:#eceff1;--soft:#b4bec7;--ground:#15191d;--accent:#8ab4f8;--on-accent:#0b1c36}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--ground);color:var(--ink);font:1.0625rem/1.5 system-ui,sans-serif}
main{width:100%;max-width:30rem;padding:2rem 1.5rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .75rem}
p{margin:0 0 1.25rem;overflow-wrap:anywhere}
a{display:inline-block;padding:.7rem 1.2rem;border-radius:.5rem;background:var(--accent);color:var(--on-accent);font-weight:600;text-decoration:none}
a:focus-visible{outline:3px solid var(--ink);outline-offset:2px}
small{color:var(--soft)}
"""  # fmt: skip

STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


def render(
    title: str, detail: str, *, action: tuple[str, str] | None = None, reference: str = "", refresh: int | None = None
) -> str:
    """Return a page: ``action`` is the button's text and where it leads; ``refresh`` in seconds makes it look again by itself."""
    again = f'<meta http-equiv="refresh" content="{refresh}">' if refresh else ""
    button = f'<p><a href="{escape(action[1])}">{escape(action[0])}</a></p>' if action else ""
    note = f"<p><small>{escape(reference)}</small></p>" if reference else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">{again}'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1><p>{escape(detail)}</p>{button}{note}</main></body></html>"
    )
