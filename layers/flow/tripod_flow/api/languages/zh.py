"""Chinese in simplified characters: the words of ``text``."""

from tripod.provider_errors import Cause
from tripod_flow.api.text import Text

LANGUAGE = ("zh-Hans", "ltr")

GRANTED = Text("账号已连接", "您的 {provider} 账号{name}已连接。您可以关闭此页面。")
CONSENTED = Text("还差一步", "您已同意连接您的 {provider} 账号{name}。请返回原来的应用以完成操作。")
DENIED = Text("未建立连接", "您选择了不连接您的 {provider} 账号。未保存任何内容。", "重试")

PROBLEMS = {
    "bad_request": Text("此请求不正确", "其中缺少内容或内容有误。"),
    "return_to_not_allowed": Text("不允许使用此返回地址", "不允许使用该 return_to。"),
    "unknown_provider": Text("未知的提供方", "这里没有该名称的提供方。"),
    "unknown_authorization": Text("没有可完成的操作", "此次登录不存在，或早已过期。请重新开始。", "重新开始"),
    "token_not_found": Text("账号未连接", "此处未保存该用户的令牌。"),
    "ticket_rejected": Text("票据被拒绝", "票据无效、过旧、已被使用，或属于其他会话。"),
    "wrong_browser": Text("请在此浏览器中重新开始", "此次登录是在另一个浏览器中开始的，只能在那里完成。未做任何更改。", "在此重新开始"),
    "in_progress": Text("请稍候", "正在完成您的登录。请稍后再查看。", "再次查看"),
    "expired": Text("操作超时", "此次登录是在十多分钟前开始的。请重新开始。", "重新开始"),
    "denied": DENIED,
    "verifier_rejected": Text("此次登录已失效", "{provider} 不再接受此次登录。请重新开始。", "重新开始"),
    "interrupted": Text("您的登录已中断", "{provider} 的响应在传输途中丢失，因此未能连接您的账号。请重新开始。", "重新开始"),
    "provider_rejected": Text("{provider} 拒绝了此应用", "这不是您的问题：{provider} 没有接受该应用的请求。如果问题持续存在，请告知此服务的运营方。", "重试"),
    "provider_unavailable": Text("无法连接到 {provider}", "{provider} 目前没有响应。没有任何内容丢失：请在{when}重试。", "重试"),
    "not_configured": Text("尚未完成设置", "此服务尚未完全设置好。运营方可在日志中找到原因。", "重试"),
    "internal": Text("出现问题", "这是我们的问题，与您无关。请重试。", "重试"),
}  # fmt: skip

LINK = Text("此链接不正确", "请返回您来时的页面，并从那里重试。")
FOR_OPERATOR = "供此服务的运营方查看"

NO_COOKIE = Text(
    "请在此浏览器中重新开始",
    "此浏览器中没有此次登录的 Cookie。登录可能是在其他浏览器或窗口中开始的，也可能是 Cookie 在此被阻止：如果是这样，请允许此网站使用 Cookie。未做任何更改。",
    "在此重新开始",
)
NO_PIN_LEFT = Text(
    "已是最后一次尝试",
    "五次输入的 PIN 码均不正确，此次登录已结束。重新开始时，{provider} 会向您显示新的 PIN 码。",
    "使用新 PIN 码重新开始",
)

ACCOUNT_PROBLEMS = {
    Cause.USER_SUSPENDED: Text("此账号已被停用", "{provider} 已停用此账号，因此无法连接。请登录 {provider} 查看原因。"),
    Cause.USER_LOCKED: Text("此账号已被锁定", "{provider} 暂时锁定了此账号。请在 {provider} 解锁，然后重新开始。", "重新开始"),
}  # fmt: skip

PIN = Text("使用 PIN 码连接 {provider}", "打开 {provider} 并同意，然后在此输入它显示的 PIN 码。", "完成")
PIN_LINK = "打开 {provider}"
PIN_NEW_TAB = "（在新标签页中打开）"
PIN_LABEL = "PIN 码"
PIN_AGAIN = "重新开始"
NOT_A_PIN = Text("这不是有效的 PIN 码", "PIN 码只包含字母、数字和连字符。请按照 {provider} 显示的内容输入。", "重新输入 PIN 码")
ATTEMPTS_LEFT = "还可以尝试 {left} 次。"
WRONG_PIN = Text("PIN 码不正确", "请查看 {provider} 显示的 PIN 码，然后重新输入。", "使用新 PIN 码重新开始")
REFERENCE = "参考编号：{reference}"
WHEN = {0: "片刻后", 1: " 1 分钟后", 2: " {minutes} 分钟后"}
