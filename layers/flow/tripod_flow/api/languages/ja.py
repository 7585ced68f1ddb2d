"""Japanese: the words of ``text``."""

from tripod.provider_errors import Cause
from tripod_flow.api.text import Text

LANGUAGE = ("ja", "ltr")

GRANTED = Text("連携が完了しました", "{provider}アカウント{name}の連携が完了しました。このページは閉じてかまいません。")
CONSENTED = Text(
    "あと1ステップです", "{provider}アカウント{name}の連携に同意しました。元のアプリに戻って、手続きを完了してください。"
)
DENIED = Text(
    "連携されませんでした",
    "{provider}アカウントを連携しないことを選択しました。何も保存されていません。",
    "もう一度試す",
)

PROBLEMS = {
    "bad_request": Text("リクエストが正しくありません", "必要な項目が不足しているか、誤りがあります。"),
    "return_to_not_allowed": Text("この戻り先は許可されていません", "return_to は許可されていません。"),
    "unknown_provider": Text("不明なプロバイダーです", "この名前のプロバイダーはありません。"),
    "unknown_authorization": Text("完了できる手続きがありません", "このログインは見つからないか、期限が大幅に過ぎています。最初からやり直してください。", "最初からやり直す"),
    "token_not_found": Text("連携されていません", "このユーザーのトークンは保存されていません。"),
    "ticket_rejected": Text("チケットは受け付けられませんでした", "チケットが無効か、古すぎるか、使用済みか、別のセッションのものです。"),
    "wrong_browser": Text(
        "このブラウザーで最初からやり直してください",
        "このログインは別のブラウザーで開始されたため、そのブラウザーでのみ完了できます。変更は行われていません。",
        "ここで最初からやり直す",
    ),
    "in_progress": Text("しばらくお待ちください", "ログインの処理を完了しています。少ししてからもう一度ご確認ください。", "もう一度確認する"),
    "expired": Text("時間切れです", "このログインは開始から10分以上が経過しました。最初からやり直してください。", "最初からやり直す"),
    "denied": DENIED,
    "verifier_rejected": Text("このログインは無効になりました", "{provider}がこのログインを受け付けませんでした。最初からやり直してください。", "最初からやり直す"),
    "interrupted": Text(
        "ログインが中断されました", "{provider}からの応答が途中で失われたため、アカウントを連携できませんでした。最初からやり直してください。", "最初からやり直す"
    ),
    "provider_rejected": Text(
        "{provider}がこのアプリを拒否しました",
        "お客様の操作に問題はありません。{provider}がアプリのリクエストを受け付けませんでした。問題が続く場合は、このサービスの運営者にお知らせください。",
        "もう一度試す",
    ),
    "provider_unavailable": Text("{provider}に接続できません", "現在、{provider}から応答がありません。データは失われていません。{when}もう一度お試しください。", "もう一度試す"),
    "not_configured": Text("設定が完了していません", "このサービスの設定はまだ完了していません。原因は運営者がログで確認できます。", "もう一度試す"),
    "internal": Text("問題が発生しました", "お客様の操作ではなく、こちらに問題があります。もう一度お試しください。", "もう一度試す"),
}  # fmt: skip

LINK = Text("リンクが正しくありません", "元のページに戻り、そこからもう一度お試しください。")
FOR_OPERATOR = "このサービスの運営者の方へ"

NO_COOKIE = Text(
    "このブラウザーで最初からやり直してください",
    "このブラウザーには、このログインのCookieがありません。別のブラウザーやウィンドウで開始されたか、Cookieがブロックされています。"
    "ブロックされている場合は、このサイトのCookieを許可してください。変更は行われていません。",
    "ここで最初からやり直す",
)
NO_PIN_LEFT = Text(
    "最後の試行でした",
    "5回入力されたPINはいずれも正しくなかったため、このログインは終了しました。最初からやり直すと、{provider}に新しいPINが表示されます。",
    "新しいPINで最初からやり直す",
)

ACCOUNT_PROBLEMS = {
    Cause.USER_SUSPENDED: Text("このアカウントは凍結されています", "{provider}がこのアカウントを凍結しているため、連携できません。理由は{provider}にログインして確認してください。"),
    Cause.USER_LOCKED: Text("このアカウントはロックされています", "{provider}がこのアカウントを一時的にロックしています。{provider}でロックを解除してから、最初からやり直してください。", "最初からやり直す"),
}  # fmt: skip

PIN = Text("PINで{provider}と連携する", "{provider}を開いて同意し、表示されたPINをここに入力してください。", "完了する")
PIN_LINK = "{provider}を開く"
PIN_NEW_TAB = "（新しいタブで開きます）"
PIN_LABEL = "PIN"
PIN_AGAIN = "最初からやり直す"
NOT_A_PIN = Text(
    "PINとして正しくありません",
    "PINに使われるのは半角の英数字とハイフンだけです。{provider}に表示されたとおりに入力してください。",
    "PINをもう一度入力する",
)
ATTEMPTS_LEFT = "あと{left}回入力できます。"
WRONG_PIN = Text(
    "PINが正しくありません",
    "{provider}に表示されているPINを確認して、もう一度入力してください。",
    "新しいPINで最初からやり直す",
)
REFERENCE = "参照番号：{reference}"
WHEN = {0: "しばらくしてから", 1: "1分後に", 2: "{minutes}分後に"}
