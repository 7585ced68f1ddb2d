"""Signing in through a CloudFront distribution (examples/distribution), and what a user sees of one that is set up otherwise."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sandbox.aws.credentials import ACCESS_KEY, SECRET_KEY
from sandbox.browser import JSON, PAGE, Browser
from sandbox.repository import TEMPLATE
from sandbox.template.intrinsics import REGION
from sandbox.world import Sandbox
from tests.support.distribution import ALL_VIEWER, ALL_VIEWER_EXCEPT_HOST, Distribution
from tests.support.sandbox_app import PARAMETERS, QUICK, RETURN_TO, SandboxApp, make_app
from tests.support.translated import CERTIFICATE, DOMAIN

EXAMPLE = TEMPLATE.parent / "examples" / "distribution" / "template.yaml"
NO_POLICY = re.compile(r"^ +OriginRequestPolicyId: .*\n", re.MULTILINE)
ERRORS = re.compile(r"^ +CustomErrorResponses:\n( +- .*\n)+", re.MULTILINE)


@pytest.fixture(scope="module")
def named() -> Iterator[Sandbox]:
    """A stack with a domain of its own."""
    parameters = {**PARAMETERS, "DomainName": DOMAIN, "CertificateArn": CERTIFICATE}
    with Sandbox(parameters=parameters, settings=QUICK, streams=False) as running:
        yield running


@pytest.fixture
def app(named: Sandbox) -> SandboxApp:
    return make_app(named)


def before(sandbox: Sandbox, template: Path = EXAMPLE) -> Distribution:
    """Return the template's distribution in front of a sandbox's API."""
    target = (
        sandbox.template.attribute("Domain", "RegionalDomainName") if sandbox.template.domain() else "api.execute-api.example"
    )
    return Distribution(template, sandbox.api, target)


@pytest.fixture
def distribution(named: Sandbox) -> Iterator[Distribution]:
    with before(named) as running:
        yield running


@pytest.fixture
def browser(distribution: Distribution) -> Browser:
    return Browser(distribution.url, DOMAIN)


def changed(folder: Path, pattern: re.Pattern[str] | str, by: str = "") -> Path:
    """Return the example's template with something else in it, as a file."""
    text, number = re.subn(pattern, by, EXAMPLE.read_text())
    assert number
    path = folder / "template.yaml"
    path.write_text(text)
    return path


def test_a_sign_in_through_it_stores_the_tokens(app: SandboxApp, browser: Browser) -> None:
    callback_url = app.come_back(browser)
    assert callback_url.startswith(f"https://{DOMAIN}/oauth/{app.name}/callback?")
    ended = browser.get(callback_url)
    assert (ended.status_code, "You are connected" in ended.text) == (200, True)
    assert ended.headers["strict-transport-security"]
    stored = app.stored()
    assert stored is not None
    assert stored["oauth_token"] in app.sandbox.provider_server.issued(app.consumer.key)


def test_it_leads_back_to_the_app(app: SandboxApp, browser: Browser) -> None:
    ended = browser.get(app.come_back(browser, return_to=f"{RETURN_TO}?state=a%20b"))
    assert (ended.status_code, ended.headers["location"]) == (
        303,
        f"{RETURN_TO}?state=a%20b&outcome=granted&provider={app.name}",
    )


def test_a_pin_is_asked_for_and_taken(app: SandboxApp, browser: Browser) -> None:
    page_url = browser.start(app.name, pin="true").headers["location"]
    page = browser.get(page_url).text
    action, token, link = (
        re.search(pattern, page)
        for pattern in (r'action="([^"]+)"', r'name="request_token" value="([^"]+)"', r'<a href="([^"]+)"')
    )
    assert action
    assert token
    assert link
    assert action[1] == f"https://{DOMAIN}/oauth/{app.name}/pin"
    ended = requests.post(
        browser.url(action[1]),
        data={"request_token": token[1], "pin": app.consent(link[1].replace("&amp;", "&"))},
        headers={"Accept": PAGE, "Host": DOMAIN, "Cookie": "; ".join("=".join(each) for each in browser.cookies.items())},
        timeout=30,
    )
    assert (ended.status_code, "You are connected" in ended.text) == (200, True)
    assert app.stored()


def test_a_signed_request_disconnects_a_user(app: SandboxApp, browser: Browser) -> None:
    browser.get(app.come_back(browser))
    url = f"https://{DOMAIN}/oauth/{app.name}/users/{app.user.user_id}/revoke"
    request = AWSRequest("POST", url, data=b"", headers={"Accept": JSON})
    SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "execute-api", REGION).add_auth(request)
    answer = requests.post(browser.url(url), headers={**dict(request.headers), "Host": DOMAIN}, timeout=30)
    assert answer.json()["outcome"] == "revoked"


def test_one_visitors_error_is_shown_to_no_other(app: SandboxApp, browser: Browser, distribution: Distribution) -> None:
    callback_url = app.come_back(browser)
    assert Browser(distribution.url, DOMAIN).get(callback_url, accept=JSON).json()["code"] == "wrong_browser"
    assert browser.get(callback_url).status_code == 200


def test_a_distribution_that_keeps_errors_shows_them_to_everybody(app: SandboxApp, tmp_path: Path) -> None:
    with before(app.sandbox, changed(tmp_path, ERRORS)) as keeping:
        browser = Browser(keeping.url, DOMAIN)
        callback_url = app.come_back(browser)
        Browser(keeping.url, DOMAIN).get(callback_url, accept=JSON)
        assert browser.get(callback_url, accept=JSON).json()["code"] == "wrong_browser"


@pytest.mark.parametrize(("policy", "by"), [(ALL_VIEWER, ALL_VIEWER_EXCEPT_HOST), (NO_POLICY, "")])
def test_without_the_visitors_host_the_api_forbids_everything(app: SandboxApp, tmp_path: Path, policy: Any, by: str) -> None:
    with before(app.sandbox, changed(tmp_path, policy, by)) as other:
        answer = Browser(other.url, DOMAIN).start(app.name)
    assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})


def test_an_api_with_a_domain_name_answers_under_no_other(app: SandboxApp) -> None:
    answer = Browser(app.sandbox.api).start(app.name)
    assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})


def test_before_an_api_without_a_domain_name_the_sign_in_ends_in_the_wrong_browser(sandbox: Sandbox, tmp_path: Path) -> None:
    app = make_app(sandbox)
    with before(sandbox, changed(tmp_path, ALL_VIEWER, ALL_VIEWER_EXCEPT_HOST)) as other:
        callback_url = app.come_back(Browser(other.url, DOMAIN))
    assert callback_url.startswith(sandbox.api)  # the API's own name, for which the browser has no cookie
    ended = Browser(sandbox.api).get(callback_url, accept=JSON)
    assert (ended.status_code, ended.json()["code"]) == (403, "wrong_browser")


def test_before_an_api_without_a_domain_name_cloudfronts_defaults_lose_page_cookie_and_query(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    app = make_app(sandbox)
    with before(sandbox, changed(tmp_path, NO_POLICY)) as other:
        browser = Browser(other.url, DOMAIN)
        started = browser.start(app.name, return_to="https://evil.example/")  # which would be refused
    assert (started.status_code, started.headers["content-type"], browser.cookies) == (200, JSON, {})
