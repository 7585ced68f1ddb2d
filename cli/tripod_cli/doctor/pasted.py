"""What goes wrong when a consumer secret is written or pasted, which its content still shows. No value is ever quoted."""

import json
import re
from collections.abc import Iterator

from tripod.credentials import BLANKS, Consumer
from tripod_cli import given

BOM = "\ufeff"
_CURLY = "“”„‟«»‘’"


def why_not_json(text: str) -> str:
    """Return what a text that is not JSON looks like instead; empty where nothing is known."""
    bare = text.strip(BLANKS)
    if not bare:
        return "it is empty"
    if any(quote in bare for quote in _CURLY):
        return "its quotes are typographic (“ ”), as a word processor makes them: JSON's are straight"
    if re.match(r"\{\s*'", bare):
        return "its quotes are single: JSON's are double"
    if not bare.startswith("{"):
        return "it does not begin with {: the whole JSON object belongs into the secret, not a key alone"
    if re.search(r",\s*\}", bare):
        return "it has a comma before a closing brace"
    return "a quote, comma or brace is missing, or one too many"


def oddities(text: str, consumer: Consumer) -> Iterator[tuple[str, str]]:
    """Yield what is odd about a consumer secret that can be read, and what to do about it."""
    again = "Write the secret anew, without it"
    if text.startswith(BOM):
        yield "its text begins with a byte order mark, which is ignored", again
    content = json.loads(text.strip(BLANKS), strict=False)
    texts = {name: content[name] for name in given.CREDENTIALS if isinstance(content.get(name), str)}
    for name, value in texts.items():
        if name in consumer.trimmed:
            yield (
                f'"{name}" has {_kinds(value)} around it, which {"is" if _kinds(value).startswith("a ") else "are"} ignored',
                again,
            )
        if name in given.blanks_within({name: value.strip(BLANKS)}):
            yield (
                f'"{name}" has a blank or an invisible character within',
                "Copy it again: it was cut into two lines, or brought one along",
            )
        if re.fullmatch(r"(['\"“”]).*['\"“”]", value.strip(BLANKS), re.DOTALL):
            yield f'"{name}" has quotes around it, which count as part of it', "Write it without them"
    key = consumer.consumer_key
    if kind := given.mistaken(key):
        yield f'"consumer_key" is {kind}', "Take the app's API key and API key secret: docs/x.md#what-do-i-register"
    if key and key == consumer.consumer_secret:
        yield '"consumer_key" and "consumer_secret" are the same', "One was pasted twice: copy the other"


def _kinds(value: str) -> str:
    """Return what is around a value."""
    around = value[: len(value) - len(value.lstrip(BLANKS))] + value[len(value.rstrip(BLANKS)) :]
    if BOM in around:
        return "a byte order mark"
    if not around.strip("\r\n"):
        return "a line end"
    return "blanks" if not around.strip() else "invisible characters"
