"""Figures of the LLM runtime: ``python -m benchmarks.llm [--quick] [--json PATH]``.

Everything runs against a server on loopback in its own process: one that answers at once, one with quotas, one with a
real model's latency, scaled (latency ÷ 10, quota × 10). The peer is the OpenAI SDK alone, with its own retries.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Figure, arguments, finish
from benchmarks.llm_workers import SCHEMA, make_requests, runtime_settings, workers
from dataset_project_tests.llm.server import LoopbackServer, loopback_server

PEER = "openai SDK, max_retries=12"
# The quota of the fixed-quota runs: a hundred requests a second.
QUOTA = 6_000
# What is on its way when a 429 arrives cannot be called back.
_UNDER_WAY_S = 0.3


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory for a ledger of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-llm-") as directory:
        yield Path(directory)


def throughput(quick: bool) -> list[Figure]:
    """Requests per second of one process against a server that answers at once, everything included: asking, the
    ledger, the limiter, the call, validation."""
    from dataset_project.llm.runtime import open_runtime

    count = 1_000 if quick else 5_000
    rates, cpu = [], []
    with loopback_server() as server:
        for attempt in range(2 if quick else 4):
            requests = make_requests(count, f"throughput {attempt}")
            settings = runtime_settings(server.url, max_in_flight=64)
            with scratch() as directory, open_runtime(settings, directory, "throughput") as runtime:
                started, cpu_started = time.perf_counter(), time.process_time()
                answers = runtime.run(requests)
                elapsed, used = time.perf_counter() - started, time.process_time() - cpu_started
            assert len(answers) == count and all(answer.kind == "ok" for answer in answers.values())
            if attempt:  # the first one imports the client
                rates.append(count / elapsed)
                cpu.append(1000 * used / count)
    return [
        Figure("requests_per_s", statistics.median(rates), "requests/s", 800),
        Figure("cpu_per_request_ms", statistics.median(cpu), "CPU-ms", 1.2, "at_most"),
    ]


def fixed_quota(quick: bool) -> list[Figure]:
    """How much of a fixed quota is used, and how often more, with 1, 2 and 4 processes."""
    figures = []
    throttled = 0
    seconds = 6 if quick else 15
    for processes in (1, 2, 4):
        with loopback_server(requests_per_minute=QUOTA, window_s=2.0, latency_s=["uniform", 0.02, 0.06]) as server:
            arrivals = saturate(server, processes, seconds, requests_per_minute=QUOTA)
        throttled += sum(row["status"] == 429 for row in arrivals)
        figures.append(Figure(f"quota_use_{processes}p", _use(arrivals, seconds), "of the quota", 0.95))
    return [*figures, Figure("count_429", throttled, "answers", 0, "at_most")]


def _use(arrivals: Sequence[dict], seconds: float) -> float:
    """Share of the quota in the last three quarters of the run: processes take a moment to start."""
    end = arrivals[-1]["at"]
    window = 0.75 * seconds
    taken = sum(row["status"] == 200 and row["at"] > end - window for row in arrivals)
    return taken / (QUOTA / 60 * window)


def saturate(
    server: LoopbackServer,
    processes: int,
    seconds: float,
    meanwhile: Callable[[LoopbackServer], None] = lambda server: None,
    **settings,
) -> list[dict]:
    """Keep ``processes`` busy for ``seconds`` with more than the quota lets through; the server's journal."""
    count = int(QUOTA / 60 * seconds * 1.5) + 500
    chosen = runtime_settings(server.url, max_in_flight=64, **settings)
    with scratch() as directory, workers(chosen, directory, processes, make_requests(count, "quota")) as running:
        running.wait_until_begun()
        time.sleep(seconds / 2)
        meanwhile(server)
        time.sleep(seconds / 2)
        running.interrupt()
    return server.journal()


def halved_quota(quick: bool) -> list[Figure]:
    """The quota halves in the middle of a run: with a provider that says so in its headers, and with one that does
    not."""
    figures = []
    for name, headers in (("", True), ("_unannounced", False)):
        moment = 0.0

        def halve(server: LoopbackServer) -> None:
            nonlocal moment
            server.control(requests_per_minute=QUOTA / 2)
            moment = time.time()

        seconds = 16 if quick else 40
        options = {"requests_per_minute": QUOTA, "window_s": 2.0, "latency_s": 0.03, "limit_headers": headers}
        with loopback_server(**options) as server:
            arrivals = saturate(server, 2, seconds, halve, requests_per_minute=QUOTA)
        after = [row for row in arrivals if row["at"] > moment]
        share = sum(row["status"] == 429 for row in after) / len(after)
        figures += [
            Figure(f"halved_429_share{name}", share, "of the calls", 0.02, "at_most"),
            Figure(f"recovery_s{name}", _recovery(after, moment), "s", 10, "at_most"),
        ]
    return figures


def _recovery(after: Sequence[dict], moment: float) -> float:
    """Seconds from the change until two seconds in which at least 90 % of the new quota was used, without a 429."""
    step = 0.25
    at = moment
    while at + 2 <= after[-1]["at"]:
        window = [row for row in after if at <= row["at"] < at + 2]
        good = sum(row["status"] == 200 for row in window)
        if good >= 0.9 * QUOTA / 2 / 60 * 2 and all(row["status"] != 429 for row in window):
            return at - moment
        at += step
    return float("inf")


def retry_after(quick: bool) -> list[Figure]:
    """Calls of four processes that reach the server before the Retry-After it named has passed."""
    pause = 3.0
    faults = [{"kind": "rate_limited", "skip": 150, "count": 3, "retry_after": pause}]
    with loopback_server(faults=faults, latency_s=0.03) as server:
        arrivals = saturate(server, 4, 8 if quick else 12, requests_per_minute=QUOTA)
    told = [row["at"] for row in arrivals if row["status"] == 429]
    early = sum(any(at + _UNDER_WAY_S < row["at"] < at + pause for at in told) for row in arrivals)
    return [
        Figure("calls_before_retry_after", early if told else float("nan"), "calls", 0, "at_most"),
        Figure("calls_after_retry_after", sum(row["at"] > max(told) + pause for row in arrivals), "calls", 1),
    ]


def killed(quick: bool) -> list[Figure]:
    """Processes killed with SIGKILL at random while 1,000 tasks are worked off, then one that ends the work."""
    from dataset_project.llm.on_record import open_ledger

    count, kills = (300, 4) if quick else (1_000, 12)
    with loopback_server(latency_s=["uniform", 0.05, 0.3]) as server, scratch() as directory:
        requests = make_requests(count, "killed")
        settings = runtime_settings(server.url, max_in_flight=32, lease_s=2.0, requests_per_minute=QUOTA)
        with workers(settings, directory, 3, requests) as running:
            running.kill_at_random(kills, seed=7)
            running.wait()
        with open_ledger(directory) as ledger:
            answers = ledger.answers([request.key for request in requests])
            calls = ledger.calls_table()
        served = sum(row["status"] == 200 for row in server.journal())
    taken_over = sum(outcome == "lost" for outcome in calls["outcome"].to_pylist())
    answered = [calls["task_key"][n].as_py() for n in range(len(calls)) if calls["outcome"][n].as_py() == "ok"]
    return [
        Figure("lost", count - len(answers), "tasks", 0, "at_most"),
        Figure("duplicated", len(answered) - len(set(answered)), "results", 0, "at_most"),
        Figure("repeated_calls", served - count, "calls", taken_over, "at_most", f"{kills} kills, leases taken over"),
    ]


def budget(quick: bool) -> list[Figure]:
    """Four processes and a budget for a fifth of the work: calls' worth of spending beyond it."""
    from dataset_project.llm.on_record import open_ledger

    count = 200 if quick else 1_000
    with loopback_server(latency_s=0.05) as server, scratch() as directory:
        prices = {"input_usd_per_million": 100.0, "output_usd_per_million": 100.0}
        requests = make_requests(count, "budget")
        with open_ledger_of_one(server, directory, requests[:1], prices) as cost:
            allowed = cost * count / 5
        settings = runtime_settings(server.url, max_in_flight=16, budget_usd=allowed, **prices)
        with workers(settings, directory, 4, requests) as running:
            running.wait()
        with open_ledger(directory) as ledger:
            spent = ledger.spending().spent_usd
    return [
        Figure("budget_overshoot_calls", max(0.0, spent - allowed) / cost, "calls", 64, "at_most"),
        Figure("budget_use", spent / allowed, "of the budget", 0.9),
    ]


@contextmanager
def open_ledger_of_one(server, directory: Path, requests, prices) -> Iterator[float]:
    """What one request costs here."""
    from dataset_project.llm.runtime import open_runtime

    with open_runtime(runtime_settings(server.url, **prices), directory / "one", "one") as runtime:
        answers = runtime.run(requests)
    yield next(iter(answers.values())).cost_usd


def limiter_and_cache(quick: bool) -> list[Figure]:
    """99th percentile of a reservation under two other processes, and the median read of a 1,536-wide vector."""
    import numpy as np

    from dataset_project.llm.cache import EmbeddingCache, EmbeddingSpace
    from dataset_project.llm.limiter import Limiter

    count = 5_000 if quick else 50_000
    with scratch() as directory:
        limiter = Limiter(directory, 10_000_000, 10_000_000_000)
        times = np.empty(count)
        for number in range(count):
            started = time.perf_counter()
            limiter.reserve(100)
            times[number] = time.perf_counter() - started
        p99 = 1000 * float(np.quantile(times, 0.99))
    with scratch() as directory:
        cache = EmbeddingCache(directory / "cache.sqlite")
        space = EmbeddingSpace("loopback", "model", 1536)
        texts = [f"text {number}" for number in range(2_000)]
        vectors = np.random.default_rng(1).standard_normal((len(texts), 1536)).astype(np.float32)
        cache.put_many(space, dict(zip(texts, vectors, strict=True)))
        reads = []
        for text in texts:
            started = time.perf_counter()
            cache.get_many(space, [text])
            reads.append(time.perf_counter() - started)
        cache.close()
    return [
        Figure("limiter_p99_ms", p99, "ms", 0.2, "at_most"),
        Figure("cache_get_p50_ms", 1000 * statistics.median(reads), "ms", 0.2, "at_most"),
    ]


def trials_time(quick: bool) -> list[Figure]:
    """2,584 trials, 15 s latency, 500 requests a minute, scaled by ten, two processes: time over requests ÷ quota."""
    count, quota, latency = (500 if quick else 2_584), 5_000, 1.5
    with loopback_server(latency_s=latency, requests_per_minute=quota, window_s=6.0) as server, scratch() as directory:
        settings = runtime_settings(server.url, max_in_flight=256, requests_per_minute=quota)
        with workers(settings, directory, 2, make_requests(count, "trials"), hold=True) as running:
            running.wait_until_ready()
            started = time.time()
            running.begin()
            running.wait()
            elapsed = running.done_at() - started
        throttled = sum(row["status"] == 429 for row in server.journal())
    # A quick run is mostly its last answer's latency.
    target = None if quick else 1.05
    return [
        Figure("trials_time_ratio", elapsed / (60 * count / quota), "of requests ÷ quota", target, "at_most"),
        Figure("trials_429", throttled, "answers", 0, "at_most"),
    ]


def sdk_alone(quick: bool) -> list[Figure]:
    """The SDK with its own retries, a hundred tasks at a time under a quota it does not know: for scale."""
    import asyncio

    count = 100 if quick else 300

    async def ask(url: str) -> int:
        import openai

        client = openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=12)
        slots = asyncio.Semaphore(100)

        async def one(request) -> bool:
            messages = [{"role": role, "content": content} for role, content in request.messages]
            schema = {"type": "json_schema", "json_schema": {"name": "facts", "schema": SCHEMA, "strict": True}}
            async with slots:
                try:
                    await client.chat.completions.create(model="m", messages=messages, response_format=schema)
                except openai.APIError:
                    return False
                return True

        done = await asyncio.gather(*(one(request) for request in make_requests(count, "sdk")))
        await client.close()
        return sum(done)

    with loopback_server(requests_per_minute=600, window_s=2.0, latency_s=0.03, retry_after="none") as server:
        good = asyncio.run(ask(server.url))
        throttled = sum(row["status"] == 429 for row in server.journal())
    return [
        Figure("sdk_429_per_success", throttled / max(good, 1), "answers", peer=PEER),
        Figure("sdk_lost", count - good, f"of {count} requests", peer=PEER),
    ]


PARTS = (
    *(throughput, fixed_quota, halved_quota, retry_after, killed, budget),
    *(limiter_and_cache, trials_time, sdk_alone),
)


def main(argv: Sequence[str] | None = None) -> int:
    options = arguments(__doc__.splitlines()[0], argv)
    figures = []
    for part in PARTS:
        print(f"{part.__name__} …", file=sys.stderr, flush=True)
        figures += part(options.quick)
    return finish("LLM runtime", figures, options.json)


if __name__ == "__main__":
    sys.exit(main())
