"""Who sends requests in the tests: alice owns what she uploads, bob is somebody else, and root sees
everything.
"""

from datetime import timedelta

from django.contrib.auth.models import User
from knox.models import AuthToken

PASSWORD = "a password of the tests"


def person(name: str) -> User:
    """The user of that name, made where there is none. root is a superuser."""
    found = User.objects.filter(username=name).first()
    if found is not None:
        return found
    make = User.objects.create_superuser if name == "root" else User.objects.create_user
    return make(name, password=PASSWORD)


def token_of(user: User, valid_days: float = 1) -> dict[str, str]:
    """The header that a request of `user` carries."""
    _, token = AuthToken.objects.create(user, expiry=timedelta(days=valid_days))
    return {"Authorization": f"Token {token}"}
