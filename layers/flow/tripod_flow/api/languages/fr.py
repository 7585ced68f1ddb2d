"""French: the words of ``text``."""

from tripod.provider_errors import Cause
from tripod_flow.api.text import Text

LANGUAGE = ("fr", "ltr")

GRANTED = Text("Compte connecté", "Votre compte {provider}{name} est maintenant connecté. Vous pouvez fermer cette page.")
CONSENTED = Text(
    "Plus qu’une étape",
    "Vous avez accepté de connecter votre compte {provider}{name}. Retournez dans l’application d’où vous venez pour terminer l’opération.",
)
DENIED = Text(
    "Rien n’a été connecté",
    "Vous avez choisi de ne pas connecter votre compte {provider}. Rien n’a été enregistré.",
    "Réessayer",
)

PROBLEMS = {
    "bad_request": Text("Cette demande est incorrecte", "Un élément manque ou est erroné."),
    "return_to_not_allowed": Text("Cette adresse de retour n’est pas autorisée", "return_to n’est pas autorisé."),
    "unknown_provider": Text("Fournisseur inconnu", "Aucun fournisseur de ce nom n’existe ici."),
    "unknown_authorization": Text("Rien à terminer ici", "Cette connexion est inconnue ou a expiré depuis longtemps. Veuillez recommencer.", "Recommencer"),
    "token_not_found": Text("Non connecté", "Aucun jeton de cet utilisateur n’est conservé ici."),
    "ticket_rejected": Text("Ticket refusé", "Le ticket n’est pas valide, est trop ancien, a déjà été utilisé ou appartient à une autre session."),
    "wrong_browser": Text(
        "Veuillez recommencer dans ce navigateur",
        "Cette connexion a été commencée dans un autre navigateur et ne peut être terminée que dans cet autre navigateur. Rien n’a été modifié.",
        "Recommencer ici",
    ),
    "in_progress": Text("Un instant", "Votre connexion est en cours de finalisation. Vérifiez à nouveau dans un instant.", "Vérifier à nouveau"),
    "expired": Text("Le délai est dépassé", "Cette connexion a été commencée il y a plus de dix minutes. Veuillez recommencer.", "Recommencer"),
    "denied": DENIED,
    "verifier_rejected": Text("Cette connexion n’est plus valide", "{provider} n’accepte plus cette connexion. Veuillez recommencer.", "Recommencer"),
    "interrupted": Text(
        "Votre connexion a été interrompue",
        "{provider} a répondu, mais sa réponse s’est perdue en route\u00a0: votre compte n’a pas pu être connecté. Veuillez recommencer.",
        "Recommencer",
    ),
    "provider_rejected": Text(
        "{provider} a refusé cette application",
        "Ce n’est pas votre faute\u00a0: {provider} n’a pas accepté la demande de l’application. Si cela persiste, prévenez le responsable de ce service.",
        "Réessayer",
    ),
    "provider_unavailable": Text("{provider} est injoignable", "{provider} ne répond pas pour le moment. Rien n’est perdu\u00a0: réessayez {when}.", "Réessayer"),
    "not_configured": Text("Service pas encore configuré", "Ce service n’est pas entièrement configuré. Son responsable trouvera la raison dans le journal.", "Réessayer"),
    "internal": Text("Une erreur s’est produite", "C’est notre faute, pas la vôtre. Veuillez réessayer.", "Réessayer"),
}  # fmt: skip

LINK = Text("Ce lien est incorrect", "Retournez à la page d’où vous venez et réessayez à partir de là.")
FOR_OPERATOR = "Pour le responsable de ce service"

NO_COOKIE = Text(
    "Veuillez recommencer dans ce navigateur",
    "Ce navigateur n’a aucun cookie de cette connexion. Elle a été commencée dans un autre navigateur ou une autre fenêtre, ou bien les cookies sont bloqués ici\u00a0: "
    "autorisez-les alors pour ce site. Rien n’a été modifié.",
    "Recommencer ici",
)
NO_PIN_LEFT = Text(
    "C’était le dernier essai",
    "Aucun des cinq codes PIN n’était correct, cette connexion a donc pris fin. {provider} vous affichera un nouveau code PIN quand vous recommencerez.",
    "Recommencer avec un nouveau code PIN",
)

ACCOUNT_PROBLEMS = {
    Cause.USER_SUSPENDED: Text("Ce compte est suspendu", "{provider} a suspendu ce compte, il ne peut donc pas être connecté. Connectez-vous à {provider} pour en connaître la raison."),
    Cause.USER_LOCKED: Text("Ce compte est verrouillé", "{provider} a verrouillé ce compte pour le moment. Déverrouillez-le sur {provider}, puis recommencez.", "Recommencer"),
}  # fmt: skip

PIN = Text(
    "Connecter {provider} avec un code PIN",
    "Ouvrez {provider}, donnez votre accord et saisissez ici le code PIN qui s’y affiche.",
    "Terminer",
)
PIN_LINK = "Ouvrir {provider}"
PIN_NEW_TAB = "(s’ouvre dans un nouvel onglet)"
PIN_LABEL = "Code PIN"
PIN_AGAIN = "Recommencer"
NOT_A_PIN = Text(
    "Ce n’est pas un code PIN",
    "Un code PIN ne contient que des lettres, des chiffres et des traits d’union. Saisissez-le tel que {provider} l’affiche.",
    "Saisir à nouveau le code PIN",
)
ATTEMPTS_LEFT = "Essais restants\u00a0: {left}"
WRONG_PIN = Text(
    "Ce code PIN n’est pas correct",
    "Regardez le code PIN que {provider} vous affiche et saisissez-le à nouveau.",
    "Recommencer avec un nouveau code PIN",
)
REFERENCE = "Référence\u00a0: {reference}"
WHEN = {0: "dans un instant", 1: "dans une minute", 2: "dans {minutes} minutes"}
