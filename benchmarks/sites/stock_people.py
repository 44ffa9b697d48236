"""Makes the people of the stock site: `python -m benchmarks.sites.stock_people FIRST COUNT`.

The first of them may use the site's own administration.
"""

import sys

import django


def make(first: int, count: int) -> None:
    """Each with a password, a mailbox, and for allauth the mailbox once more."""
    from allauth.account.models import EmailAddress
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import User

    password = make_password("Tall-Ships 4 Everybody")
    users = User.objects.bulk_create(
        [
            User(
                username=f"able.{number}",
                email=mailbox(number),
                password=password,
                first_name="Able",
                last_name="Example",
                is_staff=number == 0,
                is_superuser=number == 0,
            )
            for number in range(first, first + count)
        ],
        batch_size=1000,
    )
    EmailAddress.objects.bulk_create(
        [EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users],
        batch_size=1000,
    )


def mailbox(number: int) -> str:
    return f"able.{number}@stock.example.net"


if __name__ == "__main__":
    django.setup()
    make(int(sys.argv[1]), int(sys.argv[2]))
