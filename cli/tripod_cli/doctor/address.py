"""The API's address: whether Tripod answers there, and with a domain of one's own, whether that leads to it."""

import socket
import ssl
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any
from urllib.parse import urlsplit

from tripod.loopback import is_loopback
from tripod_cli.doctor import functions, http
from tripod_cli.doctor.finding import Finding, unknown, warning, wrong
from tripod_cli.stack import Stack

NOBODY = "tripod-doctor"  # no provider's name: start looks for its consumer secret, and callback for nothing
ALIAS_RECORD = "Point an alias record (Route 53), or a CNAME, at the stack's output DomainTarget"
UNREACHED = "Where does the address lead? With a domain name of your own: its DNS record, its certificate, its mapping"
RENEWED = 14 * 86_400.0  # seconds before the end at which a certificate should have been renewed
PATIENCE = 5.0  # seconds to connect


def api(stack: Stack) -> Iterator[Finding]:
    """Yield whether start and callback answer, as a visitor meets them; neither is asked for a sign-in."""
    url = stack.parameter("api-url").rstrip("/")
    for path in ("start", "callback"):
        at = f"{url}/oauth/…/{path}"
        answer = http.ask("GET", f"{url}/oauth/{NOBODY}/{path}")
        if isinstance(answer, str):
            yield wrong(at, answer, UNREACHED)
            return
        yield _answered(stack, at, path, answer)


def domain(stack: Stack, now: Callable[[], float] = time.time) -> Iterator[Finding]:
    """Yield whether a domain name of one's own leads to the API: in API Gateway, by DNS, and with which certificate."""
    parts = urlsplit(stack.parameter("api-url"))
    host = parts.hostname or ""
    if is_loopback(host) or ".execute-api." in host:
        return
    target = yield from _registered(stack, host)
    addresses = _resolved(host)
    if not addresses:
        yield wrong(
            f"DNS of {host}", "it leads nowhere: the name is not known", f"{ALIAS_RECORD}{f' ({target})' if target else ''}"
        )
        return
    if target and (meant := _resolved(target)) and not addresses & meant:
        to_do = f"{ALIAS_RECORD} ({target}), unless a CloudFront distribution is in front: docs/distribution.md"
        yield warning(f"DNS of {host}", "it leads elsewhere than to API Gateway", to_do)
    else:
        yield Finding(f"DNS of {host}", f"leads to {target or 'an address'}")
    yield from certificate(host, parts.port or 443, now())


def certificate(host: str, port: int, now: float, context: ssl.SSLContext | None = None) -> Iterator[Finding]:
    """Yield until when the certificate at ``host`` is good; nothing where it is not trusted, which the request to the API says."""
    try:
        with (
            socket.create_connection((host, port), PATIENCE) as plain,
            (context or ssl.create_default_context()).wrap_socket(plain, server_hostname=host) as secured,
        ):
            ends = ssl.cert_time_to_seconds(str((secured.getpeercert() or {})["notAfter"]))
    except OSError:
        return
    at, days = f"certificate of {host}", int((ends - now) // 86_400)
    if ends - now < RENEWED:
        to_do = "AWS renews it while its validation record is in DNS: aws acm describe-certificate says what is missing"
        yield warning(at, f"it ends in {days} days", to_do)
    else:
        yield Finding(at, f"good for {days} days")


def _registered(stack: Stack, host: str) -> Generator[Finding, None, str]:
    """Yield what API Gateway knows of the domain name; return where DNS should point."""
    client, at = stack.client("apigatewayv2"), f"domain {host}"
    try:
        found: dict[str, Any] = client.get_domain_name(DomainName=host)
        mapped = client.get_api_mappings(DomainName=host).get("Items", [])
    except client.exceptions.NotFoundException:
        yield wrong(at, "API Gateway does not know it", "Deploy with DomainName and CertificateArn: docs/parameters.md")
        return ""
    configuration: dict[str, str] = next(iter(found.get("DomainNameConfigurations", [])), {})
    status = configuration.get("DomainNameStatus", "AVAILABLE")
    if status != "AVAILABLE":
        yield wrong(at, f"its state is {status}", "Look again in some minutes, and at its certificate")
    elif not mapped:
        yield wrong(at, "no API is mapped to it", functions.AGAIN)
    else:
        yield Finding(at, "mapped to the API")
    return configuration.get("ApiGatewayDomainName", "")


def _resolved(host: str) -> set[str]:
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)}
    except OSError:
        return set()


def _answered(stack: Stack, at: str, path: str, answer: http.Answer) -> Finding:
    """Return what an answer means; of a provider that nobody knows, it should be that."""
    code = answer.body.get("code")
    log = f"aws logs tail /aws/lambda/{stack.prefix}-{path} --since 10m"
    if (answer.status, code) == (404, "unknown_provider"):
        return Finding(at, "Tripod answers")
    if code:
        return wrong(at, f"Tripod answers {answer.status} {code}", f"Why, says its log: {log} (docs/errors.md)")
    if answer.status == 429:
        return warning(at, "API Gateway throttles (429)", "docs/operating.md#throttledalarm")
    if answer.status >= 500:
        return wrong(
            at, f"API Gateway answers {answer.status}: the function does not start, or not in time", f"Its log says why: {log}"
        )
    if answer.status in (403, 404) and "message" in answer.body:
        to_do = "Is it the stack's own address (the SSM parameter api-url)? With CloudFront in front: docs/distribution.md"
        return wrong(at, f"API Gateway answers {answer.status} {answer.body['message']}", to_do)
    return unknown(at, f"something else than Tripod answers {answer.status}", "Where does the address lead? docs/distribution.md")
