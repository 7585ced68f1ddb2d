from typing import Any

import pytest

from tripod.catalogue import CATALOGUE
from tripod.definitions import resolve
from tripod.x import X

FLICKR = CATALOGUE["flickr"].definition


@pytest.mark.parametrize(
    ("given", "called", "expected"),
    [
        (None, "x", X),
        ({}, "x", X),
        ("x", "x-staging", X),
        ({"like": "x"}, "x-staging", X),
        (None, "flickr", FLICKR),
        ("flickr", "x", FLICKR),
        (None, "no-such", {}),
        ({"request_token_url": "https://a.example/"}, "x", {"request_token_url": "https://a.example/"}),
        ({"like": "flickr", "method": "GET"}, "photos", {**FLICKR, "method": "GET"}),
        ({"like": "flickr", "revoked": None}, "p", {key: value for key, value in FLICKR.items() if key != "revoked"}),
        (" Flickr ", "p", FLICKR),
        ({"like": "flickr", "authorize_params": {"perms": "write"}}, "p", {**FLICKR, "authorize_params": {"perms": "write"}}),
    ],
)
def test_a_provider_is_a_name_a_description_or_both(given: object, called: str, expected: Any) -> None:
    assert resolve(given, called) == expected


def test_x_is_the_same_object_whatever_its_app_is_called() -> None:
    assert resolve("x", "x-ads") is resolve(None, "x") is X


def test_a_site_stands_where_the_definition_leaves_room_for_it() -> None:
    usos = resolve({"like": "usos", "site": "https://usosapi.example.edu/"}, "usos")
    assert usos["authorize_url"] == "https://usosapi.example.edu/services/oauth/authorize"
    assert resolve("wikimedia", "w")["identity_url"] == "https://meta.wikimedia.org/w/index.php?title=Special:OAuth/identify"
    test = resolve({"like": "wikimedia", "site": "https://test.wikipedia.org/w"}, "w")
    assert test["access_token_url"].startswith("https://test.wikipedia.org/w/index.php?")


@pytest.mark.parametrize(
    ("account", "host", "realm"),
    [
        ("1234567", "1234567", "1234567"),
        ("1234567_SB1", "1234567-sb1", "1234567_SB1"),
        ("tstdrv1-rp2", "tstdrv1-rp2", "TSTDRV1_RP2"),
    ],
)
def test_an_accounts_name_is_a_host_and_a_realm(account: str, host: str, realm: str) -> None:
    netsuite = resolve({"like": "netsuite", "site": account}, "n")
    assert netsuite["access_token_url"] == f"https://{host}.restlets.api.netsuite.com/rest/accesstoken"
    assert netsuite["api_hosts"] == [f"{host}.restlets.api.netsuite.com", f"{host}.suitetalk.api.netsuite.com"]
    assert netsuite["realm"] == realm


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("flikr", '"flikr" is no provider that Tripod knows'),
        ({"like": "flikr"}, '"flikr" is no provider that Tripod knows'),
        ("S3CRETvalue", "that name is no provider"),
        ({"like": 5}, '"provider.like" must be a name'),
        (5, "must be a name, or an object"),
        ([], "must be a name, or an object"),
        (False, "must be a name, or an object"),
        ("", "that name is no provider"),
        ({"like": "flickr", "site": "https://a.example"}, "has no meaning for flickr"),
        ({"like": "x", "site": "https://a.example"}, "has no meaning for x"),
        ("usos", "usos needs"),
        ({"like": "usos", "site": "usosapi.example.edu"}, "the address of its site"),
        ({"like": "usos", "site": "https://a.example/?b=c"}, "the address of its site"),
        ({"like": "usos", "site": "https://me@a.example/"}, "the address of its site"),
        ({"like": "usos", "site": "https://{token}.example/"}, "the address of its site"),
        ({"like": "usos", "site": 5}, "the address of its site"),
        ({"like": "usos", "site": "https://a.example/../b"}, "the address of its site"),
        ({"like": "usos", "site": "https://127.0.0.1%2F.example.org"}, "the address of its site"),
        ({"like": "usos", "site": 'https://a"b.example'}, "the address of its site"),
        ({"site": "https://a.example"}, 'needs "provider.like"'),
        ({"like": "netsuite", "site": "a.example/"}, "the account's name"),
        ({"like": "netsuite"}, "the account's name"),
    ],
)
def test_what_is_wrong_with_a_name_or_a_site_is_told(given: object, said: str) -> None:
    with pytest.raises(ValueError, match="provider") as error:
        resolve(given, "mine")
    assert said in str(error.value)
    assert "S3CRET" not in str(error.value)
