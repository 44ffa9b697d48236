"""The resets that are compared: ours, Django's own, allauth's; same hash and as shipped."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from uuid import UUID

from benchmarks.harness.browser import Browser
from benchmarks.harness.cluster import BenchCluster, product_env, run_python
from benchmarks.harness.people import Person, Place, make_people, make_place
from benchmarks.harness.post import MailSink
from benchmarks.harness.servers import PRODUCT, STOCK, Server, Watcher, Worker
from benchmarks.harness.stage import DATABASE
from benchmarks.harness.walks import (
    Walk,
    address_of,
    reset_with_a_link,
    reset_with_allauth_code,
    reset_with_two_proofs,
)
from benchmarks.sites.stock_people import mailbox
from tests.services.pausing import pause
from tests.services.postgres import OWNER

STOCK_PLACE = Place(UUID(int=0), "stock.example.net", "stock.bench.test")
STOCK_DATABASE = "stock"


@dataclass(frozen=True)
class Variant:
    """One way to reset a password under one hash."""

    name: str
    product: str
    hash: str
    walk: Walk

    @property
    def is_ours(self) -> bool:
        return self.product == "sspr"


def _ours(browser: Browser, person: Person, post: MailSink) -> None:
    reset_with_two_proofs(browser, person, post)


BASELINE = "contrib.auth, argon2id"
SHIPPED = "contrib.auth, as shipped"
OURS = "ours, argon2id"
VARIANTS = (
    Variant(BASELINE, "contrib.auth", "argon2id", reset_with_a_link),
    Variant(OURS, "sspr", "argon2id", _ours),
    Variant(SHIPPED, "contrib.auth", "shipped", reset_with_a_link),
    Variant("allauth by code, argon2id", "allauth", "argon2id", reset_with_allauth_code),
    Variant("allauth by code, as shipped", "allauth", "shipped", reset_with_allauth_code),
    Variant("contrib.auth, no hash", "contrib.auth", "md5", reset_with_a_link),
    Variant("ours, no hash", "sspr", "md5", _ours),
)


OUR_VARIANT = next(variant for variant in VARIANTS if variant.name == OURS)


@dataclass
class Ground:
    """Databases and people of all variants.

    Nobody resets twice in a run and everybody comes from an address of their own, so that no limit
    of the product is near; counting goes on as always.
    """

    cluster: BenchCluster
    post: MailSink
    database: str = DATABASE
    places: list[Place] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    _ours: Iterator[Person] = field(default_factory=lambda: iter(()))
    _stock: Iterator[Person] = field(default_factory=lambda: iter(()))
    _addresses: Iterator[int] = field(default_factory=lambda: iter(range(1, 2**24)))

    def prepare(
        self, people: int, tenants: int, *, stock: bool = True, prefix: str = "tenant"
    ) -> None:
        """`people` of each site, ours spread over `tenants`. Django is set up for ours."""
        self.places = [make_place(f"{prefix}{number}") for number in range(tenants)]
        each = -(-people // tenants)
        made = [make_people(place, "able", each) for place in self.places]
        self._ours = iter([person for row in zip(*made, strict=True) for person in row])
        self.tidy(self.database)
        if not stock:
            return
        self.cluster.drop(STOCK_DATABASE)
        self.cluster.create(STOCK_DATABASE)
        env = self.env("contrib.auth", "argon2id")
        run_python(env, "-m", "django", "migrate", "--verbosity", "0")
        run_python(env, "-m", "benchmarks.sites.stock_people", "0", str(people))
        self._stock = iter([_stock_person(number) for number in range(people)])
        self.tidy(STOCK_DATABASE)

    def tidy(self, database: str) -> None:
        """What filling left to clean up is not left to the resets that are measured."""
        with self.cluster.connect(database) as connection:
            connection.execute("VACUUM ANALYZE")

    @cached_property
    def watcher(self) -> Watcher:
        """Looks at our database from aside."""
        return Watcher(self.cluster, self.database)

    def adopt(self, places: list[Place], people: list[Person]) -> None:
        """People of ours that stand already."""
        self.places, self.people, self._ours = places, people, iter(people)

    def database_of(self, variant: Variant) -> str:
        return self.database if variant.is_ours else STOCK_DATABASE

    def env(self, product: str, hasher: str) -> dict[str, str]:
        env = product_env(self.cluster, self.database, self.post.url)
        if product != "sspr":
            env["DJANGO_SETTINGS_MODULE"] = "benchmarks.sites.stock"
            env["STOCK_DATABASE_URL"] = self.cluster.url(OWNER, STOCK_DATABASE)
        return {**env, "BENCH_HASH": hasher}

    def next_person(self, variant: Variant) -> Person:
        """Somebody who has not reset yet. Raises StopIteration when all have."""
        return next(self._ours if variant.is_ours else self._stock)

    def next_address(self) -> str:
        return address_of(next(self._addresses))


@dataclass
class Running:
    """A variant's processes."""

    variant: Variant
    server: Server
    worker: Worker | None

    def pause(self) -> None:
        """The worker does nothing until it goes on; a server does nothing without requests."""
        if self.worker is not None:
            pause(self.worker.pid)

    def go_on(self) -> None:
        if self.worker is not None:
            os.kill(self.worker.pid, signal.SIGCONT)

    def roots(self) -> list[int]:
        return [self.server.pid, *([self.worker.pid] if self.worker is not None else [])]


@contextmanager
def running(
    ground: Ground,
    variant: Variant,
    *,
    work: bool = True,
    counter: str = "",
    workers: int = 1,
    threads: int = 4,
) -> Iterator[Running]:
    """The server of a variant and, for ours unless `work` is false, its worker. `counter` is the
    file that gets a byte for each hash."""
    env = {**ground.env(variant.product, variant.hash), "BENCH_HASH_COUNTER": counter}
    application = PRODUCT if variant.is_ours else STOCK
    with Server(env, application, workers=workers, threads=threads) as server:
        if not (work and variant.is_ours):
            yield Running(variant, server, None)
            return
        with Worker(env) as worker:
            yield Running(variant, server, worker)


def _stock_person(number: int) -> Person:
    return Person(STOCK_PLACE, f"able.{number}", mailbox(number), "", b"")
