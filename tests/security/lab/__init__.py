"""The laboratory of the attack suite: the product as a process, attackers, and what they see.

`server`   the running product, behind what plays its TLS proxy
`client`   an attacker's browser, and bytes that no browser would send
`captcha`  solving the door's proof of work
`compare`  UNIFORM: two answers that tell nothing apart
`observers` messages, audit trail, dump of the database, fingerprints of a tenant
`canaries` secrets in every dress, looked for in everything that is kept
`lab`      one case: the two tenants, the verbs, and what must hold after it
"""

import pytest

pytest.register_assert_rewrite("tests.security.lab.compare", "tests.security.lab.lab")
