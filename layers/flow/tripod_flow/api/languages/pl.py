"""Polish: the words of ``text``."""

from tripod.provider_errors import Cause
from tripod_flow.api.text import Text

LANGUAGE = ("pl", "ltr")

GRANTED = Text("Konto zostało połączone", "Konto {provider}{name} jest połączone. Można zamknąć tę stronę.")
CONSENTED = Text(
    "Pozostał jeden krok",
    "Wyrażono zgodę na połączenie konta {provider}{name}. Aby dokończyć, wróć do aplikacji, w której rozpoczęto łączenie.",
)
DENIED = Text(
    "Nic nie zostało połączone",
    "Nie wyrażono zgody na połączenie konta {provider}. Nic nie zostało zapisane.",
    "Spróbuj ponownie",
)

PROBLEMS = {
    "bad_request": Text("To żądanie jest nieprawidłowe", "Brakuje jakiejś informacji lub jest ona błędna."),
    "return_to_not_allowed": Text("Ten adres powrotu jest niedozwolony", "Wartość return_to jest niedozwolona."),
    "unknown_provider": Text("Nieznany dostawca", "Nie ma tu dostawcy o takiej nazwie."),
    "unknown_authorization": Text("Nie ma tu nic do dokończenia", "To logowanie jest nieznane lub dawno wygasło. Zacznij od nowa.", "Zacznij od nowa"),
    "token_not_found": Text("Konto nie jest połączone", "Nie przechowujemy tu tokenów tego użytkownika."),
    "ticket_rejected": Text("Bilet odrzucony", "Bilet jest nieprawidłowy, zbyt stary, został już wykorzystany lub należy do innej sesji."),
    "wrong_browser": Text(
        "Zacznij od nowa w tej przeglądarce",
        "To logowanie rozpoczęto w innej przeglądarce i tylko tam można je dokończyć. Nic nie zostało zmienione.",
        "Zacznij od nowa tutaj",
    ),
    "in_progress": Text("Chwileczkę", "Trwa kończenie logowania. Sprawdź ponownie za chwilę.", "Sprawdź ponownie"),
    "expired": Text("Minęło zbyt dużo czasu", "To logowanie rozpoczęto ponad dziesięć minut temu. Zacznij od nowa.", "Zacznij od nowa"),
    "denied": DENIED,
    "verifier_rejected": Text("To logowanie straciło ważność", "Serwis {provider} nie przyjmuje już tego logowania. Zacznij od nowa.", "Zacznij od nowa"),
    "interrupted": Text(
        "Logowanie zostało przerwane",
        "Odpowiedź serwisu {provider} zaginęła po drodze, więc nie udało się połączyć konta. Zacznij od nowa.",
        "Zacznij od nowa",
    ),
    "provider_rejected": Text(
        "Serwis {provider} odrzucił tę aplikację",
        "To nie Twoja wina: serwis {provider} nie przyjął żądania aplikacji. Jeśli problem będzie się powtarzał, powiadom administratora tej usługi.",
        "Spróbuj ponownie",
    ),
    "provider_unavailable": Text("Serwis {provider} jest niedostępny", "Serwis {provider} obecnie nie odpowiada. Nic nie przepadło: spróbuj ponownie {when}.", "Spróbuj ponownie"),
    "not_configured": Text("Usługa nie jest jeszcze skonfigurowana", "Ta usługa nie jest w pełni skonfigurowana. Jej administrator znajdzie przyczynę w dzienniku.", "Spróbuj ponownie"),
    "internal": Text("Coś poszło nie tak", "To nasz błąd, nie Twój. Spróbuj ponownie.", "Spróbuj ponownie"),
}  # fmt: skip

LINK = Text("Ten link jest nieprawidłowy", "Wróć na stronę, z której prowadził link, i spróbuj ponownie.")
FOR_OPERATOR = "Dla administratora tej usługi"

NO_COOKIE = Text(
    "Zacznij od nowa w tej przeglądarce",
    "Ta przeglądarka nie ma pliku cookie tego logowania. Rozpoczęto je w innej przeglądarce lub innym oknie albo pliki cookie są tu zablokowane: "
    "w takim razie zezwól na nie w tej witrynie. Nic nie zostało zmienione.",
    "Zacznij od nowa tutaj",
)
NO_PIN_LEFT = Text(
    "To była ostatnia próba",
    "Żaden z pięciu kodów PIN nie był prawidłowy, więc to logowanie zostało zakończone. Po rozpoczęciu od nowa serwis {provider} pokaże nowy kod PIN.",
    "Zacznij od nowa z nowym kodem PIN",
)

ACCOUNT_PROBLEMS = {
    Cause.USER_SUSPENDED: Text("To konto jest zawieszone", "Serwis {provider} zawiesił to konto, więc nie można go połączyć. Przyczynę można poznać po zalogowaniu się w serwisie {provider}."),
    Cause.USER_LOCKED: Text("To konto jest zablokowane", "Serwis {provider} tymczasowo zablokował to konto. Odblokuj je w serwisie {provider}, a następnie zacznij od nowa.", "Zacznij od nowa"),
}  # fmt: skip

PIN = Text(
    "Połącz {provider} za pomocą kodu PIN",
    "Otwórz serwis {provider}, wyraź zgodę i wpisz tutaj wyświetlony tam kod PIN.",
    "Zakończ",
)
PIN_LINK = "Otwórz serwis {provider}"
PIN_NEW_TAB = "(otwiera się w nowej karcie)"
PIN_LABEL = "Kod PIN"
PIN_AGAIN = "Zacznij od nowa"
NOT_A_PIN = Text(
    "To nie może być kod PIN",
    "Kod PIN zawiera tylko litery, cyfry i łączniki. Wpisz go tak, jak pokazuje go serwis {provider}.",
    "Wpisz kod PIN ponownie",
)
ATTEMPTS_LEFT = "Pozostałe próby: {left}"
WRONG_PIN = Text(
    "Ten kod PIN jest nieprawidłowy",
    "Sprawdź kod PIN, który pokazuje serwis {provider}, i wpisz go ponownie.",
    "Zacznij od nowa z nowym kodem PIN",
)
REFERENCE = "Identyfikator: {reference}"
WHEN = {0: "za chwilę", 1: "za minutę", 2: "za {minutes} min"}  # min: as it stands after any number
