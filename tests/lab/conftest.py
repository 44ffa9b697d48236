"""The lab's own tests use its fixtures like everybody."""

from tests.lab.fixtures import administrator, dc, proxies, samba_tree  # noqa: F401
