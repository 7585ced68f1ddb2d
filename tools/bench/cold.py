"""Cold starts: CPU of the whole process and the clock, up to the first answer, which is checked."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from urllib.parse import parse_qsl, urlsplit

from sandbox.runtime.emulator import Emulator
from sandbox.template.template import Function
from tests.support.sandbox_app import SandboxApp
from tests.support.tls import Front
from tools.bench import parts
from tools.bench.scene import Sample, Scene, invoke, port_of, scene

GRANTS_PORT = 80  # grant signs a URL with another port wrongly, so this machine's must be free
GRANTS_PROVIDER = "http://127.0.0.1"
LEFT_OUT = "left out: "
REFERENCE = "reference: `import boto3` and two clients"


@dataclass(frozen=True)
class ColdRow:
    """The medians of one variant, and as ratios to the reference's of the same run; seconds and MB."""

    name: str
    cpu: float
    wall: float
    peak: float
    cpu_ratio: float
    wall_ratio: float
    peak_ratio: float


def measure(rounds: int, *, tls: bool = False, thinks: float = 0.0, rivals: bool = False) -> list[ColdRow]:
    """Measure the reference, start and callback, and with ``rivals`` the others, interleaved, so many times each."""
    samples: dict[str, list[Sample]] = {}
    with scene(tls=tls, thinks=thinks) as stage, ExitStack() as ending:
        starter = stage.emulator(stage.function("start"))
        ending.callback(starter.close)
        variants = dict(_own(stage, starter))
        if rivals:
            variants |= dict(_default(stage, starter))
        if rivals and not tls:
            ending.enter_context(Front(port_of(stage.sandbox.provider), listen=GRANTS_PORT))
            variants |= dict(_grant(stage))
            variants |= dict(_without(stage, starter))
        for _ in range(rounds):
            for name, once in variants.items():
                samples.setdefault(name, []).append(once())
    medians = {
        name: tuple(median(values) for values in zip(*((one.cpu, one.wall, one.peak) for one in each), strict=True))
        for name, each in samples.items()
    }
    base = medians[REFERENCE]
    return [
        ColdRow(name, *own, *(value / other for value, other in zip(own, base, strict=True))) for name, own in medians.items()
    ]


Variant = tuple[str, Callable[[], Sample]]


def _own(stage: Scene, starter: Emulator) -> Iterator[Variant]:
    whole = parts.whole()
    reference = stage.beside("start", parts.HERE / "reference", whole)
    yield REFERENCE, lambda: _answered(stage, reference)
    yield "start", lambda: _started(stage, stage.function("start"))
    yield "callback", lambda: _finished(stage, stage.function("callback"), starter)


def _default(stage: Scene, starter: Emulator) -> Iterator[Variant]:
    default = {name: stage.beside(name.lower(), parts.by_default_builder(name)) for name in ("Start", "Callback")}
    yield "the same start, by SAM's default builder", lambda: _started(stage, default["Start"])
    yield "the same callback, by SAM's default builder", lambda: _finished(stage, default["Callback"], starter)


def _without(stage: Scene, starter: Emulator) -> Iterator[Variant]:
    """Yield the callback with one of the means left out, named for it."""
    shipped = stage.function("callback")
    tripod, flow = (next(layer for layer in shipped.layers if layer.name == name) for name in ("TripodLayer", "FlowLayer"))
    left_out = {
        "bytecode": tuple(parts.without_bytecode(each, stage.folder / each.name) for each in (tripod, flow)),
        "the cuts in AWS's libraries": (parts.own_alone(flow, stage.folder / "own"), tripod, parts.whole()),
        "`cold_start.py`": (parts.importing_all(flow, stage.folder / "all"), tripod),
    }
    for name, layers in left_out.items():
        yield LEFT_OUT + name, partial(_finished, stage, replace(shipped, layers=layers), starter)


def _grant(stage: Scene) -> Iterator[Variant]:
    function = stage.beside("start", parts.grant())
    for stores, also in (("no", ""), ("yes", ", with the AWS SDK")):
        yield f"grant on Node{also}: start", partial(_grant_started, stage, function, stores)
        yield f"grant on Node{also}: callback", partial(_grant_finished, stage, function, stores)


def _answered(stage: Scene, function: Function) -> Sample:
    sample = stage.cold(function, {})
    assert sample.answer == {"statusCode": 200, "body": "ready"}, sample.answer
    return sample


def _started(stage: Scene, function: Function) -> Sample:
    sample = stage.cold(function, stage.start_event())
    assert sample.answer["statusCode"] == 302, sample.answer
    return sample


def _finished(stage: Scene, function: Function, starter: Emulator) -> Sample:
    app, told = stage.callback_event(starter)
    sample = stage.cold(function, told)
    assert sample.answer["statusCode"] == 200, sample.answer
    assert app.stored(), "no tokens were stored"
    return sample


def _grant_event(stage: Scene, function: Function, stores: str, target: str, cookies: list[str]) -> object:
    stage.settings |= {
        "RIVAL_ORIGIN": "http://127.0.0.1",
        "RIVAL_PROVIDER": GRANTS_PROVIDER,
        "RIVAL_KEY": stage.app.consumer.key,
        "RIVAL_SECRET": stage.app.consumer.secret,
        "RIVAL_STORES": stores,
    }
    told = stage.start_event()
    path, _, query = target.partition("?")
    told |= {"rawPath": path, "rawQueryString": query, "queryStringParameters": dict(parse_qsl(query)), "cookies": cookies}
    told["requestContext"]["http"]["path"] = path
    told["headers"]["cookie"] = "; ".join(cookies)
    return told


def _grant_started(stage: Scene, function: Function, stores: str) -> Sample:
    told = _grant_event(stage, function, stores, "/connect/rival", [])
    sample = stage.cold(function, told, parts.node(function.folder))
    assert sample.answer["statusCode"] == 302, sample.answer
    return sample


def _grant_finished(stage: Scene, function: Function, stores: str) -> Sample:
    command = parts.node(function.folder)
    told = _grant_event(stage, function, stores, "/connect/rival", [])
    warm = stage.emulator(function, command)
    begun = invoke(warm, told)
    warm.close()
    location = next(value for name, value in begun["headers"].items() if name.lower() == "location")
    app = SandboxApp(stage.sandbox, stage.app.name, stage.app.consumer, stage.sandbox.provider_server.add_user())
    query = urlsplit(app.consent(location.replace(GRANTS_PROVIDER, stage.sandbox.provider))).query
    set_cookies = begun.get("cookies") or [value for name, value in begun["headers"].items() if name.lower() == "set-cookie"]
    cookies = [one.partition(";")[0] for one in set_cookies]
    sample = stage.cold(function, _grant_event(stage, function, stores, f"/connect/rival/callback?{query}", cookies), command)
    assert '"granted":true' in sample.answer["body"], sample.answer
    return sample
