"""What one provider does, and most others don't."""

import base64
import hmac
import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.provider import ProviderServer
from tests.support.app_client import CALLBACK, Token, fields_of, query_of
from tests.support.clock import Clock
from tests.support.known_providers import TRELLO
from tests.support.play_client import PlayClient, is_refused

DAY = 86400  # seconds


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderServer]:
    with ProviderServer() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock(time.time())


@pytest.fixture
def later(clock: Clock) -> Iterator[ProviderServer]:
    """Return a provider whose time the test moves."""
    with ProviderServer(clock=clock) as running:
        yield running


def move(app: PlayClient, clock: Clock, seconds: float) -> None:
    """Let time pass, at the provider and for the app."""
    clock.now += seconds
    app.signing["timestamp"] = str(int(clock.now))


@pytest.mark.parametrize("name", ["flickr", "smugmug"])
def test_leg_1_without_a_callback_says_what_is_absent(provider: ProviderServer, name: str) -> None:
    refused = PlayClient(provider, name).ask_request_token(callback_uri=None)
    assert is_refused(refused, (400, "oauth_problem=parameter_absent&oauth_parameters_absent=oauth_callback"))


def test_discogs_wants_a_user_agent(provider: ProviderServer) -> None:
    app = PlayClient(provider, "discogs")
    assert app.ask_request_token(headers={"User-Agent": ""}).status_code == 403
    silent = http.client.HTTPConnection(provider.url.removeprefix("http://"))
    silent.request("GET", app.address(app.known.read).removeprefix(provider.url))
    assert silent.getresponse().status == 403
    silent.close()


def test_trellos_tokens_last_30_days_unless_another_expiration_is_asked_for(later: ProviderServer, clock: Clock) -> None:
    short = PlayClient(later, "trello", authorize=f"{TRELLO}/OAuthAuthorizeToken")
    for_ever = PlayClient(later, "trello")
    tokens = [(app, app.connect()) for app in (short, for_ever)]
    for app, _ in tokens:
        move(app, clock, 31 * DAY / 2)
    assert [app.read(token).status_code for app, token in tokens] == [401, 200]


def test_trello_takes_key_and_token_instead_of_a_signature(provider: ProviderServer) -> None:
    app = PlayClient(provider, "trello")
    access = app.connect()
    shown = {"key": app.consumer.key, "token": access.key}
    token = app.address(f"https://api.trello.com/1/tokens/{access.key}")
    assert requests.get(token, params=shown, timeout=5).json()["idMember"] == app.user_id
    assert requests.get(token, params=shown | {"key": "other"}, timeout=5).status_code == 401
    assert requests.delete(token, params=shown, timeout=5).status_code == 200
    assert requests.get(token, params=shown, timeout=5).status_code == 401
    assert provider.calls(app.consumer.key, "invalidate_token")


def test_zoteros_identity_comes_without_a_key(provider: ProviderServer) -> None:
    app = PlayClient(provider, "zotero", authorize="https://www.zotero.org/oauth/authorize?identity=1")
    answer = fields_of(app.sign_in())
    assert (answer["userID"], answer["oauth_token_secret"]) == (app.user_id, "")
    assert app.read(Token(answer["oauth_token"], "")).status_code == 403


@pytest.mark.parametrize("name", ["mediawiki", "wikimedia"])
def test_a_wiki_says_who_signs_as_a_jwt(provider: ProviderServer, name: str) -> None:
    app = PlayClient(provider, name)
    access = app.connect()
    answer = app.call("GET", app.known.request_token.replace("initiate", "identify"), access, nonce="a1b2c3d4")
    signed, _, signature = answer.text.rpartition(".")
    mac = hmac.digest(app.consumer.secret.encode(), signed.encode(), "sha256")
    assert signature == base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
    head, claims = signed.split(".")
    assert decoded(head)["alg"] == "HS256"
    told = decoded(claims)
    assert (told["sub"], told["username"], told["nonce"]) == (app.user_id, app.user.screen_name, "a1b2c3d4")
    assert told["aud"] == app.consumer.key
    assert told["iat"] <= time.time() < told["exp"]


def decoded(part: str) -> dict[str, Any]:
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


def test_a_wiki_confirms_twice_and_answers_in_json_where_it_is_asked_to(provider: ProviderServer) -> None:
    app = PlayClient(provider, "mediawiki")
    assert fields_of(app.sign_in())["oauth_callback_confirmed"] == "true"
    json_app = PlayClient(provider, "mediawiki", request_token=f"{app.known.request_token}&format=json")
    assert json_app.ask_request_token().json()["oauth_callback_confirmed"] == "true"


@pytest.mark.parametrize(
    ("registered", "callback", "works"),
    [
        ("https://a.example/call", "https://a.example/callback?b=c", True),
        ("https://a.example/call?b=", "https://a.example/call?b=c", True),
        ("https://a.example/elsewhere", "https://a.example/callback", False),
        ("http://a.example/call", "https://a.example/callback", True),
        ("https://a.example/call", "http://a.example/callback", False),
        ("https://a.example", "https://a.example.other/callback", False),
        ("http://127.0.0.1:9", "http://127.0.0.1:99/callback", False),
        ("http://127.0.0.1:1/call", "http://127.0.0.1:99/callback", True),
    ],
)
def test_a_wikis_callback_begins_with_the_one_that_is_registered(
    provider: ProviderServer, registered: str, callback: str, works: bool
) -> None:
    app = PlayClient(provider, "mediawiki", provider.register(play="mediawiki", callback_urls=[registered]))
    assert ("oauth_token" in fields_of(app.ask_request_token(callback_uri=callback))) is works


@pytest.mark.parametrize("name", ["smugmug", "schoology"])
def test_json_comes_to_who_accepts_it(provider: ProviderServer, name: str) -> None:
    app = PlayClient(provider, name)
    access = app.connect()
    assert app.call("GET", app.known.read, access).text.startswith(("<!doctype html>", "<?xml"))


def test_evernotes_secret_is_empty_and_its_expiry_is_in_milliseconds(provider: ProviderServer) -> None:
    app = PlayClient(provider, "evernote")
    answer = fields_of(app.sign_in())
    assert answer["oauth_token_secret"] == ""
    assert answer["oauth_token"].startswith("S=s1:U=")
    assert 364 * DAY < int(answer["edam_expires"]) / 1000 - time.time() < 366 * DAY


def test_evernotes_legs_may_be_posted(provider: ProviderServer) -> None:
    assert PlayClient(provider, "evernote", method="POST", signature_type="AUTH_HEADER").connect()


@pytest.mark.parametrize("name", ["fatsecret", "schoology", "netsuite"])
def test_timestamps_may_not_go_back(provider: ProviderServer, name: str) -> None:
    app = PlayClient(provider, name)
    now = int(time.time())
    assert [app.ask_request_token(timestamp=str(now + step)).status_code for step in (0, 0, 5, 4, 6)] == [200, 200, 200, 401, 200]


def test_fatsecret_wants_a_version(provider: ProviderServer) -> None:
    app = PlayClient(provider, "fatsecret")
    told = {"oauth_consumer_key": app.consumer.key, "oauth_callback": CALLBACK, "oauth_signature": "x", "oauth_nonce": "n0nce"}
    bare = requests.post(app.address(app.known.request_token), data=told, timeout=5)
    assert (bare.status_code, bare.text) == (400, "Missing required oauth parameter")


def test_schoology_wants_no_other_realm_than_its_own(provider: ProviderServer) -> None:
    app = PlayClient(provider, "schoology")
    told = {realm: app.ask_request_token(realm=realm).status_code for realm in (None, "Schoology API", "Another API")}
    assert told == {None: 200, "Schoology API": 200, "Another API": 401}


@pytest.mark.parametrize(("name", "seconds"), [("smugmug", 300), ("plurk", 600), ("wordpress", DAY)])
def test_request_tokens_live_as_long_as_the_provider_says(later: ProviderServer, clock: Clock, name: str, seconds: int) -> None:
    app = PlayClient(later, name)
    for moment, works in ((seconds - 1, True), (seconds + 1, False)):
        token = app.request_token()
        verifier = query_of(app.consent(token))["oauth_verifier"]
        move(app, clock, moment)
        assert ("oauth_token_secret" in fields_of(app.exchange(token, verifier))) is works


def test_schoologys_tokens_live_90_days(later: ProviderServer, clock: Clock) -> None:
    app = PlayClient(later, "schoology")
    access = app.connect()
    move(app, clock, 89 * DAY)
    assert app.read(access).status_code == 200
    move(app, clock, DAY)
    assert app.read(access).status_code == 401
    assert later.valid_token(app.consumer.key, app.user) is None
    assert app.connect().key != access.key


def test_a_lifetime_can_be_made_to_pass(provider: ProviderServer) -> None:
    app = PlayClient(provider, "schoology")
    access = app.connect()
    provider.expire_access(app.consumer.key, app.user)
    assert app.read(access).status_code == 401
    for_ever = PlayClient(provider, "plurk")
    for_ever.connect()
    with pytest.raises(LookupError):
        provider.expire_access(for_ever.consumer.key, for_ever.user)


@pytest.mark.parametrize("method", ["HMAC-SHA1", "PLAINTEXT"])
def test_netsuite_takes_hmac_sha256_alone(provider: ProviderServer, method: str) -> None:
    assert PlayClient(provider, "netsuite").ask_request_token(signature_method=method).status_code == 403


def test_netsuites_nonces_have_6_characters_at_least(provider: ProviderServer) -> None:
    app = PlayClient(provider, "netsuite")
    assert [app.ask_request_token(nonce=nonce).status_code for nonce in ("12345", "1" * 20, "1" * 65)] == [403, 200, 403]


def test_netsuite_wants_its_account_as_realm_at_the_api(provider: ProviderServer) -> None:
    account = "TSTDRV12-sb1".lower()
    app = PlayClient(provider, "netsuite", read=f"https://{account}.restlets.api.netsuite.com/rest/tokeninfo")
    access = app.connect()
    told = {
        realm: app.call("GET", app.known.read, access, realm=realm).status_code for realm in (None, "1234567", "TSTDRV12_SB1")
    }
    assert told == {None: 401, "1234567": 401, "TSTDRV12_SB1": 200}


@pytest.mark.parametrize("name", ["trademe", "netsuite", "tumblr", "discogs"])
@pytest.mark.parametrize("place", ["QUERY", "BODY"])
def test_oauth_stands_in_the_header_alone(provider: ProviderServer, name: str, place: str) -> None:
    assert PlayClient(provider, name, signature_type=place).ask_request_token().status_code >= 400


@pytest.mark.parametrize("place", ["QUERY", "AUTH_HEADER"])
def test_launchpads_legs_take_the_body_alone(provider: ProviderServer, place: str) -> None:
    assert PlayClient(provider, "launchpad", signature_type=place).ask_request_token().status_code == 401


def test_launchpads_consumer_secret_is_empty_and_people_me_redirects(provider: ProviderServer) -> None:
    app = PlayClient(provider, "launchpad")
    assert app.consumer.secret == ""
    there = app.call("GET", "https://api.launchpad.net/1.0/people/+me", app.connect())
    assert (there.status_code, there.headers["Location"]) == (303, app.address(f"https://api.launchpad.net/1.0/~{app.user_id}"))


def test_usos_ends_a_token_after_two_hours_unless_it_is_for_offline_access(later: ProviderServer, clock: Clock) -> None:
    short = PlayClient(later, "usos", request_token="https://usosapi.botany.example/services/oauth/request_token?scopes=studies")
    lasting = PlayClient(later, "usos")
    tokens = [(app, app.connect()) for app in (short, lasting)]
    for app, _ in tokens:
        move(app, clock, 3700)
    assert [app.read(token).status_code for app, token in tokens] == [401, 200]


def test_opencaching_wants_to_know_which_fields(provider: ProviderServer) -> None:
    app = PlayClient(provider, "opencaching", read="https://opencaching.pl/okapi/services/users/user")
    assert is_refused(app.read(app.connect()), (400, "missing_parameter"))


def test_hatena_wants_a_scope(provider: ProviderServer) -> None:
    app = PlayClient(provider, "hatena", request_token="https://www.hatena.com/oauth/initiate")
    assert is_refused(app.ask_request_token(), (400, "parameter_absent"))


def test_tripits_profile_is_xml_unless_json_is_asked_for(provider: ProviderServer) -> None:
    app = PlayClient(provider, "tripit", read="https://api.tripit.com/v1/get/profile")
    assert f'<Profile ref="{app.user_id}">' in app.read(app.connect()).text
