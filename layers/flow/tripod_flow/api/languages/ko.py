"""Korean: the words of ``text``. Particles stand only where they are the same after any name."""

from tripod.provider_errors import Cause
from tripod_flow.api.text import Text

LANGUAGE = ("ko", "ltr")

GRANTED = Text("연결되었습니다", "{provider} 계정{name} 연결이 완료되었습니다. 이 페이지를 닫아도 됩니다.")
CONSENTED = Text("한 단계 남았습니다", "{provider} 계정{name} 연결에 동의했습니다. 원래 앱으로 돌아가 연결을 완료하세요.")
DENIED = Text(
    "연결되지 않았습니다",
    "{provider} 계정을 연결하지 않기로 선택했습니다. 저장된 정보는 없습니다.",
    "다시 시도",
)

PROBLEMS = {
    "bad_request": Text("올바르지 않은 요청입니다", "누락되었거나 잘못된 항목이 있습니다."),
    "return_to_not_allowed": Text("허용되지 않은 반환 주소입니다", "return_to 값이 허용되지 않습니다."),
    "unknown_provider": Text("알 수 없는 제공업체입니다", "이 이름의 제공업체가 없습니다."),
    "unknown_authorization": Text("완료할 로그인이 없습니다", "알 수 없는 로그인이거나 만료된 지 오래된 로그인입니다. 다시 시작하세요.", "다시 시작"),
    "token_not_found": Text("연결된 계정이 없습니다", "이 사용자의 토큰이 저장되어 있지 않습니다."),
    "ticket_rejected": Text("티켓이 거부되었습니다", "티켓이 유효하지 않거나, 너무 오래되었거나, 이미 사용되었거나, 다른 세션의 티켓입니다."),
    "wrong_browser": Text(
        "이 브라우저에서 다시 시작하세요", "이 로그인은 다른 브라우저에서 시작되어 그 브라우저에서만 완료할 수 있습니다. 변경된 내용은 없습니다.", "여기서 다시 시작"
    ),
    "in_progress": Text("잠시 기다려 주세요", "로그인을 완료하는 중입니다. 잠시 후 다시 확인하세요.", "다시 확인"),
    "expired": Text("시간이 초과되었습니다", "이 로그인은 시작된 지 10분이 넘었습니다. 다시 시작하세요.", "다시 시작"),
    "denied": DENIED,
    "verifier_rejected": Text("이 로그인은 더 이상 유효하지 않습니다", "{provider}에서 이 로그인을 더 이상 허용하지 않습니다. 다시 시작하세요.", "다시 시작"),
    "interrupted": Text("로그인이 중단되었습니다", "{provider}의 응답이 전송 중에 유실되어 계정을 연결하지 못했습니다. 다시 시작하세요.", "다시 시작"),
    "provider_rejected": Text(
        "{provider}에서 이 앱을 거부했습니다", "사용자의 잘못이 아닙니다. {provider}에서 앱의 요청을 받아들이지 않았습니다. 문제가 계속되면 이 서비스의 운영자에게 알려 주세요.", "다시 시도"
    ),
    "provider_unavailable": Text("{provider}에 연결할 수 없습니다", "현재 {provider}에서 응답이 없습니다. 손실된 정보는 없습니다. {when} 다시 시도하세요.", "다시 시도"),
    "not_configured": Text("아직 설정되지 않았습니다", "이 서비스의 설정이 완료되지 않았습니다. 운영자가 로그에서 원인을 확인할 수 있습니다.", "다시 시도"),
    "internal": Text("문제가 발생했습니다", "사용자의 잘못이 아니라 서비스의 문제입니다. 다시 시도하세요.", "다시 시도"),
}  # fmt: skip

LINK = Text("잘못된 링크입니다", "이전 페이지로 돌아가 다시 시도하세요.")
FOR_OPERATOR = "이 서비스의 운영자용 정보"

NO_COOKIE = Text(
    "이 브라우저에서 다시 시작하세요",
    "이 브라우저에는 이 로그인의 쿠키가 없습니다. 다른 브라우저나 창에서 시작했거나 쿠키가 차단되어 있습니다. "
    "차단된 경우 이 사이트의 쿠키를 허용하세요. 변경된 내용은 없습니다.",
    "여기서 다시 시작",
)
NO_PIN_LEFT = Text(
    "마지막 시도였습니다",
    "입력한 PIN 5개가 모두 올바르지 않아 이 로그인이 종료되었습니다. 다시 시작하면 {provider}에서 새 PIN을 표시합니다.",
    "새 PIN으로 다시 시작",
)

ACCOUNT_PROBLEMS = {
    Cause.USER_SUSPENDED: Text("정지된 계정입니다", "{provider}에서 이 계정을 정지하여 연결할 수 없습니다. {provider}에 로그인하면 사유를 확인할 수 있습니다."),
    Cause.USER_LOCKED: Text("잠긴 계정입니다", "{provider}에서 이 계정을 일시적으로 잠갔습니다. {provider}에서 잠금을 해제한 후 다시 시작하세요.", "다시 시작"),
}  # fmt: skip

PIN = Text("PIN으로 {provider} 연결", "{provider} 페이지를 열어 동의한 후, 표시된 PIN을 여기에 입력하세요.", "완료")
PIN_LINK = "{provider} 열기"
PIN_NEW_TAB = "(새 탭에서 열림)"
PIN_LABEL = "PIN"
PIN_AGAIN = "다시 시작"
NOT_A_PIN = Text(
    "올바른 PIN이 아닙니다", "PIN에는 영문자, 숫자, 하이픈만 사용됩니다. {provider}에 표시된 대로 입력하세요.", "PIN 다시 입력"
)
ATTEMPTS_LEFT = "남은 시도 횟수: {left}"
WRONG_PIN = Text("PIN이 올바르지 않습니다", "{provider}에 표시된 PIN을 확인하고 다시 입력하세요.", "새 PIN으로 다시 시작")
REFERENCE = "참조 번호: {reference}"
WHEN = {0: "잠시 후", 1: "1분 후", 2: "{minutes}분 후"}
