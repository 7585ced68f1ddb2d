"""Portuguese, in words that Brazil and Portugal share: the words of ``text``."""

from tripod.provider_errors import Cause
from tripod_flow.api.text import Text

LANGUAGE = ("pt", "ltr")

GRANTED = Text("Conta conectada", "A sua conta {provider}{name} está conectada. Pode fechar esta página.")
CONSENTED = Text(
    "Falta um passo",
    "A conexão da sua conta {provider}{name} foi autorizada. Volte à aplicação de onde veio para terminar.",
)
DENIED = Text("Nada foi conectado", "Optou por não conectar a sua conta {provider}. Nada foi guardado.", "Tentar novamente")

PROBLEMS = {
    "bad_request": Text("Este pedido não está correto", "Falta algum dado ou há um dado inválido."),
    "return_to_not_allowed": Text("Este endereço de retorno não é permitido", "return_to não é permitido."),
    "unknown_provider": Text("Fornecedor desconhecido", "Não existe aqui nenhum fornecedor com este nome."),
    "unknown_authorization": Text("Não há nada para concluir aqui", "Este início de sessão é desconhecido ou expirou há muito tempo. Comece novamente.", "Começar novamente"),
    "token_not_found": Text("Conta não conectada", "Não há aqui tokens guardados desta pessoa."),
    "ticket_rejected": Text("Ticket recusado", "O ticket não é válido, é muito antigo, já foi usado ou pertence a outra sessão."),
    "wrong_browser": Text(
        "Comece novamente neste navegador",
        "Este início de sessão começou em outro navegador e só pode ser concluído lá. Nada foi alterado.",
        "Começar novamente aqui",
    ),
    "in_progress": Text("Só um momento", "O seu início de sessão está em fase de conclusão. Verifique novamente dentro de instantes.", "Verificar novamente"),
    "expired": Text("Tempo esgotado", "Este início de sessão começou há mais de dez minutos. Comece novamente.", "Começar novamente"),
    "denied": DENIED,
    "verifier_rejected": Text("Este início de sessão já não é válido", "{provider} já não aceita este início de sessão. Comece novamente.", "Começar novamente"),
    "interrupted": Text(
        "O seu início de sessão foi interrompido",
        "A resposta de {provider} não chegou até nós e, por isso, não foi possível conectar a sua conta. Comece novamente.",
        "Começar novamente",
    ),
    "provider_rejected": Text(
        "{provider} recusou esta aplicação",
        "A culpa não é sua: {provider} não aceitou o pedido da aplicação. Se o problema continuar, avise o responsável por este serviço.",
        "Tentar novamente",
    ),
    "provider_unavailable": Text("{provider} não está disponível", "{provider} não responde neste momento. Nada foi perdido: tente novamente {when}.", "Tentar novamente"),
    "not_configured": Text("Ainda não configurado", "Este serviço não está totalmente configurado. O responsável encontrará o motivo nos logs.", "Tentar novamente"),
    "internal": Text("Ocorreu um erro", "O erro é nosso, não seu. Tente novamente.", "Tentar novamente"),
}  # fmt: skip

LINK = Text("Este link não está correto", "Volte à página de onde veio e tente novamente a partir dela.")
FOR_OPERATOR = "Para o responsável por este serviço"

NO_COOKIE = Text(
    "Comece novamente neste navegador",
    "Este navegador não tem nenhum cookie deste início de sessão. Ou ele começou em outro navegador ou janela, ou os cookies estão bloqueados aqui: "
    "nesse caso, permita-os para este site. Nada foi alterado.",
    "Começar novamente aqui",
)
NO_PIN_LEFT = Text(
    "Essa foi a última tentativa",
    "Nenhum dos cinco PINs estava correto, por isso este início de sessão terminou. {provider} mostrará um novo PIN quando começar novamente.",
    "Começar novamente com um novo PIN",
)

ACCOUNT_PROBLEMS = {
    Cause.USER_SUSPENDED: Text("Esta conta está suspensa", "{provider} suspendeu esta conta, por isso não é possível conectá-la. Inicie sessão em {provider} para saber o motivo."),
    Cause.USER_LOCKED: Text("Esta conta está bloqueada", "{provider} bloqueou esta conta por enquanto. Desbloqueie-a em {provider} e comece novamente.", "Começar novamente"),
}  # fmt: skip

PIN = Text("Conectar {provider} com um PIN", "Abra {provider}, autorize e insira aqui o PIN que aparecer.", "Concluir")
PIN_LINK = "Abrir {provider}"
PIN_NEW_TAB = "(abre em nova página)"
PIN_LABEL = "PIN"
PIN_AGAIN = "Começar novamente"
NOT_A_PIN = Text(
    "Isso não pode ser um PIN",
    "Um PIN só tem letras, números e hífens. Insira-o tal como {provider} o mostra.",
    "Inserir o PIN novamente",
)
ATTEMPTS_LEFT = "Tentativas restantes: {left}"
WRONG_PIN = Text(
    "Esse PIN não está correto", "Veja o PIN que {provider} mostra e insira-o novamente.", "Começar novamente com um novo PIN"
)
REFERENCE = "Referência: {reference}"
WHEN = {0: "dentro de instantes", 1: "dentro de um minuto", 2: "dentro de {minutes} minutos"}
