"""What a new password must be, and how a cloud password is hashed.

`rules.check` answers whether a password is accepted and why not; `messages` says it in words.
Nothing is imported here: only `messages` and `hashing` need Django.
"""
