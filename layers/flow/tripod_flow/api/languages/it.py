"""Italian: the words of ``text``."""

from tripod.provider_errors import Cause
from tripod_flow.api.text import Text

LANGUAGE = ("it", "ltr")

GRANTED = Text("Account collegato", "Il tuo account {provider}{name} è collegato. Puoi chiudere questa pagina.")
CONSENTED = Text(
    "Manca un passaggio",
    "Hai accettato di collegare il tuo account {provider}{name}. Torna all’app da cui provieni per completare l’operazione.",
)
DENIED = Text(
    "Nessun account collegato", "Hai scelto di non collegare il tuo account {provider}. Non è stato salvato nulla.", "Riprova"
)

PROBLEMS = {
    "bad_request": Text("Questa richiesta non è corretta", "Un dato manca o non è valido."),
    "return_to_not_allowed": Text("Questo indirizzo di ritorno non è consentito", "return_to non è consentito."),
    "unknown_provider": Text("Fornitore sconosciuto", "Qui non esiste alcun fornitore con questo nome."),
    "unknown_authorization": Text("Niente da completare qui", "Questo accesso non è noto o è scaduto da tempo. Ricomincia da capo.", "Ricomincia"),
    "token_not_found": Text("Account non collegato", "Qui non sono conservati token di questo utente."),
    "ticket_rejected": Text("Ticket rifiutato", "Il ticket non è valido, è troppo vecchio, è già stato usato o appartiene a un’altra sessione."),
    "wrong_browser": Text(
        "Ricomincia in questo browser",
        "Questo accesso è stato avviato in un altro browser e può essere completato solo lì. Non è stato modificato nulla.",
        "Ricomincia qui",
    ),
    "in_progress": Text("Un attimo", "Il tuo accesso è in fase di completamento. Ricontrolla tra un attimo.", "Ricontrolla"),
    "expired": Text("È passato troppo tempo", "Questo accesso è stato avviato più di dieci minuti fa. Ricomincia da capo.", "Ricomincia"),
    "denied": DENIED,
    "verifier_rejected": Text("Questo accesso non è più valido", "{provider} non accetta più questo accesso. Ricomincia da capo.", "Ricomincia"),
    "interrupted": Text(
        "Il tuo accesso è stato interrotto",
        "La risposta di {provider} è andata persa, quindi non è stato possibile collegare il tuo account. Ricomincia da capo.",
        "Ricomincia",
    ),
    "provider_rejected": Text(
        "{provider} ha rifiutato questa app",
        "Non è colpa tua: {provider} non ha accettato la richiesta dell’app. Se il problema persiste, avvisa chi gestisce questo servizio.",
        "Riprova",
    ),
    "provider_unavailable": Text("{provider} non è raggiungibile", "{provider} al momento non risponde. Non è andato perso nulla: riprova {when}.", "Riprova"),
    "not_configured": Text("Non ancora configurato", "Questo servizio non è configurato completamente. Chi lo gestisce trova il motivo nel log.", "Riprova"),
    "internal": Text("Qualcosa è andato storto", "È un errore nostro, non tuo. Riprova.", "Riprova"),
}  # fmt: skip

LINK = Text("Questo link non è corretto", "Torna alla pagina da cui provieni e riprova da lì.")
FOR_OPERATOR = "Per chi gestisce questo servizio"

NO_COOKIE = Text(
    "Ricomincia in questo browser",
    "Questo browser non ha alcun cookie di questo accesso. È stato avviato in un altro browser o in un’altra finestra, oppure qui i cookie sono bloccati: "
    "in tal caso consentili per questo sito. Non è stato modificato nulla.",
    "Ricomincia qui",
)
NO_PIN_LEFT = Text(
    "Era l’ultimo tentativo",
    "Nessuno dei cinque PIN era corretto, quindi questo accesso è terminato. {provider} ti mostrerà un nuovo PIN quando ricominci.",
    "Ricomincia con un nuovo PIN",
)

ACCOUNT_PROBLEMS = {
    Cause.USER_SUSPENDED: Text("Questo account è sospeso", "{provider} ha sospeso questo account, quindi non può essere collegato. Accedi a {provider} per conoscerne il motivo."),
    Cause.USER_LOCKED: Text("Questo account è bloccato", "{provider} ha bloccato temporaneamente questo account. Sbloccalo su {provider}, poi ricomincia.", "Ricomincia"),
}  # fmt: skip

PIN = Text(
    "Collega {provider} con un PIN", "Apri {provider}, acconsenti e inserisci qui il PIN che ti viene mostrato.", "Completa"
)
PIN_LINK = "Apri {provider}"
PIN_NEW_TAB = "(si apre in una nuova scheda)"
PIN_LABEL = "PIN"
PIN_AGAIN = "Ricomincia"
NOT_A_PIN = Text(
    "Questo non può essere un PIN",
    "Un PIN contiene solo lettere, cifre e trattini. Inseriscilo come lo mostra {provider}.",
    "Inserisci di nuovo il PIN",
)
ATTEMPTS_LEFT = "Tentativi rimasti: {left}"
WRONG_PIN = Text(
    "Il PIN non è corretto", "Guarda il PIN che {provider} ti mostra e inseriscilo di nuovo.", "Ricomincia con un nuovo PIN"
)
REFERENCE = "Riferimento: {reference}"
WHEN = {0: "tra un attimo", 1: "tra un minuto", 2: "tra {minutes} minuti"}
