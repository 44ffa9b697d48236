"""Policy as code, the part about people: users, guests, and who is in which group."""

from tenants.config.sections import Section, register
from tenants.config.shapes import Key, Listing

from .config_export import export
from .config_plan import PeopleWork
from .config_shapes import GUEST, USER

SECTION = Section(
    name="people",
    keys={
        "users": Key(Listing(USER), "people, written as [[users]]"),
        "guests": Key(Listing(GUEST), "people of other organisations, written as [[guests]]"),
    },
    open=PeopleWork,
    export=export,
)
register(SECTION)
