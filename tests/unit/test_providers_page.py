import json
import re
from dataclasses import fields

import pytest

from docs import providers
from tripod.credentials import Consumer
from tripod_flow.rules import provider
from tripod_flow.rules.provider import ProviderDefinition

TEXT = providers.PAGE.read_text()
ROWS = [
    [re.findall(r"`([^`]+)`", cell) for cell in (keys, example)]
    for keys, _, example, _ in re.findall(r"^\| (`[a-z_`, ]+`) \| (.*) \| (.*) \| (.*) \|$", TEXT, re.MULTILINE)
]


def test_the_table_says_what_the_catalogue_says() -> None:
    assert providers.page(TEXT) == TEXT, "run `make providers`"


def test_every_key_has_a_row() -> None:
    assert {key for keys, _ in ROWS for key in keys} == {one.name for one in fields(ProviderDefinition)}


@pytest.mark.parametrize(("keys", "examples"), ROWS)
def test_every_example_of_a_key_is_one(keys: list[str], examples: list[str]) -> None:
    urls = dict.fromkeys(("request_token_url", "authorize_url", "access_token_url"), "https://photos.example.org/oauth")
    told = {key: json.loads(example) for key, example in zip(keys, examples, strict=False)}
    assert told
    consumer = Consumer.from_json(json.dumps({"consumer_key": "k", "consumer_secret": "s", "provider": {**urls, **told}}))
    definition = provider.of("photos", consumer, loopback=False)
    assert {key: getattr(definition, key) for key in told} == told


@pytest.mark.parametrize("text", [text for text in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL) if '"provider"' in text])
def test_every_whole_example_is_one(text: str) -> None:
    definition = provider.of("photos", Consumer.from_json(text, "photos"), loopback=False)
    assert definition.name in {"Flickr", "Photo Club"}


def test_every_short_example_is_one() -> None:
    found = re.findall(r'`"provider": (\{.*?\}|"[a-z]+")`', TEXT)
    assert len(found) > 2
    for given in found:
        text = f'{{"consumer_key": "k", "consumer_secret": "s", "provider": {given}}}'
        assert provider.of("any", Consumer.from_json(text), loopback=False).name
