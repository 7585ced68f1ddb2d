"""Spanish: the words of ``text``."""

from tripod.provider_errors import Cause
from tripod_flow.api.text import Text

LANGUAGE = ("es", "ltr")

GRANTED = Text("Cuenta conectada", "Tu cuenta de {provider}{name} ya está conectada. Puedes cerrar esta página.")
CONSENTED = Text(
    "Falta un paso",
    "Has aceptado conectar tu cuenta de {provider}{name}. Vuelve a la aplicación desde la que llegaste para terminar.",
)
DENIED = Text(
    "No se ha conectado nada",
    "Has decidido no conectar tu cuenta de {provider}. No se ha guardado nada.",
    "Intentar de nuevo",
)

PROBLEMS = {
    "bad_request": Text("Esta solicitud no es correcta", "Falta algún dato o no es válido."),
    "return_to_not_allowed": Text("Esta dirección de retorno no está permitida", "return_to no está permitido."),
    "unknown_provider": Text("Proveedor desconocido", "Aquí no hay ningún proveedor con ese nombre."),
    "unknown_authorization": Text("Aquí no hay nada que terminar", "Este inicio de sesión no existe o caducó hace tiempo. Empieza de nuevo.", "Empezar de nuevo"),
    "token_not_found": Text("Cuenta no conectada", "Aquí no se guardan tokens de este usuario."),
    "ticket_rejected": Text("Ticket rechazado", "El ticket no es válido, es demasiado antiguo, ya se ha canjeado o pertenece a otra sesión."),
    "wrong_browser": Text(
        "Empieza de nuevo en este navegador",
        "Este inicio de sesión se empezó en otro navegador y solo se puede terminar allí. No se ha cambiado nada.",
        "Empezar de nuevo aquí",
    ),
    "in_progress": Text("Un momento", "Se está completando tu inicio de sesión. Vuelve a comprobarlo en un momento.", "Comprobar de nuevo"),
    "expired": Text("Ha pasado demasiado tiempo", "Este inicio de sesión se empezó hace más de diez minutos. Empieza de nuevo.", "Empezar de nuevo"),
    "denied": DENIED,
    "verifier_rejected": Text("Este inicio de sesión ya no es válido", "{provider} ya no acepta este inicio de sesión. Empieza de nuevo.", "Empezar de nuevo"),
    "interrupted": Text(
        "Tu inicio de sesión se interrumpió",
        "La respuesta de {provider} se perdió por el camino, así que no se pudo conectar tu cuenta. Empieza de nuevo.",
        "Empezar de nuevo",
    ),
    "provider_rejected": Text(
        "{provider} ha rechazado esta aplicación",
        "No es culpa tuya: {provider} no ha aceptado la solicitud de la aplicación. Si el problema continúa, avisa a quien gestiona este servicio.",
        "Intentar de nuevo",
    ),
    "provider_unavailable": Text("No se puede acceder a {provider}", "{provider} no responde en este momento. No se ha perdido nada: inténtalo de nuevo {when}.", "Intentar de nuevo"),
    "not_configured": Text("Aún no está configurado", "Este servicio no está configurado por completo. Quien lo gestiona encontrará el motivo en el registro.", "Intentar de nuevo"),
    "internal": Text("Algo ha salido mal", "Es un error nuestro, no tuyo. Inténtalo de nuevo.", "Intentar de nuevo"),
}  # fmt: skip

LINK = Text("Este enlace no es correcto", "Vuelve a la página desde la que llegaste e inténtalo de nuevo desde allí.")
FOR_OPERATOR = "Para quien gestiona este servicio"

NO_COOKIE = Text(
    "Empieza de nuevo en este navegador",
    "Este navegador no tiene ninguna cookie de este inicio de sesión. Se empezó en otro navegador o en otra ventana, o las cookies están bloqueadas aquí: "
    "en ese caso, permítelas para este sitio. No se ha cambiado nada.",
    "Empezar de nuevo aquí",
)
NO_PIN_LEFT = Text(
    "Ese era el último intento",
    "Ninguno de los cinco PIN era correcto, así que este inicio de sesión ha terminado. {provider} te mostrará un PIN nuevo cuando empieces de nuevo.",
    "Empezar de nuevo con otro PIN",
)

ACCOUNT_PROBLEMS = {
    Cause.USER_SUSPENDED: Text("Esta cuenta está suspendida", "{provider} ha suspendido esta cuenta, así que no se puede conectar. Inicia sesión en {provider} para saber el motivo."),
    Cause.USER_LOCKED: Text("Esta cuenta está bloqueada", "{provider} ha bloqueado esta cuenta por ahora. Desbloquéala en {provider} y empieza de nuevo.", "Empezar de nuevo"),
}  # fmt: skip

PIN = Text(
    "Conectar {provider} con un PIN", "Abre {provider}, da tu consentimiento e introduce aquí el PIN que te muestre.", "Terminar"
)
PIN_LINK = "Abrir {provider}"
PIN_NEW_TAB = "(se abre en una pestaña nueva)"
PIN_LABEL = "PIN"
PIN_AGAIN = "Empezar de nuevo"
NOT_A_PIN = Text(
    "Eso no puede ser un PIN",
    "Un PIN solo tiene letras, números y guiones. Introdúcelo tal como lo muestra {provider}.",
    "Introducir el PIN de nuevo",
)
ATTEMPTS_LEFT = "Intentos restantes: {left}"
WRONG_PIN = Text(
    "Ese PIN no es correcto",
    "Mira el PIN que te muestra {provider} e introdúcelo de nuevo.",
    "Empezar de nuevo con otro PIN",
)
REFERENCE = "Referencia: {reference}"
WHEN = {0: "en un momento", 1: "en un minuto", 2: "en {minutes} minutos"}
