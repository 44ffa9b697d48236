"""The lab's own tests use its fixtures like everybody."""

from tests.lab.fixtures import (  # noqa: F401
    active_directory,
    administrator,
    dc,
    proxies,
    samba_tree,
)
