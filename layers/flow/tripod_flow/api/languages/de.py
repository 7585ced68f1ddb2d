"""German: the words of ``text``."""

from tripod.provider_errors import Cause
from tripod_flow.api.text import Text

LANGUAGE = ("de", "ltr")

GRANTED = Text("Konto verbunden", "Ihr Konto{name} bei {provider} ist jetzt verbunden. Sie können diese Seite schließen.")
CONSENTED = Text(
    "Nur noch ein Schritt",
    "Sie haben zugestimmt, Ihr Konto{name} bei {provider} zu verbinden. Kehren Sie zu der App zurück, von der Sie kommen, um den Vorgang abzuschließen.",
)
DENIED = Text(
    "Es wurde nichts verbunden",
    "Sie haben sich entschieden, Ihr Konto bei {provider} nicht zu verbinden. Es wurde nichts gespeichert.",
    "Erneut versuchen",
)

PROBLEMS = {
    "bad_request": Text("Diese Anfrage ist fehlerhaft", "Eine Angabe fehlt oder ist falsch."),
    "return_to_not_allowed": Text("Diese Rücksprungadresse ist nicht erlaubt", "return_to ist nicht erlaubt."),
    "unknown_provider": Text("Unbekannter Anbieter", "Einen Anbieter mit diesem Namen gibt es hier nicht."),
    "unknown_authorization": Text("Hier gibt es nichts abzuschließen", "Diese Anmeldung ist nicht bekannt oder schon lange abgelaufen. Bitte beginnen Sie von vorn.", "Neu beginnen"),
    "token_not_found": Text("Nicht verbunden", "Für diese Person sind hier keine Tokens gespeichert."),
    "ticket_rejected": Text("Ticket abgelehnt", "Das Ticket ist ungültig, zu alt, wurde bereits eingelöst oder gehört zu einer anderen Sitzung."),
    "wrong_browser": Text(
        "Bitte beginnen Sie in diesem Browser neu",
        "Diese Anmeldung wurde in einem anderen Browser begonnen und kann nur dort abgeschlossen werden. Es wurde nichts geändert.",
        "Hier neu beginnen",
    ),
    "in_progress": Text("Einen Moment bitte", "Ihre Anmeldung wird gerade abgeschlossen. Sehen Sie gleich noch einmal nach.", "Erneut nachsehen"),
    "expired": Text("Das hat zu lange gedauert", "Diese Anmeldung wurde vor mehr als zehn Minuten begonnen. Bitte beginnen Sie von vorn.", "Neu beginnen"),
    "denied": DENIED,
    "verifier_rejected": Text("Diese Anmeldung ist nicht mehr gültig", "{provider} hat diese Anmeldung nicht mehr angenommen. Bitte beginnen Sie von vorn.", "Neu beginnen"),
    "interrupted": Text(
        "Ihre Anmeldung wurde unterbrochen",
        "Die Antwort von {provider} ging unterwegs verloren, deshalb konnte Ihr Konto nicht verbunden werden. Bitte beginnen Sie von vorn.",
        "Neu beginnen",
    ),
    "provider_rejected": Text(
        "{provider} hat diese App abgelehnt",
        "Das liegt nicht an Ihnen: {provider} hat die Anfrage der App nicht angenommen. Wenn das so bleibt, melden Sie es bitte dem Betreiber dieses Dienstes.",
        "Erneut versuchen",
    ),
    "provider_unavailable": Text("{provider} ist nicht erreichbar", "{provider} antwortet gerade nicht. Es ist nichts verloren: Versuchen Sie es {when} erneut.", "Erneut versuchen"),
    "not_configured": Text("Noch nicht eingerichtet", "Dieser Dienst ist noch nicht vollständig eingerichtet. Der Betreiber findet den Grund im Protokoll.", "Erneut versuchen"),
    "internal": Text("Etwas ist schiefgelaufen", "Der Fehler liegt bei uns, nicht bei Ihnen. Bitte versuchen Sie es erneut.", "Erneut versuchen"),
}  # fmt: skip

LINK = Text(
    "Dieser Link ist fehlerhaft", "Gehen Sie zurück zu der Seite, von der Sie kommen, und versuchen Sie es von dort aus erneut."
)
FOR_OPERATOR = "Für den Betreiber dieses Dienstes"

NO_COOKIE = Text(
    "Bitte beginnen Sie in diesem Browser neu",
    "Dieser Browser hat kein Cookie dieser Anmeldung. Entweder wurde sie in einem anderen Browser oder Fenster begonnen, oder Cookies sind hier blockiert: "
    "Erlauben Sie sie dann für diese Website. Es wurde nichts geändert.",
    "Hier neu beginnen",
)
NO_PIN_LEFT = Text(
    "Das war der letzte Versuch",
    "Keine der fünf PINs war richtig, deshalb wurde diese Anmeldung beendet. {provider} zeigt Ihnen eine neue PIN, wenn Sie neu beginnen.",
    "Mit neuer PIN beginnen",
)

ACCOUNT_PROBLEMS = {
    Cause.USER_SUSPENDED: Text("Dieses Konto ist gesperrt", "{provider} hat dieses Konto gesperrt, deshalb kann es nicht verbunden werden. Den Grund erfahren Sie, wenn Sie sich bei {provider} anmelden."),
    Cause.USER_LOCKED: Text("Dieses Konto ist vorübergehend gesperrt", "{provider} hat dieses Konto vorübergehend gesperrt. Entsperren Sie es bei {provider}, und beginnen Sie dann von vorn.", "Neu beginnen"),
}  # fmt: skip

PIN = Text(
    "{provider} mit einer PIN verbinden",
    "Öffnen Sie {provider}, stimmen Sie zu, und geben Sie hier die PIN ein, die Ihnen dort angezeigt wird.",
    "Abschließen",
)
PIN_LINK = "{provider} öffnen"
PIN_NEW_TAB = "(öffnet einen neuen Tab)"
PIN_LABEL = "PIN"
PIN_AGAIN = "Neu beginnen"
NOT_A_PIN = Text(
    "Das kann keine PIN sein",
    "Eine PIN hat nur Buchstaben, Ziffern und Bindestriche. Geben Sie sie so ein, wie {provider} sie anzeigt.",
    "PIN erneut eingeben",
)
ATTEMPTS_LEFT = "Verbleibende Versuche: {left}"
WRONG_PIN = Text(
    "Diese PIN war nicht richtig",
    "Sehen Sie nach, welche PIN {provider} Ihnen anzeigt, und geben Sie sie erneut ein.",
    "Mit neuer PIN beginnen",
)
REFERENCE = "Referenz: {reference}"
WHEN = {0: "in Kürze", 1: "in einer Minute", 2: "in {minutes} Minuten"}
