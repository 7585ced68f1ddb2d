"""``make cost``: what Tripod costs a month, computed from a dated price table and measured durations, into docs/cost.md."""

from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).with_name("cost.md")
BEGIN, END = "<!-- computed by docs/cost.py -->", "<!-- to here -->"

DATE = "2026-11-24"
REGION = "us-east-1"


@dataclass(frozen=True)
class Price:
    """US dollars for one of a unit, as a page of AWS's says."""

    dollars: float
    unit: str
    page: str


MILLION = 1e6
PRICES = {
    "secret": Price(0.40, "secret and month", "aws.amazon.com/secrets-manager/pricing"),
    "secret call": Price(0.05 / 10_000, "API call", "aws.amazon.com/secrets-manager/pricing"),
    "write": Price(0.625 / MILLION, "write request unit (1 KB)", "aws.amazon.com/dynamodb/pricing/on-demand"),
    "read": Price(0.125 / MILLION, "read request unit (4 KB)", "aws.amazon.com/dynamodb/pricing/on-demand"),
    "api": Price(1.00 / MILLION, "HTTP API request", "aws.amazon.com/api-gateway/pricing"),
    "invocation": Price(0.20 / MILLION, "invocation", "aws.amazon.com/lambda/pricing"),
    "GB-second": Price(0.0000133334, "GB-second on arm64", "aws.amazon.com/lambda/pricing"),
    "event": Price(1.00 / MILLION, "custom event", "aws.amazon.com/eventbridge/pricing"),
    "log": Price(0.50, "GB of logs taken in", "aws.amazon.com/cloudwatch/pricing"),
    "metric": Price(0.30, "custom metric and month", "aws.amazon.com/cloudwatch/pricing"),
    "alarm": Price(0.10, "metric of an alarm and month", "aws.amazon.com/cloudwatch/pricing"),
}

MEMORY = 1.0  # GB: the parameter Memory's default

# Seconds that a warm invocation takes, and what a cold one takes beyond it, rounded up from docs/performance.md, whose runs differ by a
# fifth (redeem and relay: measured on 2026-11-24 in the same way); PROVIDER is added to each leg.
WARM = {"start": 0.010, "callback": 0.043, "redeem": 0.038, "relay": 0.038}
PROVIDER = 0.3  # seconds that X takes for one leg: assumed
COLD = 0.4  # seconds, at MEMORY
COLD_SHARE = 0.05  # of invocations: assumed; few users meet more cold starts, and pay almost nothing for them

# One sign-in with a ticket. Writes: start's item, claim, commit and its entry in
# the index of what is owed, connection and its index entry, the settle (a transaction of two items counts twice), the relay's note.
WRITES = 1 + 1 + 2 + 2 + 4 + 2
READS = 4  # redeem's and the relay's
LOG_BYTES = 4_000  # of functions and access log: assumed
SWEEPS = 60 * 24 * 30.4  # a month
SWEEP_READS = 8  # one query a shard, at least half a unit each
METRICS, ALARMS = 20, 18  # functions' outcomes that occur; what the template's alarms watch, each metric of one being paid for


@dataclass(frozen=True)
class Month:
    """One scenario: users whose tokens are kept, sign-ins, and reads of tokens from Secrets Manager."""

    name: str
    users: int
    sign_ins: int
    reads: int

    def parts(self) -> dict[str, float]:
        """Return dollars a month, by service."""
        seconds = sum(WARM.values()) + 2 * PROVIDER + len(WARM) * COLD_SHARE * COLD
        stored = self.sign_ins if self.users else 0
        compute = self.sign_ins * (seconds * MEMORY * _of("GB-second") + len(WARM) * _of("invocation"))
        sweeping = SWEEPS * (WARM["relay"] * MEMORY * _of("GB-second") + _of("invocation") + SWEEP_READS * _of("read"))
        return {
            "secrets": self.users * _of("secret"),
            "secret calls": (stored + self.reads) * _of("secret call"),
            "DynamoDB": self.sign_ins * (WRITES * _of("write") + READS * _of("read")),
            "Lambda": compute,
            "API and events": self.sign_ins * (2 * _of("api") + _of("event")),
            "logs, metrics, alarms": self.sign_ins * LOG_BYTES / 1e9 * _of("log")
            + METRICS * _of("metric")
            + ALARMS * _of("alarm"),
            "sweeps": sweeping,
        }


def _of(name: str) -> float:
    return PRICES[name].dollars


# Each user signs in twice a month, and 3,000 of each user's token reads a month miss the cache (a job every quarter of an hour).
SCENARIOS = [Month(f"{users:,} users", users, 2 * users, 3_000 * users) for users in (1_000, 10_000, 100_000)]
SCENARIOS.append(Month('10,000,000 sign-ins, `"store": false`', 0, 10_000_000, 0))


def attack() -> float:
    """Return dollars for 1,000 starts that nobody finishes."""
    seconds = WARM["start"] + PROVIDER + COLD_SHARE * COLD
    one = seconds * MEMORY * _of("GB-second") + _of("invocation") + _of("api") + _of("write") + LOG_BYTES / 2e9 * _of("log")
    return 1_000 * one


# What the relay can't do is tried for a week (tripod_flow/rules/backoff.py): eight times in the first quarter of an hour, then
# each quarter of an hour, up to a fifth more. A try reads the item twice, and writes it and its entry in the index twice.
OUTAGE_TRIES = 8 + 7 * 86_400 / (900 * 1.1)
TRY_READS, TRY_WRITES = 2, 4


def outage() -> float:
    """Return dollars for 1,000 grants that can't be stored for a week, and are given up then."""
    calls = _of("secret call") + TRY_READS * _of("read") + TRY_WRITES * _of("write")
    compute = WARM["relay"] * MEMORY * _of("GB-second") + 2 * _of("invocation")  # at worst each has invocations of its own
    return 1_000 * OUTAGE_TRIES * (calls + compute + LOG_BYTES / 1e9 * _of("log"))


def tables() -> str:
    """Return the tables of the page."""
    parts = list(SCENARIOS[0].parts())
    lines = [f"| US dollars a month | {' | '.join(parts)} | together |", f"|---|{'---:|' * (len(parts) + 1)}"]
    for month in SCENARIOS:
        amounts = month.parts()
        lines.append(
            f"| {month.name} | {' | '.join(f'{one:,.2f}' for one in amounts.values())} | **{sum(amounts.values()):,.2f}** |"
        )
    lines += ["", f"1,000 starts that nobody finishes cost ${attack():.3f}."]
    lines += [f"1,000 grants that can't be stored for a week, and are given up then, cost ${outage():.2f}.", ""]
    lines += [f"Prices of {REGION}, as of {DATE}, without free tiers:", "", "| price | for one | from |", "|---|---|---|"]
    lines += [
        f"| ${price.dollars:.10f}".rstrip("0").rstrip(".") + f" | {price.unit} | {price.page} |" for price in PRICES.values()
    ]
    return "\n".join(lines)


def page(text: str) -> str:
    """Return the page with its computed part made anew."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{tables()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
