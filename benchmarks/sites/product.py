"""The product's own settings, plus one URL: the one-query view that is the unit of the figures.

BENCH_HASH=md5 takes the password hash away (only to see the code's own cost); BENCH_HASH_COUNTER
names a file that gets one byte for each password hash or key derivation.
"""

import os

from sspr_project.settings import *  # noqa: F403 - the product's settings as they are

from .counting import count_hashes

ROOT_URLCONF = "benchmarks.sites.product_urls"
if os.environ.get("BENCH_HASH") == "md5":
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
count_hashes(os.environ.get("BENCH_HASH_COUNTER", ""))
