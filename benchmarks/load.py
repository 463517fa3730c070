"""How long the connector takes with callbacks: at a steady rate, in bursts, and when 5,000 agents log in in a minute.

    python benchmarks/load.py [--rate 200] [--duration 60] [--storm 90] [--agents 5000] [--write]

Method: `flex-wfm-sim load` with the servers that it starts itself: fake WFM, floor (REST alone) and connector, each a
process of its own. They and the generator share this machine; a machine of its own for the connector would do better.
Callbacks arrive by a Poisson process and are sent at their planned times; latencies count from those, to the answer
(the event is on disk by then) and to acceptance by the fake WFM. The verdict is the audit's: all callbacks taken, and
what the WFM holds is what happened. "Generator late" is the generator's own share; where it was the bottleneck the
verdict says so. Besides, the generator alone against a sink that answers at once: what a callback costs it, in
processor time, to make and to send. Rows of one run compare; runs on different days or machines do not. `--write` puts
the tables into BENCHMARKS.md.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path

import httptools
from parts import machine, write_part

from simulator.load.floor import LoadFloor, scenario_of
from simulator.load.letters import Letter, Post
from simulator.load.plan import LoadPlan
from simulator.load.result import LoadResult
from simulator.load.run import LoadRun
from simulator.load.sender import Sender, run_precisely
from simulator.twilio.emitter import EmitterSettings
from simulator.twilio.signing import SigningKey
from simulator.twilio.target import CallbackTarget

ANSWER = b"HTTP/1.1 204 No Content\r\nContent-Type: application/json\r\n\r\n"


class Sink(asyncio.Protocol):
    """Answers every request at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._transport.write(ANSWER)  # type: ignore[attr-defined]


def serve_sink(ready: Connection) -> None:
    """In a process of its own: listen until ended."""

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


@contextmanager
def sink() -> Iterator[str]:
    """A sink; gives its address."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve_sink, args=(theirs,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}/twilio/demo/events"
    finally:
        process.terminate()
        process.join()


def letters_of(url: str, rate: float, count: int) -> tuple[list[Letter], float]:
    """Real letters, and what making one of them cost, seconds of the processor."""
    floor = LoadFloor(scenario_of(LoadPlan(agents=500)), warm_up_minutes=30, wanted=())
    sender = EmitterSettings(
        callback_url=url, account_sid="AC1", workspace_sid="WS1", workspace_name="W", key=SigningKey("key")
    )
    now_ms = time.time_ns() // 1_000_000
    post = Post(CallbackTarget.parse(url), sender, run="1", floor_start_ms=floor.start_ms, start_ms=now_ms)
    timed = ((number / rate, event) for number, event in enumerate(floor.events()))
    began = time.process_time()
    letters = list(islice(post.letters(timed), count))
    return letters, (time.process_time() - began) / count


def generator_alone(rate: float, seconds: float) -> str:
    """The row of the generator against the sink."""
    with sink() as url:
        letters, making_s = letters_of(url, rate, round(rate * seconds))
        sender = Sender(CallbackTarget.parse(url), iter(letters), connections=64)
        run_precisely(sender.run(time.monotonic() + 2 + seconds / 2, lambda _due, _open: None))
    records = sender.records
    taken = sum(1 for number in range(len(records)) if records.taken(number))
    late = sorted(woke - due for woke, due in zip(records.woke, records.due, strict=True))
    return (
        f"| {rate:.0f}/s | {taken} of {len(records)} | {making_s * 1e6:.0f} us | "
        f"{sender.pulse.cpu_s / len(records) * 1e6:.0f} us | {late[len(late) * 99 // 100] * 1000:.2f} ms |"
    )


def row_of(result: LoadResult) -> str:
    """One shape's row."""
    own, far, late = result.latency, result.to_wfm, result.fitness.late
    if far is None:
        raise RuntimeError("the WFM was not read")
    verdict = {0: "clean", 4: "clean; the generator was the bottleneck"}.get(int(result.ending), "NOT CLEAN")
    figures = [f"{one:.1f} ms" for one in (own.percentile_ms(50), own.percentile_ms(99), own.most_ms)]
    figures += [f"{one:.1f} ms" for one in (far.percentile_ms(50), far.percentile_ms(99), far.most_ms)]
    return (
        f"| {result.plan.title} | {result.agents} | {result.planned} | {' | '.join(figures)} "
        f"| {late.percentile_ms(99):.1f} ms | {verdict} |"
    )


def measure(plan: LoadPlan) -> LoadResult:
    """One run with servers of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return LoadRun(plan, Path(folder)).run()


def main() -> int:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--duration", type=float, default=60.0)
    parser.add_argument("--storm", type=float, default=90.0)
    parser.add_argument("--agents", type=int, default=5000)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    plans = [
        LoadPlan(shape="steady", rate=given.rate, duration_s=given.duration, agents=given.agents),
        LoadPlan(shape="burst", rate=given.rate, duration_s=given.duration, agents=given.agents),
        LoadPlan(shape="login-storm", duration_s=given.storm, agents=given.agents),
    ]
    lines = [
        f"Seed 1; {machine()}.",
        "",
        "| shape | agents | callbacks | answer p50 | p99 | max | WFM p50 | p99 | max | generator late p99 | verdict |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    failed = False
    for plan in plans:
        result = measure(plan)
        failed = failed or bool(result.reasons)
        lines.append(row_of(result))
        print(lines[-1], flush=True)
    lines += [
        "",
        "The generator alone, against a sink in another process:",
        "",
        "| rate | answered | making a callback | sending it and reading the answer | late p99 |",
        "|---|---|---|---|---|",
    ]
    for rate in (200.0, 1000.0, 3000.0):
        lines.append(generator_alone(rate, 5.0))
        print(lines[-1], flush=True)
    text = "\n".join(lines)
    print(f"\n{text}")
    if given.write:
        intro = "`python benchmarks/load.py --write` wrote this; its text says how it is measured."
        write_part("Load over HTTP", f"{intro}\n\n{text}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
