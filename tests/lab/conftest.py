"""The lab's own tests use its fixtures like everybody."""

from tests.lab.fixtures import (  # noqa: F401
    active_directory,
    administrator,
    dc,
    proxies,
    samba_tree,
)
from tests.lab.hybrid_fixtures import (  # noqa: F401
    cloud_fixture,
    domain_authority_fixture,
    domain_fixture,
    hybrid_fixture,
    hybrid_lab_fixture,
    make_home_fixture,
    signer_fixture,
    writing_server_fixture,
)
from tests.lab.slapd_fixtures import (  # noqa: F401
    own_slapd_fixture,
    person_fixture,
    slapd_authority_fixture,
    slapd_fixture,
)
