"""Heartbeats: when one goes out, what it says, and what is heard back."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from tests.services.ports import wait_until
from tests.writeback.agent.conftest import Serve
from tests.writeback.agent.product import Product
from tests.writeback.bench import JOB, TestClock
from tests.writeback.scripted import RULES, Person, Scripted, raises
from writeback.agent import VERSION
from writeback.agent.beats import Beats
from writeback.agent.board import Board, find_status
from writeback.agent.client import Client, Speaker
from writeback.agent.identity import Identity
from writeback.agent.journal import Journal
from writeback.agent.keys import KEPT_AFTER, LASTS, DayKeys
from writeback.agent.pace import Ending
from writeback.agent.probing import Health, Probing, probe
from writeback.connectors.base import Rights, Unreachable
from writeback.places import read_place
from writeback.protocol import key_id
from writeback.reports import rules_written
from writeback.workplace import Clocks

WELL = Health("ok", rules=RULES, controller="dc1")
ILL = Health("unreachable", "unreachable")
PLACES = [read_place("OU=Staff,DC=example,DC=com")]


class Heart:
    """Heartbeats of one agent, on a clock that the test turns."""

    def __init__(self, product: Product, folder: Path) -> None:
        private, signer = Ed25519PrivateKey.generate(), product.signer.public_key()
        agent = product.add_agent(private.public_key())
        api = product.api.public_key()
        identity = Identity(agent, JOB.tenant, JOB.group, private, {key_id(signer): signer}, api)
        self.folder = folder
        self.product = product
        self.clock = TestClock()
        self.ending = Ending()
        self.client = Client(product.url, Speaker(private, agent, api), timezone.now)
        self.journal = Journal(folder / "journal")
        self.keys = DayKeys(folder / "keys", identity)
        clocks = Clocks(lambda: self.clock.at, lambda: self.clock.seconds, self.clock.wait)
        self.board = Board(folder, lambda: int(self.clock.at.timestamp()))
        self.heard: list[Any] = []
        self.beats = Beats(
            self.client,
            self.keys,
            self.journal,
            clocks,
            self.ending,
            self.board,
            self.heard.append,
        )
        self._thread = Thread(target=self.beats.run)

    def start(self, health: Health = WELL) -> None:
        self._thread.start()
        self.tell(health)
        assert self.beats.is_welcome.wait(30)

    def tell(self, health: Health) -> None:
        self.beats.note(health)

    def wait_for(self, count: int) -> None:
        wait_until(lambda: len(self.product.heartbeats) == count, f"heartbeat {count}")

    @property
    def last(self) -> dict[str, Any]:
        return self.product.heartbeats[-1]

    @property
    def status(self) -> dict[str, Any]:
        return dict(find_status(self.folder) or {})

    def close(self) -> None:
        self.ending.ask()
        if self._thread.ident is not None:
            self._thread.join()
        self.client.close()
        self.journal.close()


@pytest.fixture
def heart(serve: Serve, tmp_path: Path) -> Iterator[Heart]:
    heart = Heart(serve(None), tmp_path)
    yield heart
    heart.close()


def test_the_first_one_says_everything_there_is(heart: Heart) -> None:
    heart.start()

    assert heart.product.sealing_key() is not None
    assert {name: value for name, value in heart.last.items() if name != "keys"} == {
        "version": VERSION,
        "protocol": 1,
        "directory": {"state": "ok", "trouble": ""},
        "rules": rules_written(RULES),
        "sequence": 0,
        "journal": "sound",
        "begun": [],
    }
    assert heart.beats.is_welcome.wait(30)


def test_the_first_one_of_a_process_says_what_is_left_from_before(heart: Heart) -> None:
    left, told, known = uuid4(), uuid4(), uuid4()
    for number, job in enumerate((left, told, known)):
        heart.journal.intend(job, number, number, {})
    for job in (told, known):
        heart.journal.settle(job, 5, {})
    heart.journal.note_reported(told, 6)

    heart.start()
    heart.tell(ILL)
    heart.wait_for(2)

    assert heart.product.heartbeats[0]["begun"] == [str(left), str(known)]
    assert heart.product.heartbeats[1]["begun"] is None


def test_a_journal_that_is_not_believed_says_nothing_of_what_it_began(heart: Heart) -> None:
    heart.journal.is_damaged = True
    heart.start()

    assert heart.last["begun"] is None


def test_one_goes_out_every_five_minutes_and_at_once_when_something_is_another(
    heart: Heart,
) -> None:
    heart.start()
    heart.tell(WELL)
    heart.clock.pass_by(299)
    heart.tell(Health("ok", controller="dc2"))
    heart.clock.pass_by(1)
    heart.wait_for(2)

    heart.tell(ILL)
    heart.wait_for(3)
    assert heart.last["directory"] == {"state": "unreachable", "trouble": "unreachable"}
    assert heart.last["rules"] is None

    heart.journal.intend(JOB.id, 7, 1, {})
    heart.journal.compare(99)
    heart.tell(ILL)
    heart.wait_for(4)
    assert (heart.last["journal"], heart.last["sequence"]) == ("damaged", 7)


def test_a_new_key_of_the_day_is_told_at_once_and_the_old_one_destroyed_after(
    heart: Heart,
) -> None:
    heart.start()
    [first] = heart.last["keys"]

    heart.clock.pass_by(LASTS.total_seconds())
    heart.wait_for(2)
    assert heart.last["keys"][0] == first
    assert len(heart.last["keys"]) == 2
    wait_until(lambda: all(key.published for key in heart.keys.offers()), "the keys to be known")

    heart.clock.pass_by(KEPT_AFTER.total_seconds())
    heart.wait_for(3)
    assert len(heart.last["keys"]) == 1
    assert heart.last["keys"][0] != first


def test_a_journal_that_does_not_reach_what_was_seen_is_not_believed(
    heart: Heart, caplog: pytest.LogCaptureFixture
) -> None:
    heart.product.seen_sequence = 5
    heart.start()

    heart.wait_for(2)

    assert (heart.last["journal"], heart.journal.is_damaged) == ("damaged", True)
    assert caplog.text.count("older than what the product has seen") == 1
    wait_until(lambda: heart.status.get("journal") == "damaged", "the status")


@pytest.mark.parametrize(
    ("turn_away", "product", "problem"),
    [
        ((403, "pending"), "pending", "six words"),
        ((401, "replayed"), "replayed", "refuses this call"),
        ((400, "malformed"), "refused", "status 400"),
    ],
)
def test_a_product_that_does_not_take_it_is_asked_again(
    heart: Heart, turn_away: tuple[int, str], product: str, problem: str
) -> None:
    heart.product.turn_away = turn_away
    heart.beats.beat(WELL)

    assert not heart.beats.is_welcome.is_set()
    assert (heart.status["product"], problem in heart.status["problem"]) == (product, True)
    heart.product.turn_away = None
    heart.clock.pass_by(30)
    heart.start()
    assert (heart.status["product"], heart.status["problem"]) == ("ok", "")


def test_a_product_that_is_not_there_is_asked_with_growing_pauses(
    heart: Heart, caplog: pytest.LogCaptureFixture
) -> None:
    heart.product.is_down.set()
    heart.beats.beat(WELL)
    heart.beats.beat(WELL)
    assert (heart.status["product"], caplog.text.count("the product:")) == ("unreachable", 1)

    heart.product.is_down.clear()
    heart.clock.pass_by(30)
    heart.start()
    assert heart.beats.is_welcome.wait(30)


def test_an_agent_that_was_revoked_ends(heart: Heart) -> None:
    heart.product.turn_away = (401, "revoked")

    heart.beats.beat(WELL)

    assert heart.ending.cause == "revoked"


def test_an_answer_without_a_number_harms_nothing(heart: Heart) -> None:
    heart.beats._heard({"seen_sequence": "99"})

    assert not heart.journal.is_damaged
    assert heart.beats.is_welcome.is_set()


def test_a_full_disk_does_not_stop_the_heart(heart: Heart, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr("writeback.agent.board.write_private", full)

    heart.start()


# What is looked at before.


@pytest.fixture
def directory() -> Scripted:
    return Scripted(timezone.now)


def test_a_directory_that_is_well_tells_its_rules(directory: Scripted) -> None:
    assert probe(directory, "", PLACES) == WELL
    assert probe(directory, Person().anchor, PLACES) == WELL


@pytest.mark.parametrize(
    ("trouble", "state"),
    [
        ("unreachable", "unreachable"),
        ("untrusted", "misconfigured"),
        ("account", "misconfigured"),
        ("configuration", "misconfigured"),
    ],
)
def test_a_directory_that_is_not_says_why(directory: Scripted, trouble: Any, state: str) -> None:
    directory.plan["connect"] = [raises(Unreachable(trouble))]

    found = probe(directory, "", PLACES)

    assert (found.state, found.trouble) == (state, trouble)


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        ({"anchor": "gone"}, "configuration"),
        ({"place": "CN=Canary,DC=example,DC=com"}, "configuration"),
        ({"rights": Rights(reset=False, unlock=True, must_change=True)}, "account"),
    ],
)
def test_a_canary_shows_what_is_set_up_wrongly(
    directory: Scripted, change: dict[str, Any], trouble: str
) -> None:
    for name, value in change.items():
        setattr(directory if name == "rights" else directory.person, name, value)

    found = probe(directory, Person().anchor, PLACES)

    assert (found.state, found.trouble) == ("misconfigured", trouble)


def test_looks_go_on_every_half_minute_until_the_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    looks = [WELL, WELL, ILL]
    found: list[Health] = []
    pauses: list[float] = []

    class Ended(Ending):
        def wait(self, seconds: float) -> bool:
            pauses.append(seconds)
            if len(pauses) == 3:
                self.ask()
            return self.is_set

    Probing(lambda: looks[len(pauses)], Ended(), found.append).run()

    assert (found, pauses) == (looks, [30.0] * 3)
    assert [record.getMessage() for record in caplog.records] == [
        "directory: ok ",
        "directory: unreachable unreachable",
    ]


def test_what_is_said_of_signers_is_heard_before_jobs_are_asked_for(heart: Heart) -> None:
    heart.product.named = [{"key": "a", "signature": "b"}]
    heart.start()

    assert heart.heard == [heart.product.named]
