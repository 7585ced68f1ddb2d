"""A plain HTTP request, as a visitor sends it, without any credentials."""

import requests
from requests.structures import CaseInsensitiveDict

from tripod.version import USER_AGENT

TIMEOUTS = (5.0, 30.0)  # seconds to connect, and for the answer: a cold start takes a few


class Answer:
    """An answer: ``status``, ``headers``, and ``body`` as far as it is JSON."""

    def __init__(self, response: requests.Response) -> None:
        self.status = response.status_code
        self.headers: CaseInsensitiveDict[str] = response.headers
        self.body = _json(response)


def ask(method: str, url: str) -> Answer | str:
    """Send a request and return the answer; a text that says in words why there is none. No redirect is followed."""
    headers = {"User-Agent": USER_AGENT, "Accept": "application/problem+json"}
    try:
        with requests.Session() as session:
            session.trust_env = False  # the answer must be this host's own, not a proxy's
            return Answer(session.request(method, url, headers=headers, timeout=TIMEOUTS, allow_redirects=False))
    except requests.exceptions.SSLError as error:
        return f"its certificate is not trusted ({_reason(error)})"
    except requests.exceptions.ConnectTimeout:
        return "no connection within 5 s"
    except requests.exceptions.Timeout:
        return "no answer within 30 s"
    except requests.exceptions.ConnectionError as error:
        return "its name is not known (DNS)" if "NameResolution" in repr(error) else "no connection"
    except requests.exceptions.RequestException as error:
        return type(error).__name__


def _reason(error: Exception) -> str:
    """Return OpenSSL's word for what is wrong with a certificate."""
    said = str(error)
    return said.partition("certificate verify failed: ")[2].partition(" (_ssl")[0] or "TLS failed"


def _json(response: requests.Response) -> dict[str, object]:
    try:
        content = response.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
