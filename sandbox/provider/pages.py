"""The pages that a user sees: plain HTML without script, whose forms carry the session's form token."""

from flask import Response, render_template_string

from sandbox.provider.records import BrowserSession, IssuedRequestToken, RegisteredApp

X = "Sandbox provider"
_FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }} / {{ place }}</title>
<style>
body { margin: 0; background: #f4f5f7; color: #14171a; font: 16px/1.5 system-ui, sans-serif }
main { max-width: 24rem; margin: 10vh auto; padding: 2rem; background: #fff; border: 1px solid #d5dadf;
  border-radius: 12px; overflow-wrap: break-word }
h1 { margin-top: 0; font-size: 1.3rem; line-height: 1.3 }
label { display: block; margin: 1rem 0 }
input { box-sizing: border-box; width: 100%; padding: .5rem; border: 1px solid #76808a; border-radius: 6px;
  font: inherit }
button { margin: .5rem .5rem 0 0; padding: .6rem 1.2rem; border: 1px solid #14171a; border-radius: 99px;
  background: #fff; font: inherit; font-weight: 600; cursor: pointer }
button.first { background: #14171a; color: #fff }
.wrong { color: #a3001b }
code { font-size: 2rem; letter-spacing: .2em }
</style>
</head>
<body><main>
<h1>{{ title }}</h1>
BODY
</main></body>
</html>
"""

_SIGN_IN = """<p>Sign in to decide whether <strong>{{ app }}</strong> may use your account.</p>
{% if wrong %}<p class="wrong" role="alert">Wrong username or password.</p>{% endif %}
<form method="post">
<input type="hidden" name="form_token" value="{{ form_token }}">
<input type="hidden" name="oauth_token" value="{{ oauth_token }}">
<label>Username <input name="username" value="{{ screen_name }}" autocomplete="username" autocapitalize="none"></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<button class="first" name="decision" value="sign_in">Sign in</button>
<button name="decision" value="cancel">Cancel</button>
</form>"""

_CONSENT = """<p>Signed in as <strong>@{{ screen_name }}</strong>.</p>
<p>This app will be able to:</p>
<ul><li>See your profile and posts.</li>{% if writes %}<li>Post for you.</li>{% endif %}</ul>
<form method="post">
<input type="hidden" name="form_token" value="{{ form_token }}">
<input type="hidden" name="oauth_token" value="{{ oauth_token }}">
<button class="first" name="decision" value="authorize">Authorize app</button>
<button name="decision" value="cancel">Cancel</button>
</form>"""

_PIN = """<p>Return to <strong>{{ app }}</strong> and enter this PIN to complete the authorization:</p>
<p><code id="pin">{{ pin }}</code></p>"""


def sign_in(
    session: BrowserSession, token: IssuedRequestToken, consumer: RegisteredApp, screen_name: str = "", *, wrong: bool = False
) -> Response:
    """Ask who the user is; ``wrong`` after a failed try."""
    return _page(
        "Sign in",
        _SIGN_IN,
        place=_place(consumer),
        app=consumer.name,
        screen_name=screen_name,
        wrong=wrong,
        form_token=session.form_token,
        oauth_token=token.token,
    )


def consent(session: BrowserSession, token: IssuedRequestToken, consumer: RegisteredApp) -> Response:
    """Ask a signed-in user for consent."""
    return _page(
        f"Authorize {consumer.name} to access your account?",
        _CONSENT,
        place=_place(consumer),
        screen_name=session.user.screen_name if session.user else "",
        writes=token.access == "write",
        form_token=session.form_token,
        oauth_token=token.token,
    )


def pin(consumer: RegisteredApp, digits: str) -> Response:
    """Show the PIN of an app that has no callback."""
    return _page("You've granted access", _PIN, place=_place(consumer), app=consumer.name, pin=digits)


def granted(consumer: RegisteredApp) -> Response:
    """Confirm a consent to an app that said nowhere to go back to, at a provider without PINs."""
    return _page(
        "You've granted access", "<p>Return to <strong>{{ app }}</strong>.</p>", place=_place(consumer), app=consumer.name
    )


def cancelled(consumer: RegisteredApp) -> Response:
    """Confirm a refusal to an app that has no callback, or at a provider that tells no app of it."""
    text = "<p><strong>{{ app }}</strong> has no access.</p>"
    return _page("You cancelled", text, place=_place(consumer), app=consumer.name)


def invalid() -> Response:
    """Say that the request token is unknown, expired or used."""
    text = "<p>The request token for this page is invalid. It may have already been used, or expired. Please go back.</p>"
    return _page("Whoa there!", text, status=403)


def down() -> Response:
    """Say that the provider is down."""
    return _page("Something is technically wrong", "<p>Thanks for noticing. Please try again in a while.</p>", status=503)


def forged() -> Response:
    """Say that a form does not belong to this session."""
    return _page("Please try again", "<p>This form does not belong to your session.</p>", status=403)


def refused(consumer: RegisteredApp, why: str) -> Response:
    """Say what the authorize URL lacks."""
    return _page("That didn't work", "<p>{{ why }}</p>", status=400, place=_place(consumer), why=why)


def _place(consumer: RegisteredApp) -> str:
    return X if consumer.play == "x" else f"{consumer.play} in the sandbox"


def _page(title: str, body: str, status: int = 200, place: str = X, **values: object) -> Response:
    html = render_template_string(_FRAME.replace("BODY", body), title=title, place=place, **values)
    return Response(
        html,
        status,
        {
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff",
        },
        content_type="text/html;charset=utf-8",
    )
