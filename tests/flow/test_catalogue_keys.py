"""What a definition's keys change, as a user, another Lambda or the operator sees it."""

import json
import time

import pytest

import tripod
from sandbox.browser import JSON
from sandbox.provider import ProviderFailure
from sandbox.world import Sandbox
from tests.support.catalogue_app import CatalogueApp, make_catalogue_app
from tests.support.direct import begin, invoke, new_pair, ticket_in
from tests.support.reading import reading
from tests.support.sandbox_app import RETURN_TO, UNDEFINED
from tripod.catalogue import DAY


def connect(app: CatalogueApp) -> dict[str, object]:
    browser = app.browser()
    assert browser.get(app.come_back(browser), accept=JSON).json().get("outcome") == "granted"
    stored = app.stored()
    assert stored is not None
    return stored


def test_what_a_definition_keeps_reaches_secret_reader_and_list(sandbox: Sandbox) -> None:
    app = make_catalogue_app(sandbox, "evernote")
    stored = connect(app)
    kept = {
        "edam_shard": "s1",
        "edam_noteStoreUrl": "https://www.evernote.com/shard/s1/notestore",
        "edam_webApiUrlPrefix": "https://www.evernote.com/shard/s1/",
    }
    assert stored["extra"] == kept
    with reading(sandbox):
        assert tripod.user_tokens(app.name, user_id=app.user_id).extra == kept
        (listed,) = tripod.users(app.name)
    assert listed.extra == kept
    app.sweep()
    (event,) = app.events()
    assert "extra" not in event.detail
    assert kept["edam_noteStoreUrl"] not in json.dumps(event.detail)


def test_what_the_callback_says_is_kept_too(sandbox: Sandbox) -> None:
    app = make_catalogue_app(sandbox, "netsuite")
    assert connect(app)["extra"] == {"company": "1234567", "role": "3", "entity": app.user_id}


def test_nothing_is_kept_that_is_not_named_or_can_not_be(sandbox: Sandbox) -> None:
    app = make_catalogue_app(sandbox, "flickr", keep=["fullname", "long", "odd"])
    browser = app.browser()
    back = app.come_back(browser) + f"&more=1&long={'a' * 1025}&odd=%00"
    assert browser.get(back, accept=JSON).json()["outcome"] == "granted"
    stored = app.stored()
    assert stored is not None
    assert stored["extra"] == {"fullname": app.user.name}


def test_the_end_of_a_token_reaches_secret_reader_list_and_event(sandbox: Sandbox) -> None:
    app = make_catalogue_app(sandbox, "schoology")
    ends = connect(app)["expires_at"]
    assert isinstance(ends, int)
    assert ends == pytest.approx(time.time() + 90 * DAY, abs=60)
    with reading(sandbox):
        assert tripod.user_tokens(app.name, user_id=app.user_id).expires_at == ends
        (listed,) = tripod.users(app.name)
    assert listed.expires_at == ends
    app.sweep()
    (event,) = app.events()
    assert event.detail["expires_at"] == ends


def test_tokens_that_have_ended_are_told_before_a_call_is_wasted(sandbox: Sandbox) -> None:
    app = make_catalogue_app(sandbox, "schoology", lifetime=1)
    ends = connect(app)["expires_at"]
    assert isinstance(ends, int)
    with reading(sandbox):
        while time.time() < ends:
            time.sleep(0.05)
        before = len(sandbox.provider_server.calls(app.consumer.key))
        for read in (tripod.user_tokens, tripod.user_session):
            with pytest.raises(tripod.TokenExpired) as caught:
                read(app.name, user_id=app.user_id)
            assert (caught.value.expires_at, caught.value.secret) == (ends, app.secret_name)
        assert isinstance(caught.value, tripod.TokenNotFound)
        assert len(sandbox.provider_server.calls(app.consumer.key)) == before
        newer = json.dumps({**(app.stored() or {}), "expires_at": ends + DAY})
        sandbox.client("secretsmanager").put_secret_value(SecretId=app.secret_name, SecretString=newer)
        assert tripod.user_tokens(app.name, user_id=app.user_id).expires_at  # the newer grant is seen at once


def test_a_token_in_an_invalidation_url_is_not_logged(sandbox: Sandbox) -> None:
    app = make_catalogue_app(sandbox, "trello")
    token = connect(app)["oauth_token"]
    app.fault("invalidate_token", ProviderFailure(403, "forbidden"))
    answer = invoke(app, "revoke", provider=app.name, user_id=app.user_id)
    assert (answer["outcome"], answer["invalidated"]) == ("revoked", False)
    told = [line for line in sandbox.logs.lines if '"the provider answered"' in line and "/tokens/" in line]
    assert told
    assert "{token}" in told[-1]
    assert not any(str(token) in line for line in sandbox.logs.lines)


def test_a_provider_that_names_no_user_takes_the_apps_own_id(sandbox: Sandbox) -> None:
    app = make_catalogue_app(sandbox, "fatsecret")
    secret, challenge = new_pair(app.name, RETURN_TO)
    begun = begin(app, challenge=challenge, return_to=RETURN_TO, subject="customer 42")
    back = app.consent(begun["authorize_url"])
    answer = app.browser().get(back)
    proof = invoke(app, "redeem", ticket=ticket_in(answer.headers["location"]), secret=secret)
    assert (proof["user_id"], proof["subject"]) == ("customer 42", "customer 42")
    with reading(sandbox), tripod.user_session(app.name, user_id="customer 42") as session:
        assert session.get(app.address(app.known.read), timeout=5).json()["profile"]
        app.revoke_there()
        with pytest.raises(tripod.TokenRevoked):
            session.get(app.address(app.known.read), timeout=5)


def test_a_provider_that_names_no_user_is_not_begun_without_the_apps_id(sandbox: Sandbox) -> None:
    app = make_catalogue_app(sandbox, "fatsecret")
    _, challenge = new_pair(app.name, RETURN_TO)
    answers = [begin(app, challenge=challenge, return_to=RETURN_TO), app.browser().start(app.name, accept=JSON).json()]
    answers.append(begin(app, challenge=challenge, return_to=RETURN_TO, subject="x" * 500))
    for answer in answers:
        assert (answer["code"], "subject" in answer["detail"]) == ("bad_request", True), answer
    assert app.calls("request_token") == []


def test_pages_and_problems_say_the_providers_name_whatever_its_secret_is_called(sandbox: Sandbox) -> None:
    app = make_catalogue_app(sandbox, "trademe")
    browser = app.browser()
    assert "Your <bdi>Trade Me</bdi> account" in browser.get(app.come_back(browser)).text
    app.fault("request_token", ProviderFailure(403, "no"), times=2)
    assert "<bdi>Trade Me</bdi> refused this app" in app.browser().start(app.name).text
    assert app.browser().start(app.name, accept=JSON).json()["title"] == "Trade Me refused this app"
    app.fault("request_token", ProviderFailure(403, "no"))
    assert begin(app, challenge=new_pair(app.name)[1])["title"] == "Trade Me refused this app"


def test_two_apps_of_one_provider_stand_side_by_side(sandbox: Sandbox) -> None:
    """Each under a name of its own, with its own users' tokens."""
    one, other = make_catalogue_app(sandbox, "flickr"), make_catalogue_app(sandbox, "flickr")
    other.user = one.user
    tokens = {connect(app)["oauth_token"] for app in (one, other)}
    assert len(tokens) == 2
    invoke(one, "revoke", provider=one.name, user_id=one.user_id)
    assert (one.is_deleted(), other.is_deleted()) == (True, False)


def test_a_definition_that_is_corrected_is_used_at_once(sandbox: Sandbox) -> None:
    app = make_catalogue_app(sandbox, "flickr", methd="GET")
    answer = app.browser().start(app.name, accept=JSON)
    assert answer.json()["code"] == "not_configured"
    app.redefine(methd=UNDEFINED)
    assert app.browser().start(app.name, accept=JSON).status_code == 200


def test_a_key_that_is_null_takes_the_definitions_away(sandbox: Sandbox) -> None:
    app = make_catalogue_app(sandbox, "trello", invalidate_url=None)
    connect(app)
    assert invoke(app, "revoke", provider=app.name, user_id=app.user_id)["invalidated"] is False
    assert app.calls("invalidate_token") == []


def test_a_provider_that_shows_no_pin_is_not_asked_for_one(sandbox: Sandbox) -> None:
    app = make_catalogue_app(sandbox, "trello")
    answer = app.browser().start(app.name, accept=JSON, pin="true")
    assert (answer.status_code, answer.json()["detail"]) == (400, "This provider shows no PIN: leave pin out.")
    assert app.calls("request_token") == []
