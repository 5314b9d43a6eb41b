"""The ledger in one process: asking, claiming, settling, leases, groups, money, progress."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from dataset_project.llm.configuration import LlmSettings
from dataset_project.llm.ledger import EnqueueCounts, Ledger
from dataset_project.llm.requests import CallRecord, ModelRequest, RunStopped, Settlement, Usage
from dataset_project.llm.spending import CALLS

PROMPT = "You read eligibility criteria with care. " * 40
SCHEMA = {
    "type": "object",
    "properties": {"zeta": {"type": "string", "description": "first, though last in the alphabet " * 8},
                   "alpha": {"type": "integer"}},
    "required": ["zeta", "alpha"],
    "additionalProperties": False,
}  # fmt: skip


class Clock:
    def __init__(self, now: float = 1_000_000.0):
        self.now = now

    def __call__(self) -> float:
        return self.now


def request(number: int, **changes) -> ModelRequest:
    trial = f"trial {number}: adults of either sex. " + "No pregnancy. " * 10 * (number % 2)
    made = ModelRequest(f"trials/NCT{number:08d}", "small", (("system", PROMPT), ("user", trial)), "facts", SCHEMA)
    return replace(made, **changes)


def requests(count: int) -> list[ModelRequest]:
    return [request(number) for number in range(count)]


def costs(of: list[ModelRequest], usd: float) -> dict[str, float]:
    return {each.key: usd for each in of}


def ok(key: str, content: str = '{"zeta": "yes", "alpha": 1}') -> Settlement:
    return Settlement(key, "ok", content, model="small-2025")


def call(key: str, started_at: float = 1_000_000.0, **changes) -> CallRecord:
    made = CallRecord(key, 1, started_at, 500.0, "ok", "small-2025", Usage(1000, 50, 800), 0.001, 200)
    return replace(made, **changes)


def keys(claimed) -> list[str]:
    return [each.key for each in claimed]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock):
    made = Ledger(tmp_path / "deep" / "ledger.sqlite", lease_s=60, clock=clock)
    yield made
    made.close()


def test_a_claimed_request_is_the_one_that_was_asked(ledger):
    asked = [
        request(0),
        request(1, temperature=0.25, reasoning_effort="low", sample=2, max_output_tokens=77),
        request(2, messages=(("system", PROMPT), ("user", "short \x00 ünïcode 🧬"), ("assistant", ""))),
        request(3, messages=(("user", "half an emoji \ud83d " * 20), ("user", "\udc00"))),
        request(4, item="item \ud83d"),
    ]
    ledger.enqueue("run", asked)
    claimed = [each.request for each in ledger.claim("run", "w", 10)]
    assert claimed == asked
    for mine, theirs in zip(asked, claimed, strict=True):
        again = replace(theirs)  # without what the ledger already knew of it
        assert (again.key, again.schema_hash, again.prompt_hash) == (mine.key, mine.schema_hash, mine.prompt_hash)
        assert (theirs.key, theirs.schema_hash) == (mine.key, mine.schema_hash)
    assert list(claimed[0].schema["properties"]) == ["zeta", "alpha"], "models answer in the order of the schema"


def test_long_parts_are_stored_once(ledger, tmp_path):
    ledger.enqueue("run", requests(1100))
    ledger.enqueue("run", requests(1200))
    with sqlite3.connect(ledger.path) as file:
        held = [body for (body,) in file.execute("SELECT body FROM texts")]
        longest = file.execute("SELECT max(length(body)) FROM requests").fetchone()[0]
    assert held.count(PROMPT) == 1
    assert len(held) == 2 + 600, "the prompt, the schema, and the long half of the trials"
    assert longest < 400


def test_asking_again_changes_nothing(ledger):
    asked = requests(5)
    assert ledger.enqueue("run", [*asked, asked[0]]) == EnqueueCounts(new=5)
    claimed = ledger.claim("run", "w", 2)
    ledger.settle("w", [ok(claimed[0].key)], [])
    assert ledger.enqueue("run", asked) == EnqueueCounts(waiting=4, settled=1)
    assert keys(ledger.claim("run", "w", 10)) == [each.key for each in asked[2:]]
    assert ledger.progress("run").total == 5


def test_failed_tasks_are_asked_again_and_answered_ones_never(ledger):
    asked = requests(3)
    ledger.enqueue("run", asked)
    first, second, third = keys(ledger.claim("run", "w", 3))
    ledger.settle("w", [ok(first), Settlement(second, "refused", error="no"), Settlement(third, "exhausted")],
                  [call(second, cost_usd=0.5)])  # fmt: skip
    assert ledger.enqueue("later", asked, re_arm=False) == EnqueueCounts(settled=3)
    assert ledger.claim("later", "w", 3) == []
    assert ledger.enqueue("later", asked) == EnqueueCounts(settled=1, rearmed=2)
    assert ledger.unsettled([first, second, third, "unknown"]) == [second, third, "unknown"]
    assert list(ledger.answers([second, first])) == [first]
    assert ledger.progress("run").failed == {}, "they are pending again for whoever wants them"
    assert keys(ledger.claim("later", "w", 3)) == [second, third]
    ledger.settle("w", [ok(second, '{"zeta": "new", "alpha": 2}')], [call(second, cost_usd=0.25)])
    answer = ledger.answers([second])[second]
    assert (answer.kind, answer.value["zeta"], answer.error) == ("ok", "new", "")
    assert (answer.cost_usd, answer.attempts, answer.model) == (0.75, 2, "small-2025")


def test_only_what_a_group_wants_is_claimed_for_it(ledger):
    abandoned, wanted = requests(3), requests(5)[2:]
    ledger.enqueue("abandoned", abandoned)
    ledger.enqueue("run", wanted)
    assert ledger.claim("nobody", "w", 9) == []
    assert keys(ledger.claim("run", "w", 9)) == [each.key for each in wanted]
    assert keys(ledger.claim("abandoned", "v", 9)) == [each.key for each in abandoned[:2]], "the third is in flight"
    with pytest.raises(ValueError, match="name"):
        ledger.enqueue("", wanted)


def test_order_of_asking_and_the_preferred_label_first(ledger):
    asked = requests(60)
    for number in (2, 0, 1):
        ledger.enqueue("run", asked[number * 20 : number * 20 + 20], label=f"bucket_{number:02d}")
    order = [each.key for each in [*asked[40:], *asked[:20], *asked[20:40]]]
    assert keys(ledger.claim("run", "w", 3)) == order[:3]
    assert keys(ledger.claim("run", "w", 3, prefer="bucket_01")) == order[40:43]
    assert keys(ledger.claim("run", "w", 20, prefer="bucket_01")) == [*order[43:], *order[3:6]]
    assert keys(ledger.claim("run", "w", 99, prefer="no such")) == order[6:40]
    assert ledger.claim("run", "w", 99) == []
    assert ledger.claim("run", "w", 0) == []


def test_claiming_looks_at_no_more_than_it_takes(ledger):
    steps = []
    ledger._writer.set_progress_handler(lambda: steps.append(1) and None, 100)

    def cost(label: str) -> int:
        steps.clear()
        ledger.release("w", keys(ledger.claim("run", "w", 5, prefer=label, budget_usd=5.0)))
        return len(steps)

    # Behind tasks that are answered, in flight, another label's and another group's.
    ledger.enqueue("run", requests(3000), label="bucket_00")
    settled = keys(ledger.claim("run", "w", 1500))
    ledger.settle("w", [ok(key) for key in settled], [])
    ledger.claim("run", "v", 500)
    ledger.enqueue("other", [request(number) for number in range(3000, 5000)])
    ledger.enqueue("run", [request(number) for number in range(5000, 5010)], label="bucket_01")
    few = 60  # hundreds of steps of SQLite's machine: a look at 2,000 rows takes more than 100
    assert cost("bucket_00") < few
    assert cost("bucket_01") < few
    assert cost("no such label") < few


def test_a_lease_that_ran_out_is_taken_over_and_its_call_booked(ledger, clock):
    asked = requests(4)
    ledger.enqueue("run", asked, costs(asked, 0.5), label="old")
    dead = keys(ledger.claim("run", "dead", 2))
    assert ledger.spending().reserved_usd == 1.0
    clock.now += 59
    assert not set(dead) & set(keys(ledger.claim("run", "alive", 1)))
    ledger.extend("dead", dead[:1])
    ledger.extend("another", dead[1:])
    clock.now += 2
    taken = ledger.claim("run", "alive", 2, prefer="new")
    assert keys(taken) == [dead[1], asked[3].key], "the extended lease holds"
    spending = ledger.spending()
    assert (spending.spent_usd, spending.reserved_usd, spending.in_flight) == (0.5, 2.0, 4)
    (lost,) = [each for each in ledger.calls_table().to_pylist() if each["outcome"] == "lost"]
    assert (lost["task_key"], lost["worker"], lost["group"], lost["cost_usd"]) == (dead[1], "dead", "run", 0.5)
    assert lost["item"] == asked[1].item and lost["latency_ms"] is None and "lease" in lost["error"]


def test_leases_that_ran_out_go_before_the_preferred_label(ledger, clock):
    ledger.enqueue("run", requests(2), label="old")
    ledger.enqueue("run", requests(6)[2:], label="current")
    dead = keys(ledger.claim("run", "dead", 2))
    clock.now += 61
    assert keys(ledger.claim("run", "alive", 3, prefer="current"))[:2] == dead


def test_a_lost_lease_frees_its_reservation_whoever_wants_the_task(ledger, clock):
    asked = requests(2)
    ledger.enqueue("abandoned", asked[:1], costs(asked, 1.0))
    ledger.enqueue("run", asked[1:], costs(asked, 1.0))
    ledger.claim("abandoned", "dead", 1)
    assert ledger.claim("run", "w", 1, budget_usd=1.5) == [], "what is in flight may yet free budget"
    clock.now += 61
    with pytest.raises(RunStopped):
        ledger.claim("run", "w", 1, budget_usd=1.5)
    assert (ledger.spending().spent_usd, ledger.spending().reserved_usd) == (1.0, 0.0), "booked though it stopped"
    assert len(ledger.claim("run", "w", 1, budget_usd=2.0)) == 1


def test_released_tasks_are_pending_and_cost_nothing(ledger):
    asked = requests(3)
    ledger.enqueue("run", asked, costs(asked, 0.1))
    claimed = keys(ledger.claim("run", "w", 3))
    ledger.release("another", claimed)
    assert ledger.spending().in_flight == 3
    ledger.release("w", claimed[:2])
    spending = ledger.spending()
    assert (spending.spent_usd, spending.reserved_usd, spending.in_flight) == (0.0, 0.1, 1)
    assert keys(ledger.claim("run", "v", 3)) == claimed[:2]
    assert ledger.calls_table().num_rows == 0


def test_the_first_result_wins_and_every_call_counts(ledger, clock):
    asked = requests(1)
    ledger.enqueue("run", asked, costs(asked, 0.01))
    (key,) = keys(ledger.claim("run", "slow", 1))
    clock.now += 61
    assert keys(ledger.claim("run", "fast", 1)) == [key]
    first, second = ok(key, '{"zeta": "slow", "alpha": 1}'), ok(key, '{"zeta": "fast", "alpha": 1}')
    assert ledger.settle("slow", [first, second], [call(key)]) == [key]
    assert ledger.settle("fast", [second], [call(key)]) == []
    ledger.release("fast", [key])
    ledger.extend("fast", [key])
    answer = ledger.answers([key])[key]
    assert (answer.value["zeta"], answer.attempts, answer.cost_usd) == ("slow", 3, 0.012)
    assert ledger.claim("run", "w", 1) == []
    spending = ledger.spending()
    assert (spending.spent_usd, spending.reserved_usd, spending.in_flight) == (0.012, 0.0, 0)
    workers = [(each["worker"], each["outcome"]) for each in ledger.calls_table().to_pylist()]
    assert sorted(workers) == [("fast", "ok"), ("slow", "lost"), ("slow", "ok")]


def test_a_settlement_is_all_or_nothing(ledger):
    asked = requests(2)
    ledger.enqueue("run", asked, costs(asked, 1.0))
    claimed = keys(ledger.claim("run", "w", 2))
    with pytest.raises(ValueError, match="not in the ledger"):
        ledger.settle("w", [ok(claimed[0]), ok("0" * 32)], [call(claimed[0])])
    with pytest.raises(ValueError, match="cost"):
        ledger.settle("w", [ok(claimed[0])], [call(claimed[0]), call(claimed[0], cost_usd=float("nan"))])
    assert ledger.answers(claimed) == {}
    assert (ledger.calls_table().num_rows, ledger.spending().reserved_usd) == (0, 2.0)
    assert ledger.settle("w", [ok(claimed[0])], [call(claimed[0])]) == claimed[:1], "and the ledger goes on"


def test_an_answer_that_is_no_utf8_is_kept(ledger):
    asked = requests(2)
    ledger.enqueue("run", asked)
    one, two = keys(ledger.claim("run", "w", 2))
    ledger.settle("w", [ok(one, '{"zeta": "\ud83d", "alpha": 1}'), Settlement(two, "invalid", error="got \udc00")],
                  [call(one, error="\ud83d")])  # fmt: skip
    answers = ledger.answers([one, two])
    assert answers[one].value["zeta"] == "\ud83d"
    assert answers[two].error == "got \\udc00"
    with pytest.raises(ValueError, match="invalid"):
        _ = answers[two].value


def test_the_budget_holds_to_the_cent(ledger):
    asked = requests(12)
    ledger.enqueue("run", asked, costs(asked, 0.1))
    claimed = keys(ledger.claim("run", "w", 99, budget_usd=1.0))
    assert len(claimed) == 10, "ten times 0.1 is 1.0, whatever binary fractions say"
    assert ledger.claim("run", "w", 99, budget_usd=1.0) == []
    ledger.settle("w", [ok(key) for key in claimed[:9]], [call(key, cost_usd=0.1) for key in claimed[:9]])
    assert ledger.claim("run", "w", 99, budget_usd=1.0) == []
    ledger.settle("w", [ok(claimed[9])], [call(claimed[9], cost_usd=0.05)])
    with pytest.raises(RunStopped, match=r"\$1\.00 is used up: \$0\.9500 .*raise DATASET_LLM__BUDGET_USD") as stop:
        ledger.claim("run", "w", 99, budget_usd=1.0)
    assert stop.value.kind == "budget"
    assert len(ledger.claim("run", "w", 99, budget_usd=1.05)) == 1
    assert len(ledger.claim("run", "w", 99, budget_usd=float("inf"))) == 1
    assert ledger.claim("run", "w", 99, budget_usd=0.0) == [], "nothing left to claim is no reason to stop"


def test_worst_costs_follow_prices_but_not_for_what_is_in_flight(ledger):
    asked = requests(2)
    ledger.enqueue("run", asked, costs(asked, 1.0))
    (flying,) = ledger.claim("run", "w", 1)
    ledger.enqueue("run", asked, costs(asked, 3.0))
    assert ledger.spending().reserved_usd == flying.worst_cost_usd == 1.0
    (next_one,) = ledger.claim("run", "w", 1)
    assert next_one.worst_cost_usd == 3.0
    ledger.release("w", [flying.key, next_one.key])
    assert ledger.spending().reserved_usd == 0.0
    for bad in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="cost must be"):
            ledger.enqueue("run", asked, costs(asked, bad))


def test_calls_that_settle_nothing_are_booked(ledger):
    asked = requests(1)
    ledger.enqueue("run", asked)
    (key,) = keys(ledger.claim("run", "w", 1))
    ledger.record_calls([call(key, outcome="interrupted", cost_usd=0.25)])
    ledger.record_calls([call("batch of texts", 1_000_001.5, cost_usd=0.5)], worker="embedder", group="run")
    ledger.record_calls([call("batch of texts", 1_000_002.0, cost_usd=0.5)])
    ledger.record_calls([])
    first, second, third = ledger.calls_table().to_pylist()
    assert (first["item"], first["group"], first["worker"], first["task_key"]) == (asked[0].item, "run", "w", key)
    assert (second["item"], second["group"], second["worker"]) == ("", "run", "embedder")
    assert (third["group"], third["worker"], third["task_key"]) == ("", "", "batch of texts")
    assert (ledger.spending().spent_usd, ledger.progress("run").spent_usd) == (1.25, 0.75)


def test_the_table_of_calls_is_ordered_and_documented(ledger):
    assert ledger.calls_table().schema.equals(CALLS, check_metadata=True)
    asked = requests(2)
    ledger.enqueue("run", asked)
    one, two = keys(ledger.claim("run", "w", 2))
    ledger.settle("w", [], [call(two, 1_000_002.25), call(one, 1_000_001.0, http_status=None, error="reset")])
    table = ledger.calls_table()
    assert table.schema.equals(CALLS, check_metadata=True)
    assert all(field.metadata[b"description"] for field in table.schema)
    rows = table.to_pylist()
    assert [each["task_key"] for each in rows] == [one, two]
    assert rows[1]["started_at"].timestamp() == 1_000_002.25
    assert (rows[0]["http_status"], rows[0]["error"], rows[0]["cached_tokens"]) == (None, "reset", 800)


def test_progress_tells_counts_rates_and_the_time_left(ledger, clock):
    asked = requests(100)
    ledger.enqueue("run", asked)
    before = ledger.progress("run")
    assert (before.total, before.pending, before.eta_s, before.first_call_at) == (100, 100, None, None)
    claimed = keys(ledger.claim("run", "w", 30))
    start = clock.now
    clock.now += 30
    settled = [ok(key) for key in claimed[:18]] + [
        Settlement(claimed[18], "refused"),
        Settlement(claimed[19], "invalid"),
    ]
    calls = [call(key, start + place) for place, key in enumerate(claimed[:20])]
    ledger.settle("w", settled, calls + [call(key, start + 29, outcome="reset") for key in claimed[:20]])
    now = ledger.progress("run")
    assert (now.total, now.ok, now.failed, now.pending, now.in_flight) == (
        100,
        18,
        {"invalid": 1, "refused": 1},
        70,
        10,
    )
    assert now.settled == 20
    # 40 calls of 1,050 tokens in the 30 seconds since the first began, two for each task; 80 tasks are left.
    assert now.requests_per_minute == pytest.approx(80)
    assert now.tokens_per_minute == pytest.approx(80 * 1050)
    assert now.eta_s == pytest.approx(80 * 2 / 80 * 60)
    assert (now.first_call_at, now.last_call_at) == (start, start + 29.5)
    assert now.spent_usd == now.ledger_spent_usd == 0.04
    clock.now = start + 60 + 29.4
    assert ledger.progress("run").requests_per_minute == pytest.approx(20), "only the window counts"
    assert ledger.progress(None).requests_per_minute == pytest.approx(20)
    clock.now += 1
    assert (ledger.progress("run").requests_per_minute, ledger.progress("run").eta_s) == (0, None)
    assert ledger.progress("nobody").total == 0


def test_progress_of_a_group_that_found_half_of_its_work_done(ledger, clock):
    asked = requests(10)
    ledger.enqueue("first", asked[:4])
    ledger.settle("w", [ok(each.key) for each in asked[:4]], [])
    ledger.enqueue("run", asked)
    (key, *_) = keys(ledger.claim("run", "w", 2))
    clock.now += 10
    ledger.settle("w", [ok(key)], [call(key, clock.now - 10)])
    progress, whole = ledger.progress("run"), ledger.progress(None)
    assert (progress.ok, progress.pending, progress.in_flight) == (5, 4, 1)
    assert progress.eta_s == pytest.approx(5 * 10), "what was there before took no calls of this group"
    assert (whole.total, whole.ok, whole.spent_usd) == (10, 5, 0.001)
    assert (ledger.progress("first").ok, ledger.progress("first").eta_s) == (4, 0.0)


def test_figures_for_people(ledger, clock):
    asked = requests(3)
    ledger.enqueue("run", asked)
    one, two, _ = keys(ledger.claim("run", "w", 3))
    clock.now += 1
    ledger.settle("w", [ok(one), Settlement(two, "refused")], [call(one, clock.now - 1), call(two, clock.now - 1)])
    assert ledger.progress("run").figures(LlmSettings(tokens_per_minute=None)) == {
        "answered": "1 of 3",
        "failed": "1 (1 refused)",
        "in flight": "1",
        "requests/min": "120 of 500",
        "tokens/min": "126,000",
        "spent": "$0.0020 of $10.00",
        "left": "1 s",
    }


def test_threads_share_a_ledger(ledger):
    asked = requests(400)
    ledger.enqueue("run", asked)
    accepted: list[str] = []

    def work(name: str) -> None:
        while claimed := keys(ledger.claim("run", name, 7)):
            accepted.extend(ledger.settle(name, [ok(key) for key in claimed], [call(key) for key in claimed]))
            assert ledger.unsettled(claimed) == []

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(accepted) == sorted(each.key for each in asked)
    assert (ledger.progress("run").ok, ledger.calls_table().num_rows) == (400, 400)
