"""How cloud passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class OwaspArgon2PasswordHasher(Argon2PasswordHasher):
    """argon2id with OWASP's parameters: 19 MiB, 2 passes, 1 lane.

    Django's own (100 MiB, 8 lanes) cost ten times as much for no gain. Hashes made with other
    parameters still verify and are made anew at the next sign-in.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
