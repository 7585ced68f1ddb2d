"""``make cost``: what Tripod costs a month, computed from a dated price table and measured durations, into docs/cost.md."""

from dataclasses import dataclass
from enum import Enum
from math import ceil
from pathlib import Path

PAGE = Path(__file__).with_name("cost.md")
BEGIN, END = "<!-- computed by docs/cost.py: {} -->", "<!-- to here -->"

REGION = "us-east-1"


@dataclass(frozen=True)
class Price:
    """US dollars for one of a unit, as a page of AWS's says, on a date."""

    dollars: float
    unit: str
    page: str
    date: str = "2026-11-24"


MILLION = 1e6
PRICES = {
    "secret": Price(0.40, "secret and month", "aws.amazon.com/secrets-manager/pricing"),
    "secret call": Price(0.05 / 10_000, "API call", "aws.amazon.com/secrets-manager/pricing"),
    "key": Price(1.00, "KMS key and month", "aws.amazon.com/kms/pricing", "2026-11-26"),
    "KMS request": Price(0.03 / 10_000, "KMS request with a symmetric key", "aws.amazon.com/kms/pricing", "2026-11-26"),
    "write": Price(0.625 / MILLION, "write request unit (1 KB)", "aws.amazon.com/dynamodb/pricing/on-demand"),
    "read": Price(0.125 / MILLION, "read request unit (4 KB)", "aws.amazon.com/dynamodb/pricing/on-demand"),
    "GB kept": Price(0.25, "GB in a table and month", "aws.amazon.com/dynamodb/pricing/on-demand", "2026-11-26"),
    "GB backed up": Price(
        0.20, "GB of point-in-time recovery and month", "aws.amazon.com/dynamodb/pricing/on-demand", "2026-11-26"
    ),
    "api": Price(1.00 / MILLION, "HTTP API request", "aws.amazon.com/api-gateway/pricing"),
    "invocation": Price(0.20 / MILLION, "invocation", "aws.amazon.com/lambda/pricing"),
    "GB-second": Price(0.0000133334, "GB-second on arm64", "aws.amazon.com/lambda/pricing"),
    "event": Price(1.00 / MILLION, "custom event", "aws.amazon.com/eventbridge/pricing"),
    "log": Price(0.50, "GB of logs taken in", "aws.amazon.com/cloudwatch/pricing"),
    "metric": Price(0.30, "custom metric and month", "aws.amazon.com/cloudwatch/pricing"),
    "alarm": Price(0.10, "metric of an alarm and month", "aws.amazon.com/cloudwatch/pricing"),
    "event copy": Price(
        2.00 / 100_000, "management event in each trail after the first", "aws.amazon.com/cloudtrail/pricing", "2026-11-26"
    ),
}

MEMORY = 1.0  # GB: the parameter Memory's default

# Seconds that a warm invocation takes, and what a cold one takes beyond it, rounded up from docs/performance.md, whose runs differ by a
# fifth (redeem and relay: measured on 2026-11-24 in the same way); PROVIDER is added to each leg.
WARM = {"start": 0.010, "callback": 0.043, "redeem": 0.038, "relay": 0.038}
PROVIDER = 0.3  # seconds that X takes for one leg: assumed
COLD = 0.4  # seconds, at MEMORY
COLD_SHARE = 0.05  # of invocations: assumed; few users meet more cold starts, and pay almost nothing for them


class Store(Enum):
    """Where users' tokens are kept, as the page names it."""

    SECRETS_MANAGER = "Secrets Manager"
    TABLE = "the table"
    NONE = "nowhere"


SECRETS_MANAGER, TABLE, NONE = Store

# One sign-in with a ticket. Writes: start's item, claim; commit and its entry in the index of what is owed, connection and its index
# entry, the settle (a transaction of two items counts twice); the relay's note. Into the table, instead of what is between: one
# transaction of two items of at most 2 KB, and their two index entries.
WRITES = {SECRETS_MANAGER: 1 + 1 + 2 + 2 + 4 + 2, TABLE: 1 + 1 + 2 * (2 + 2) + 2 + 2}
WRITES[NONE] = WRITES[SECRETS_MANAGER]
READS = 5  # redeem's and the relay's
LOG_BYTES = 4_000  # of functions and access log: assumed
KEPT_BYTES = 2_000  # a connection, its index entry, what DynamoDB adds: assumed
DAYS = 30.4  # a month
X_USER_READ = 0.010  # dollars: X's price since 2026-02-06; whether it charges account/verify_credentials so is not known
SWEEPS = 60 * 24 * DAYS  # a month
SWEEP_READS = 8  # one query a shard, at least half a unit each
METRICS, ALARMS = 22, 19  # functions' outcomes that occur; what the template's alarms watch, each metric of one being paid for

# Reads of one user's tokens in a month. No cache of five minutes helps, unless several reads fall together.
QUARTER_HOURLY, DAILY = 96 * DAYS, DAYS
CACHE = 300  # seconds
SIZES = (1_000, 10_000, 100_000, 1_000_000)
MOST_SECRETS = 500_000  # in an account and region
LEAST_KMS_QUOTA = 10_000  # requests a second; also Secrets Manager's of GetSecretValue


@dataclass(frozen=True)
class Month:
    """One scenario: users whose tokens are kept, sign-ins, reads of tokens that no cache answers, and the store."""

    name: str
    users: int
    sign_ins: int
    reads: float
    store: Store

    def parts(self) -> dict[str, float]:
        """Return dollars a month, by service."""
        seconds = sum(WARM.values()) + 2 * PROVIDER + len(WARM) * COLD_SHARE * COLD
        compute = self.sign_ins * (seconds * MEMORY * _of("GB-second") + len(WARM) * _of("invocation"))
        sweeping = SWEEPS * (WARM["relay"] * MEMORY * _of("GB-second") + _of("invocation") + SWEEP_READS * _of("read"))
        in_secrets, in_table = self.store is SECRETS_MANAGER, self.store is TABLE
        calls = self.sign_ins + self.reads  # each keeps or reads one user's tokens
        return {
            "secrets": in_secrets * self.users * _of("secret"),
            "secret calls": in_secrets * calls * _of("secret call"),
            "KMS": in_table * (_of("key") + calls * _of("KMS request")),
            "DynamoDB": self.sign_ins * (WRITES[self.store] * _of("write") + READS * _of("read"))
            + in_table * self.reads * _of("read")
            + self.users * KEPT_BYTES / 1e9 * (_of("GB kept") + _of("GB backed up")),
            "Lambda": compute,
            "API and events": self.sign_ins * (2 * _of("api") + _of("event")),
            "logs, metrics, alarms": self.sign_ins * LOG_BYTES / 1e9 * _of("log")
            + METRICS * _of("metric")
            + ALARMS * _of("alarm"),
            "sweeps": sweeping,
        }

    def total(self) -> float:
        """Return dollars a month, all together."""
        return sum(self.parts().values())


def _of(name: str) -> float:
    return PRICES[name].dollars


def of_users(users: int, store: Store, reads: float) -> Month:
    """Return the month of users who each sign in twice, and whose tokens are each read so often."""
    return Month(f"{users:,} users, {store.value}", users, 2 * users, reads * users, store)


SIGN_INS_ONLY = Month('10,000,000 sign-ins, `"store": "none"`', 0, 10_000_000, 0, NONE)


def of_reads(reads: float, store: Store) -> float:
    """Return dollars for so many reads of users' tokens that no cache answers."""
    return reads * (_of("secret call") if store is SECRETS_MANAGER else _of("read") + _of("KMS request"))


def per_second(users: int) -> float:
    """Return how many reads a second come to each user's one in a quarter of an hour, spread evenly."""
    return users / 900


def uncached(every: float, cache: float, processes: int = 1) -> float:
    """Return the share of reads that no cache answers, where a user's come ``every`` so many seconds, to any of ``processes``.

    After one that was not cached, each read within the cache's time finds it, if it comes to the same process.
    """
    return 1 / (1 + (ceil(cache / every) - 1) / processes)


def with_data_keys(month: Month, processes: int) -> float:
    """Return dollars a month for the table, if each reading process had its provider's data key decrypted once in five minutes."""
    instead = processes * DAYS * 86_400 / CACHE * _of("KMS request")
    return month.total() - month.reads * _of("KMS request") + instead


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
    """Return dollars for 1,000 grants that can't be stored in Secrets Manager for a week, and are given up then."""
    calls = _of("secret call") + TRY_READS * _of("read") + TRY_WRITES * _of("write")
    compute = WARM["relay"] * MEMORY * _of("GB-second") + 2 * _of("invocation")  # at worst each has invocations of its own
    return 1_000 * OUTAGE_TRIES * (calls + compute + LOG_BYTES / 1e9 * _of("log"))


# A check reads and writes the connection twice (the lease, the finding; each in the index of connections too) and reads one secret.
CHECK_READS, CHECK_WRITES = 2, 2 * 2


def checks(connections: int, days: float) -> float:
    """Return dollars for checking so many connections once a day for ``days``, in rounds, without what the provider charges."""
    one = PROVIDER * MEMORY * _of("GB-second") + CHECK_READS * _of("read") + CHECK_WRITES * _of("write") + _of("secret call")
    return connections * days * one


def _dollars(amount: float) -> str:
    """Return an amount, with cents below 100."""
    return f"{amount:,.0f}" if amount >= 100 else f"{amount:,.2f}"


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", f"|---|{'---:|' * (len(heads) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _stores() -> str:
    rows = []
    for users in SIZES:
        row = [f"{users:,} users"]
        for reads in (QUARTER_HOURLY, DAILY):
            in_secrets, in_table = (f"{of_users(users, store, reads).total():,.0f}" for store in (SECRETS_MANAGER, TABLE))
            row += [in_secrets + (" (over its quota)" if users > MOST_SECRETS else ""), f"**{in_table}**"]
        rows.append(row)
    heads = [f"{store.value}, read {often}" for often in ("every 15 minutes", "once a day") for store in (SECRETS_MANAGER, TABLE)]
    return _table(["US dollars a month", *heads], rows)


def _parts() -> str:
    months = [of_users(users, store, QUARTER_HOURLY) for users in (1_000, 100_000) for store in (SECRETS_MANAGER, TABLE)]
    months.append(SIGN_INS_ONLY)
    return _table(
        ["US dollars a month", *SIGN_INS_ONLY.parts(), "together"],
        [[one.name, *(f"{part:,.2f}" for part in one.parts().values()), f"**{one.total():,.2f}**"] for one in months],
    )


def _worst() -> str:
    return (
        f"- 1,000 starts that nobody finishes cost ${attack():.3f}.\n"
        f"- 1,000 grants that can't be stored in Secrets Manager for a week, and are given up then, cost ${outage():.2f}."
    )


def _checks() -> str:
    rows = [[f"{users:,}", f"{checks(users, DAYS):,.2f}", f"{users * DAYS * X_USER_READ:,.0f}"] for users in SIZES[:3]]
    return _table(["connections, checked daily", "AWS, dollars a month", "X, if it charges each as a user read"], rows)


def _rates() -> str:
    rows = []
    for users in SIZES:
        events = of_users(users, TABLE, QUARTER_HOURLY).reads
        share = per_second(users) / LEAST_KMS_QUOTA
        rows.append([f"{users:,}", f"{per_second(users):,.0f}", f"{share:.2%}", _dollars(events * _of("event copy"))])
    return _table(["connected users", "reads a second", "share of 10,000 a second", "a second trail, dollars a month"], rows)


def _caches() -> str:
    rows = []
    for cache in (60, CACHE, 1_800, 3_600):
        row = [f"{cache:,}" + (" (default)" if cache == CACHE else "")]
        for every in (900, 60):
            reads = 1_000 * DAYS * 86_400 / every
            row += [_dollars(of_reads(reads * uncached(every, cache, processes), TABLE)) for processes in (1, 10)]
        rows.append(row)
    how = [f"{often}, {who}" for often in ("every 15 minutes", "every minute") for who in ("one process", "ten processes")]
    return _table(["`TRIPOD_CACHE_SECONDS`", *how], rows)


def _data_keys() -> str:
    rows = []
    for users in SIZES[1:]:
        month = of_users(users, TABLE, QUARTER_HOURLY)
        keys = [with_data_keys(month, processes) for processes in (100, 1_000)]
        rows.append([f"{users:,} users", *map(_dollars, (month.total(), *keys))])
    return _table(["US dollars a month", "as it is", "data keys in 100 processes", "in 1,000 processes"], rows)


def _prices() -> str:
    heads = f"| price in {REGION}, without free tiers | for one | from | as of |\n|---|---|---|---|\n"
    return heads + "\n".join(
        f"| ${price.dollars:.10f}".rstrip("0").rstrip(".") + f" | {price.unit} | {price.page} | {price.date} |"
        for price in PRICES.values()
    )


BLOCKS = {
    "stores": _stores,
    "parts": _parts,
    "rates": _rates,
    "caches": _caches,
    "data keys": _data_keys,
    "worst": _worst,
    "checks": _checks,
    "prices": _prices,
}


def page(text: str) -> str:
    """Return the page with its computed parts made anew."""
    for name, block in BLOCKS.items():
        begin = BEGIN.format(name)
        before, rest = text.split(begin)
        text = f"{before}{begin}\n{block()}\n{END}{rest.split(END, 1)[1]}"
    return text


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
