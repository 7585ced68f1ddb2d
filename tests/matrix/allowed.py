"""What each cell of the fault matrix may come to, written down before it is run.

A row is a remote call of an act, in the order of the calls: what the first try may answer while the fault lasts, and how things may
stand after the same was tried once more and the relay has run. A call that no row knows fails the matrix, and so does a row whose call
no longer comes.

"internal": the page or problem that asks to try again. "interrupted", as an end: the tokens that the provider gave out, or the step
that was to keep them, were lost on the way; the user is told to start again.
"""

Expected = tuple[set[str], set[str]]

_KILLED = {"killed before", "killed after"}
_NO_ANSWER = {"no answer"}

ROWS: dict[str, dict[str, tuple[str, str]]] = {
    "start": {
        "GetSecretValue 1": ("internal", "stored"),
        "request_token": ("begun", "stored"),  # asked for again: a request token more or less harms nobody
        "PutItem 1": ("internal", "stored"),
    },
    "callback": {
        "UpdateItem 1": ("internal", "stored"),  # claim
        "GetSecretValue 1": ("internal", "stored"),
        "access_token": ("interrupted", "interrupted"),  # whether the exchange was made is unknown, and it is made but once
        "UpdateItem 2": ("interrupted", "interrupted"),  # commit: the one moment at which AWS can cost the user a start again
        "UpdateItem 3": ("granted", "stored"),  # connection; from here on the relay follows
        "CreateSecret 1": ("granted", "stored"),
        "TransactWriteItems 1": ("granted", "stored"),  # settle
    },
    "callback, then whose": {
        "UpdateItem 1": ("internal", "stored"),
        "GetSecretValue 1": ("internal", "stored"),
        "access_token": ("interrupted", "interrupted"),
        "UpdateItem 2": ("interrupted", "interrupted"),  # the tokens are kept, until it is known whose they are
        "identity": ("provider_unavailable", "stored"),  # a question, which can be asked again
        "UpdateItem 3": ("internal", "stored"),  # commit, with the tokens in the table already
        "UpdateItem 4": ("granted", "stored"),
        "CreateSecret 1": ("granted", "stored"),
        "TransactWriteItems 1": ("granted", "stored"),
    },
    "callback, whose, and nothing kept": {
        "UpdateItem 1": ("internal", "signed in"),
        "GetSecretValue 1": ("internal", "signed in"),
        "access_token": ("interrupted", "interrupted"),
        "identity": ("interrupted", "interrupted"),  # the tokens are in memory alone, so that nobody could ask later
        "UpdateItem 2": ("interrupted", "interrupted"),
    },
    "denial": {
        "GetSecretValue 1": ("internal", "denied"),
        "UpdateItem 1": ("internal", "denied"),
    },
    "redeem": {
        "GetItem 1": ("internal", "stored"),
        "UpdateItem 1": ("internal", "stored"),  # redeemed, and with it granted
        "UpdateItem 2": ("done", "stored"),
        "CreateSecret 1": ("done", "stored"),
        "TransactWriteItems 1": ("done", "stored"),
        "GetItem 2": ("internal", "stored"),
    },
    "revoke": {
        "GetItem 1": ("internal", "deleted"),
        "GetSecretValue 1": ("internal", "deleted"),
        "GetSecretValue 2": ("internal", "deleted"),
        "UpdateItem 1": ("internal", "deleted"),
        "DeleteSecret 1": ("internal", "deleted"),
        "GetItem 2": ("internal", "deleted"),
        "GetItem 3": ("internal", "deleted"),
        "GetItem 4": ("revoked", "deleted"),  # from here on the relay follows: the user is disconnected
        "UpdateItem 2": ("revoked", "deleted"),  # nobody else asks the provider
        "invalidate_token": ("revoked", "deleted"),
        "GetItem 5": ("revoked", "deleted"),
        "UpdateItem 3": ("revoked", "deleted"),  # what the provider has said
    },
}
# A check that fails is made again: nothing but its finding changes the connection.
ROWS["check"] = dict.fromkeys(
    ("GetItem 1", "UpdateItem 1", "GetSecretValue 1", "GetSecretValue 2", "UpdateItem 2"), ("internal", "refused")
)
ROWS["check"] |= {"verify_credentials": ("provider_unavailable", "refused")}
ROWS["check, sealed"] = {name: cell for name, cell in ROWS["check"].items() if name != "GetSecretValue 2"}
ROWS["check, sealed"] |= {"Decrypt 1": ("internal", "refused")}
# A signature that fails changes nothing, and is asked for again.
ROWS["sign"] = dict.fromkeys(("GetSecretValue 1", "GetSecretValue 2"), ("internal", "signed"))
ROWS["sign, sealed"] = dict.fromkeys(("GetSecretValue 1", "GetItem 1", "Decrypt 1"), ("internal", "signed"))
# The relay does each item on its own, and what fails is left to the next sweep.
ROWS["relay"] = dict.fromkeys([f"GetItem {number}" for number in (1, 2, 3, 4)], ("done", "stored"))
ROWS["relay"] |= dict.fromkeys([f"UpdateItem {number}" for number in (1, 2, 3)], ("done", "stored"))
ROWS["relay"] |= dict.fromkeys(["PutSecretValue 1", "CreateSecret 1", "TransactWriteItems 1", "PutEvents 1"], ("done", "stored"))
ROWS["PIN"] = ROWS["callback"]
ROWS["PIN, whose, and nothing kept"] = ROWS["callback, whose, and nothing kept"]

# Where tokens are sealed in the table ("stored" is "sealed" there).
_KEPT = ("granted", "stored")
ROWS["callback, sealed"] = {name: ROWS["callback"][name] for name in ("UpdateItem 1", "GetSecretValue 1", "access_token")}
ROWS["callback, sealed"] |= {
    "Encrypt 1": _KEPT,
    "TransactWriteItems 1": _KEPT,
}  # what fails here is written the other way, and follows
ROWS["PIN, sealed"] = ROWS["callback, sealed"]
ROWS["callback after a disconnect, sealed"] = {
    name: cell for name, cell in ROWS["callback, sealed"].items() if name != "GetSecretValue 1"
}
ROWS["callback, whose, sealed"] = ROWS["callback, sealed"] | {"identity": _KEPT}  # asked once more, at once
ROWS["redeem, sealed"] = {
    name: ROWS["redeem"][name] for name in ("GetItem 1", "GetItem 2", "UpdateItem 1", "TransactWriteItems 1")
}
ROWS["revoke, sealed"] = dict.fromkeys(
    ("GetItem 1", "GetSecretValue 1", "UpdateItem 1", "DeleteSecret 1"), ("internal", "deleted")
)
ROWS["revoke, sealed"] |= dict.fromkeys(("GetItem 2", "GetItem 3"), ("internal", "deleted"))
ROWS["revoke, sealed"] |= dict.fromkeys(("GetItem 4", "UpdateItem 2", "Decrypt 1", "invalidate_token"), ("revoked", "deleted"))
ROWS["revoke, sealed"] |= dict.fromkeys(("GetItem 5", "UpdateItem 3"), ("revoked", "deleted"))
ROWS["relay connects, sealed"] = dict.fromkeys((f"GetItem {number}" for number in (1, 2, 3, 4)), ("done", "stored"))
ROWS["relay connects, sealed"] |= dict.fromkeys(("UpdateItem 1", "UpdateItem 2"), ("done", "stored"))
ROWS["relay connects, sealed"] |= dict.fromkeys(("TransactWriteItems 1", "PutEvents 1"), ("done", "stored"))
ROWS["relay seals"] = ROWS["relay connects, sealed"] | {"Encrypt 1": ("done", "stored")}

# The cells that differ from their row.
CELLS: dict[tuple[str, str], tuple[str | None, str | None]] = {
    ("request_token", "throttled"): ("provider_unavailable", None),  # the provider asks to wait
    ("request_token", "denied"): ("provider_rejected", None),
    ("access_token", "500"): ("granted", "stored"),  # a refusal in so many words: tried again at once
    ("access_token", "throttled"): ("provider_unavailable", "stored"),
    ("access_token", "denied"): ("provider_rejected", "again"),
    ("access_token", "killed before"): (None, "stored"),
    ("identity", "denied"): ("provider_rejected", "again"),
    ("verify_credentials", "denied"): ("done", None),  # its 401 proves nothing
}
_NOTHING_KEPT = {"callback, whose, and nothing kept", "PIN, whose, and nothing kept"}
_COMMIT = {(act, "UpdateItem 2") for act in ("callback", "callback, then whose", "PIN", *_NOTHING_KEPT)}
_SEALED = {act for act in ROWS if "seal" in act}
_AT_ONCE = {act for act in _SEALED if act.startswith(("callback", "PIN"))}
# Until the commit the tokens are in memory alone, and die with the process.
_DIES_WITH_THEM = {(act, call, "killed before") for act in _AT_ONCE for call in ("Encrypt 1", "TransactWriteItems 1")}
_DIES_WITH_THEM |= {(act, "Encrypt 1", "killed after") for act in _AT_ONCE}
_DIES_WITH_THEM |= {("callback, whose, sealed", "identity", fault) for fault in _KILLED}
_DONE_UNHEARD = {"drip", "lost", "killed after"}  # the commit was made, and only its answer is missing: a reload tells


def calls() -> set[tuple[str, str]]:
    """Return every act's calls that are written down."""
    return {(act, call) for act, row in ROWS.items() for call in row}


def allowed(act: str, call: str, fault: str) -> Expected:
    """Return the first answers and the ends that a cell may have; nothing where the row isn't known."""
    if call not in ROWS.get(act, {}):
        return set(), set()
    first, end = ROWS[act][call]
    differs = CELLS.get((call, fault), (None, None))
    first, end = differs[0] or first, differs[1] or end
    if (act, call) in _COMMIT and fault in _DONE_UNHEARD:
        end = "stored"
    if (act, call, fault) in _DIES_WITH_THEM:
        end = "interrupted"
    if end == "stored":
        end = "signed in" if act in _NOTHING_KEPT else "sealed" if act in _SEALED else end
    return _NO_ANSWER if fault in _KILLED else {first}, {end}
