"""Every page that a person can end on, reached by clicking, and looked at."""

from collections.abc import Callable

import pytest

from sandbox.provider import ProviderFault
from sandbox.world import Sandbox
from tests.support.page_inspection import inspect, title
from tests.support.person import Person
from tests.support.sandbox_app import RETURN_TO, SandboxApp, make_app
from tripod_flow.api import text


def exchanges(person: Person) -> int:
    return len(person.app.calls("access_token"))


def test_the_providers_own_pages(person: Person) -> None:
    tab = person.begin()
    inspect(tab, "provider-sign-in", tab.heading, 200)
    tab.sign_in()
    inspect(tab, "provider-consent", tab.heading, 200)
    tab.cancel()
    again = person.begin()
    again.authorize()
    again.page.go_back()
    inspect(again, "provider-used", again.heading, 403)


def test_granted(person: Person) -> None:
    tab = person.connected()
    inspect(tab, "granted", title(person.app, text.GRANTED), 200)
    assert f"@{person.app.user.screen_name}" in tab.page.inner_text("main")
    assert exchanges(person) == 1
    assert person.app.stored()


def test_denied_and_then_not(person: Person) -> None:
    tab = person.begin()
    tab.cancel()
    inspect(tab, "denied", title(person.app, text.DENIED), 403)
    assert exchanges(person) == 0
    tab.enter()  # the button has the focus by now
    tab.authorize()
    tab.reads(title(person.app, text.GRANTED))
    assert exchanges(person) == 1


def test_expired_and_then_again(person: Person) -> None:
    tab = person.begin()
    tab.sign_in()
    person.expire(tab)
    tab.authorize()
    words = text.PROBLEMS["expired"]
    inspect(tab, "expired", title(person.app, words), 410)
    assert exchanges(person) == 0
    tab.click(words.action)
    tab.authorize()
    tab.reads(title(person.app, text.GRANTED))
    assert exchanges(person) == 1


def test_wrong_browser_and_the_restart_it_offers(person: Person, anybody: Callable[[SandboxApp], Person]) -> None:
    tab = person.begin()
    address, follow = person.consent_held(tab)
    other = anybody(person.app)
    elsewhere = other.tab()
    elsewhere.page.goto(address)
    words = text.PROBLEMS["wrong_browser"]
    inspect(elsewhere, "wrong-browser", title(person.app, words), 403)
    assert exchanges(person) == 0
    follow()
    tab.reads(title(person.app, text.GRANTED))
    assert exchanges(person) == 1
    elsewhere.click(words.action)
    elsewhere.authorize()
    elsewhere.reads(title(person.app, text.GRANTED))
    assert exchanges(person) == 2


def test_in_progress_looks_again_by_itself(person: Person) -> None:
    tab = person.begin()
    tab.sign_in()
    at_work = {"state": {"S": "exchanging"}, "claim_id": {"S": "another"}, "lease_until": {"N": "9999999999"}}
    before = person.meddle(tab, **at_work)
    tab.authorize()
    tab.page.evaluate("window.stop()")  # or it would look again in the middle of being looked at
    inspect(tab, "in-progress", title(person.app, text.PROBLEMS["in_progress"]), 409)
    assert exchanges(person) == 0
    tab.page.reload()
    person.put(before)
    tab.reads(title(person.app, text.GRANTED))  # nobody clicked
    assert exchanges(person) == 1


def test_interrupted_and_then_again(person: Person) -> None:
    tab = person.begin()
    person.app.fault("access_token", ProviderFault.RESET_AFTER)
    tab.authorize()
    words = text.PROBLEMS["interrupted"]
    inspect(tab, "interrupted", title(person.app, words), 409)
    assert exchanges(person) == 1
    tab.click(words.action)
    tab.authorize()
    tab.reads(title(person.app, text.GRANTED))


def test_a_verifier_that_the_provider_no_longer_knows(person: Person) -> None:
    tab = person.begin()
    person.app.fault("access_token", ProviderFault.WRONG_VERIFIER)
    tab.authorize()
    words = text.PROBLEMS["verifier_rejected"]
    inspect(tab, "verifier-rejected", title(person.app, words), 400)
    assert exchanges(person) == 1
    tab.click(words.action)
    tab.authorize()
    tab.reads(title(person.app, text.GRANTED))


def test_the_providers_refusal_names_what_to_register(person: Person) -> None:
    person.app.fault("request_token", ProviderFault.CALLBACK_NOT_APPROVED, times=2)
    tab = person.begin()
    inspect(tab, "provider-rejected", title(person.app, text.PROBLEMS["provider_rejected"]), 502)
    callback_url = f"{person.app.sandbox.api}/oauth/{person.app.name}/callback"
    assert callback_url not in tab.page.inner_text("main")  # it is not for the user
    tab.page.get_by_text(text.FOR_OPERATOR).click()
    assert callback_url in tab.page.inner_text("main")


def test_provider_down_before_consent_and_a_retry_that_works(person: Person) -> None:
    person.app.fault("request_token", ProviderFault.OVER_CAPACITY, times=2)
    tab = person.begin()
    words = text.PROBLEMS["provider_unavailable"]
    inspect(tab, "provider-unavailable-at-start", title(person.app, words), 503)
    tab.click(words.action)
    tab.authorize()
    tab.reads(title(person.app, text.GRANTED))
    assert exchanges(person) == 1


def test_provider_down_after_consent_and_a_retry_that_works(person: Person) -> None:
    tab = person.begin()
    person.app.fault("access_token", ProviderFault.OVER_CAPACITY, times=2)
    tab.authorize()
    words = text.PROBLEMS["provider_unavailable"]
    inspect(tab, "provider-unavailable-at-callback", title(person.app, words), 503)
    tab.click(words.action)
    tab.reads(title(person.app, text.GRANTED))
    assert [call.status for call in person.app.calls("access_token")] == [503, 503, 200]


def test_not_configured(sandbox: Sandbox, anybody: Callable[[SandboxApp], Person]) -> None:
    app = make_app(sandbox, secret={"provider": {"request_token_url": "http://example.com/no-tls"}})
    tab = anybody(app).begin()
    inspect(tab, "not-configured", title(app, text.PROBLEMS["not_configured"]), 500)


def test_an_authorization_that_is_long_over(person: Person) -> None:
    tab = person.begin()
    tab.sign_in()
    item = person.meddle(tab)
    person.app.sandbox.client("dynamodb").delete_item(TableName=person.app.sandbox.table, Key={"pk": item["pk"]})
    tab.authorize()
    words = text.PROBLEMS["unknown_authorization"]
    inspect(tab, "unknown-authorization", title(person.app, words), 404)
    tab.click(words.action)
    tab.authorize()
    tab.reads(title(person.app, text.GRANTED))
    assert exchanges(person) == 1


@pytest.mark.parametrize(
    ("code", "provider", "query", "told"),
    [
        ("unknown_provider", "nobody", {}, "There is no provider of this name here."),
        ("bad_request", None, {"oauth_callback": "https://example.com"}, "OAuth's own parameters"),
        ("return_to_not_allowed", None, {"return_to": "https://example.com/somewhere/else"}, "AllowedReturnUrls"),
    ],
)
def test_a_link_that_is_wrong(person: Person, code: str, provider: str | None, query: dict[str, str], told: str) -> None:
    tab = person.begin(provider=provider, **query)
    inspect(tab, code.replace("_", "-"), title(person.app, text.LINK), 404 if provider else 400)
    tab.page.get_by_text(text.FOR_OPERATOR).click()
    assert told in tab.page.inner_text("main")
    assert not person.app.calls("request_token")


def test_back_at_the_app(person: Person) -> None:
    """Where the app asked for the outcome, no page of ours comes between."""
    tab = person.begin(return_to=RETURN_TO)
    tab.sign_in()
    back = f"{RETURN_TO}?outcome=granted&provider={person.app.name}"
    with person.profile.expect_event("request", lambda request: request.url == back):  # where nobody answers
        tab.page.get_by_role("button", name="Authorize app").click()
    assert exchanges(person) == 1


def test_internal_and_then_not(person: Person) -> None:
    aws = person.app.sandbox.aws_server
    tab = person.begin()
    tab.sign_in()
    fault = aws.fault("dynamodb", "UpdateItem", "denied", times=1, match=f"authorization#{person.app.name}")
    tab.authorize()
    inspect(tab, "internal", title(person.app, text.PROBLEMS["internal"]), 500)
    assert fault.strikes == 1
    tab.page.reload()
    tab.reads(title(person.app, text.GRANTED))
    assert exchanges(person) == 1


def test_every_page_has_a_title_of_its_own() -> None:
    titles = [words.title for code, words in text.PROBLEMS.items() if code != "denied"]
    titles += [text.GRANTED.title, text.DENIED.title, text.PIN.title]
    assert len(titles) == len(set(titles))
