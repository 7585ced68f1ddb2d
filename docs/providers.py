"""``make providers``: the table of the providers that Tripod knows, from the catalogue, into docs/providers.md."""

from pathlib import Path

from tripod.catalogue import CATALOGUE, DATE, Entry

PAGE = Path(__file__).with_name("providers.md")
BEGIN, END = "<!-- made by docs/providers.py -->", "<!-- to here -->"
HEADS = (  # one column each
    "provider",
    "register",
    "permissions",
    "user id, and what is kept",
    "a no, a revoked token",
    "lifetime",
    "disconnecting",
    "limits",
    "sure",
)


def page(text: str) -> str:
    """Return the page's text with the table as it should be."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


def table() -> str:
    """Return the table, in Markdown."""
    rows = [HEADS, ("---",) * len(HEADS), *(_row(name, entry) for name, entry in sorted(CATALOGUE.items()))]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([f"As of {DATE}, from the sources named; none of them was called.", "", *lines])


def _row(name: str, entry: Entry) -> tuple[str, ...]:
    written = {
        "": f'`"{name}"`',
        "url": f'`{{"like": "{name}", "site": "https://…"}}`',
        "account": f'`{{"like": "{name}", "site": "…"}}`',
    }
    given = f'`"{name}"`' if entry.usual_site else written[entry.site]
    kept = [f"`{field}`" for field in entry.definition.get("keep", ())]
    return (
        f"**{entry.definition['name']}**<br>{given}",
        entry.register,
        entry.permissions,
        entry.whose + (f"; {', '.join(kept)}" if kept else ""),
        f"{entry.denial}. Revoked: {entry.revoked}{_what_is_raised(name, entry)}",
        entry.lifetime,
        entry.disconnecting,
        entry.limits or "–",
        f"{entry.sure}: {entry.sources}",
    )


def _what_is_raised(name: str, entry: Entry) -> str:
    """Return what a Lambda gets to see of it."""
    if name == "x":
        return "; `TokenRevoked` for the first, the second is yours to read"
    told = "revoked" in entry.definition or "token_rejected" in entry.revoked
    return "; `TokenRevoked`" if told else "; yours to read"


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(PAGE.read_text()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
