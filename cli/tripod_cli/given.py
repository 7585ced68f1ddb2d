"""The fields of a consumer secret as an operator gives them: parsed, cleaned of what came along, and understood as the functions do."""

import base64
import codecs
import json
import os
import re
from collections.abc import Mapping
from typing import Any

from tripod.catalogue import CATALOGUE, Entry
from tripod.credentials import BLANKS, Consumer
from tripod_flow.rules import provider
from tripod_flow.rules.errors import NotConfigured
from tripod_flow.rules.provider import ProviderDefinition

CREDENTIALS = ("consumer_key", "consumer_secret")
PLACEHOLDERS = ("…", "...")  # the documents' own

Fields = dict[str, Any]

_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "`": "`"}
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # what PowerShell's > writes


def parse(content: bytes | str) -> Fields:
    """Return the fields that a JSON object holds; raises ValueError that says what is wrong, without quoting it."""
    try:
        text = content if isinstance(content, str) else content.decode("utf-16" if content.startswith(_UTF_16) else "utf-8")
        fields = json.loads(text.strip(BLANKS), strict=False)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    if not isinstance(fields, dict):
        raise ValueError("it is not a JSON object")
    return fields


def cleaned(fields: Mapping[str, Any]) -> tuple[Fields, tuple[str, ...]]:
    """Return the fields that have a value, without blanks and quotes around credentials, and the names of those that had any."""
    bare = {name: _bare(value) if name in CREDENTIALS else value for name, value in fields.items() if value is not None}
    return bare, tuple(name for name in CREDENTIALS if name in bare and bare[name] != fields[name])


def understood(content: str, called: str) -> tuple[Consumer, ProviderDefinition]:
    """Return what the functions make of the content of the secret called ``called``; raises ValueError that says what is wrong."""
    read = Consumer.from_json(content, called)
    try:
        return read, provider.of(called, read, loopback=os.environ.get("TRIPOD_LOOPBACK_HTTP") == "true")  # the sandbox's
    except NotConfigured as error:
        raise ValueError(str(error)) from None


def described(former: object, called: str, like: str | None, site: str | None) -> object:
    """Return the ``"provider"`` of a secret called ``called`` that ``--like`` and ``--site`` mean; ``former`` is what it was."""
    if like is None and isinstance(former, dict) and "like" in former:
        return {**former, "site": site}
    name = like or (former if isinstance(former, str) else called)
    return name if site is None else {"like": name, "site": site}


def entry(definition: object, called: str) -> Entry | None:
    """Return what the catalogue knows of the provider that ``"provider"`` in the secret called ``called`` means; None: nothing."""
    name = definition.get("like") if isinstance(definition, dict) and definition else definition or called
    return CATALOGUE.get(name.strip().lower()) if isinstance(name, str) else None


def flaw(fields: Mapping[str, Any], definition: ProviderDefinition) -> str | None:
    """Return why these can't be an app's credentials, with what to do; None where nothing says so. It quotes neither."""
    key, secret = (str(fields.get(name) or "") for name in CREDENTIALS)
    if key in PLACEHOLDERS or secret in PLACEHOLDERS:
        return "the consumer key or secret is the dots that stand in the documents: give your app's own"
    if key == secret:
        return "the consumer key and the consumer secret are the same: one of them was pasted twice"
    kind = mistaken(key) if definition.request_token_url == provider.X.request_token_url else ""
    return (
        f"the consumer key is {kind}. X's console has the right one under Consumer Keys: API Key and API Key Secret"
        if kind
        else None
    )


def mistaken(key: str) -> str:
    """Return what else of X's console a consumer key is; empty where it may be one. As seen in public code, the first of them is base64."""
    if _is_client_id(key):
        return "an OAuth 2.0 client id"
    if re.fullmatch(r"\d{5,}-[A-Za-z0-9]{20,}", key):
        return "an access token of X's"
    return "a bearer token of X's" if key.startswith("A" * 20) else ""


def _is_client_id(key: str) -> bool:
    """Return True for base64 of an id, a number and two letters, with colons between."""
    try:
        said = base64.b64decode(key + "=" * (-len(key) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return False
    return re.fullmatch(rb"[A-Za-z0-9_-]+:[0-9]+:[a-z]{2}", said) is not None


def blanks_within(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the credentials that a blank or an invisible character is in the middle of, as one that was cut into two lines."""
    return tuple(name for name in CREDENTIALS if any(blank in str(fields.get(name) or "") for blank in BLANKS))


def _bare(value: object) -> object:
    if not isinstance(value, str):
        return value
    bare = value.strip(BLANKS)
    while len(bare) > 1 and _QUOTES.get(bare[0]) == bare[-1]:
        bare = bare[1:-1].strip(BLANKS)
    return bare
