import json
import sys
from subprocess import run

import pytest

from tripod.catalogue import CATALOGUE, Entry
from tripod.credentials import Consumer
from tripod_flow.rules import provider

SITES = {"url": "https://www.example.org", "account": "1234567_SB1", "": None}


def consumer(name: str, entry: Entry) -> Consumer:
    site = None if entry.usual_site else SITES[entry.site]
    given = name if site is None else {"like": name, "site": site}
    return Consumer.from_json(json.dumps({"consumer_key": "k", "consumer_secret": "s", "provider": given}))


@pytest.mark.parametrize(("name", "entry"), CATALOGUE.items())
def test_each_entry_is_a_definition_without_a_flaw(name: str, entry: Entry) -> None:
    definition = provider.of("mine", consumer(name, entry), loopback=False)
    assert definition.name == entry.definition["name"]
    assert not {"{site}", "{SITE}"} & {mark for mark in ("{site}", "{SITE}") if mark in repr(definition)}


@pytest.mark.parametrize(("name", "entry"), CATALOGUE.items())
def test_each_entry_says_who_the_user_is(name: str, entry: Entry) -> None:
    definition = provider.of("mine", consumer(name, entry), loopback=False)
    assert definition.identity_url or definition.user_id or "." not in definition.user_id_field, name


@pytest.mark.parametrize(("name", "entry"), CATALOGUE.items())
def test_each_entry_has_its_sources_and_says_what_the_table_shows(name: str, entry: Entry) -> None:
    told = (entry.register, entry.permissions, entry.whose, entry.denial, entry.revoked, entry.lifetime, entry.disconnecting)
    assert all((*told, entry.sources)), name
    assert not any("|" in text.replace("`|`", "") or text.endswith(".") for text in (*told, entry.limits, entry.sources)), name


@pytest.mark.parametrize("given", ["", '"provider": "x", '])
def test_x_does_not_load_the_catalogue(given: str) -> None:
    """It is a quarter of a millisecond of each cold start that others pay."""
    code = (
        "import sys; from tripod.credentials import Consumer; import tripod_flow.rules.provider as provider; "
        f'consumer = Consumer.from_json(\'{{{given}"consumer_key": "k", "consumer_secret": "s"}}\', \'x\'); '
        "assert provider.of('x', consumer, loopback=False) is provider.X; "
        "assert 'tripod.catalogue' not in sys.modules"
    )
    run([sys.executable, "-c", code], check=True)
