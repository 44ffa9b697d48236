"""Where every benchmark begins: a cluster, the product's database, a mail server, Django set up."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from .cluster import BenchCluster, cluster, migrate_product, product_env
from .post import MailSink

DATABASE = "bench"
WARMING = "flows before each stretch; a connection plans a statement six times, then keeps the plan"


class Stage(NamedTuple):
    cluster: BenchCluster
    post: MailSink


@contextmanager
def stage() -> Iterator[Stage]:
    """Afterwards this process is a client of the product's own database, as the runtime role."""
    # A run that is told to stop takes its servers along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with cluster() as found, MailSink() as post:
        migrate_product(found, DATABASE)
        os.environ.update(product_env(found, DATABASE, post.url))
        import django

        django.setup()
        yield Stage(found, post)
