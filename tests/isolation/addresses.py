"""Every address of the product, read from its URL map, and how its parameters are filled."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.regex_helper import normalize

PARAMETER = re.compile(r"<(?:[^:>]+:)?([^>]+)>")


@dataclass(frozen=True)
class Address:
    """One pattern of the map. `template` is a path with `%(name)s`, `parameters` name → regex."""

    template: str
    parameters: Mapping[str, str]
    view: Any

    def filled(self, named: UUID, tenant: UUID) -> str | None:
        """The path with every parameter filled by this id, or by what comes nearest to it; nothing
        where no form of the id fits."""
        forms = (str(named), f"{tenant.hex}.{named.hex}", named.hex[:6], "1")
        values = {
            # A choice between fixed words is filled with the first of them.
            name: next(
                (each for each in (*forms, regex.split("|")[0]) if re.fullmatch(regex, each)), None
            )
            for name, regex in self.parameters.items()
        }
        if None in values.values():
            return None
        return self.template % values

    @property
    def path(self) -> str:
        assert not self.parameters
        return self.template

    @property
    def model_admin(self) -> Any:
        """The class that administers a table, where the view is one of it."""
        return getattr(self.view, "model_admin", None)

    @property
    def site(self) -> Any:
        """The administration site the view belongs to."""
        return getattr(self.view, "admin_site", None) or getattr(
            self.model_admin, "admin_site", None
        )


def addresses() -> list[Address]:
    """Every address, in the order of the map."""
    return list(_walk(get_resolver(), "/", {}))


def _walk(resolver: URLResolver, prefix: str, known: Mapping[str, str]) -> Iterator[Address]:
    for entry in resolver.url_patterns:
        for template, parameters in _readings(entry.pattern):
            path, found = prefix + template, {**known, **parameters}
            if isinstance(entry, URLResolver):
                yield from _walk(entry, path, found)
            elif isinstance(entry, URLPattern):
                yield Address(path, found, entry.callback)


def _readings(pattern: Any) -> Iterator[tuple[str, dict[str, str]]]:
    """The pattern as a template; a regular expression may read in several ways."""
    if hasattr(pattern, "_route"):
        route = str(pattern)
        template = PARAMETER.sub(r"%(\1)s", route.replace("%", "%%"))
        yield template, {name: each.regex for name, each in pattern.converters.items()}
        return
    groups = pattern.regex.groupindex
    for template, names in normalize(pattern.regex.pattern):
        yield template, {name: _regex_of(pattern.regex.pattern, name) for name in names if groups}


def _regex_of(expression: str, name: str) -> str:
    """What stands inside a named group that holds no group itself."""
    found = re.search(rf"\(\?P<{name}>([^()]*)\)", expression)
    assert found is not None, expression
    return found[1]


def sites() -> list[Any]:
    """Every administration site that has addresses."""
    found: dict[int, Any] = {id(each.site): each.site for each in addresses() if each.site}
    return list(found.values())
