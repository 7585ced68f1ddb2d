"""Sign in with X for a small web app: a button, a way there, and a way back with a ticket.

The browser's own session keeps a secret (here in a cookie). Its hash, the challenge, goes to Tripod's start; what comes back is a
ticket, which only that secret redeems. A stolen ticket is worth nothing, and a planted one does not fit.
"""

import os
from html import escape
from typing import Any
from urllib.parse import urlencode

from tripod import TicketRejected, redeem, tickets

SESSION = "__Host-session"


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer ``/``, ``/sign-in`` and ``/done``."""
    return {"/": home, "/sign-in": sign_in, "/done": done}[event["rawPath"]](event)


def home(event: dict[str, Any]) -> dict[str, Any]:
    """Show the button."""
    return page("Welcome", '<p><a href="/sign-in">Sign in with X</a></p>')


def sign_in(event: dict[str, Any]) -> dict[str, Any]:
    """Begin: a secret for this browser, and off to Tripod with its challenge."""
    secret, return_to = tickets.new_secret(), f"{own_address(event)}/done"
    query = {
        "endpoint": "authenticate",
        "challenge": tickets.challenge(secret, provider="x", return_to=return_to),
        "return_to": return_to,
    }
    return {
        "statusCode": 303,
        "headers": {"location": f"{os.environ['TRIPOD_URL']}/oauth/x/start?{urlencode(query)}", "cache-control": "no-store"},
        "cookies": [f"{SESSION}={secret}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600"],
    }


def done(event: dict[str, Any]) -> dict[str, Any]:
    """Finish: redeem the ticket with this browser's secret, and know who it is."""
    query = event.get("queryStringParameters") or {}
    if query.get("outcome") != "granted":
        return page("Not signed in", '<p><a href="/sign-in">Try again</a></p>')
    try:
        user = redeem(query.get("ticket", ""), session_secret(event))
    except TicketRejected:
        return page("That did not work", '<p>Please <a href="/sign-in">sign in again</a>.</p>', status=403)
    # A real app would now give the browser a session of its own, for user.provider and user.user_id.
    return page(f"Hello @{user.screen_name}", f"<p>You are user {escape(user.user_id)} of X.</p>")


def own_address(event: dict[str, Any]) -> str:
    """Return this app's address, as API Gateway knows it."""
    return str(os.environ.get("APP_URL") or f"https://{event['requestContext']['domainName']}")


def session_secret(event: dict[str, Any]) -> str:
    """Return the secret in this browser's cookie, or nothing."""
    cookies = dict(cookie.partition("=")[::2] for cookie in event.get("cookies", []))
    return str(cookies.get(SESSION, ""))


def page(title: str, body: str, status: int = 200) -> dict[str, Any]:
    """Return a page."""
    html = f'<!doctype html><html lang="en"><title>{escape(title)}</title><h1>{escape(title)}</h1>{body}</html>'
    return {
        "statusCode": status,
        "headers": {"content-type": "text/html; charset=utf-8", "cache-control": "no-store"},
        "body": html,
    }
