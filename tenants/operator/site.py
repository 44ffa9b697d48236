"""The operator site: who may enter, and where its pages are. It shows no table of any tenant."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache

from .. import audit
from ..audit import Party
from ..context import tenant_context
from ..roles import holds_operator_role
from ..services import get_platform
from . import views

LANGUAGE = "en"

SignIn = Callable[[HttpRequest, Mapping[str, Any]], HttpResponse]
MayEnter = Callable[[HttpRequest], bool]
Examine = Callable[[], Sequence[Any]]


class OperatorSite(AdminSite):
    """For those who run the installation. Only on shared hosts, only for its own operators.

    `sign_in` is the page that signs people in, `may_enter` says whether a session was proved well
    enough for this site, `examine` says how the installation is; all know more than this app, so
    who assembles the product gives them.
    """

    site_title = site_header = index_title = "Operator"
    enable_nav_sidebar = False
    site_url = None
    logout_template = "admin/signed_out.html"

    def __init__(
        self, name: str, *, sign_in: SignIn, may_enter: MayEnter, examine: Examine
    ) -> None:
        super().__init__(name)
        self.sign_in, self.may_enter, self.examine = sign_in, may_enter, examine

    def has_permission(self, request: HttpRequest) -> bool:
        return self.is_operator(request) and self.may_enter(request)

    def is_operator(self, request: HttpRequest) -> bool:
        """Whether an operator is signed in, proved well enough or not yet."""
        user: Any = request.user
        return bool(
            user.is_authenticated
            and user.usable
            and holds_operator_role(user.roles)
            and user.tenant_id == get_platform()
        )

    def get_urls(self) -> list[Any]:
        def page(route: str, view: Any, name: str) -> Any:
            @wraps(view)
            def bound(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
                answer: HttpResponseBase = view(self, request, **arguments)
                return answer

            return path(route, self.admin_view(bound), name=name)

        one = "tenants/<uuid:tenant>/"
        return [
            path("login/", self.login, name="login"),
            path("logout/", self.admin_view(self.logout), name="logout"),
            page("", views.index, "index"),
            page("tenants/", views.tenant_list, "tenants"),
            page("tenants/add/", views.tenant_add, "tenant_add"),
            page(one, views.tenant_page, "tenant"),
            page(f"{one}open/", views.tenant_open, "tenant_open"),
            page(f"{one}state/", views.tenant_state, "tenant_state"),
            page(f"{one}plan/", views.tenant_plan, "tenant_plan"),
            page(f"{one}names/", views.tenant_names, "tenant_names"),
            page("health/", views.health, "health"),
        ]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        return _guarded(self, super().admin_view(_in_english(view), cacheable))

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        _refuse_own_hosts(request)
        request.current_app = self.name
        _know_user(request)
        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(reverse(f"{self.name}:index"))
        with translation.override(LANGUAGE):
            context = {**self.each_context(request), **(extra_context or {})}
            return never_cache(self.sign_in)(request, context)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The navigation, in the shape the templates of Django's admin know."""
        pages = (("Organisations", "tenants"), ("Health", "health"))
        entries = [
            {"name": name, "admin_url": reverse(f"{self.name}:{url}")} for name, url in pages
        ]
        return [{"name": "Operator", "app_label": "operator", "app_url": "", "models": entries}]

    def page(
        self, request: HttpRequest, name: str, title: str, *, status: int = 200, **more: Any
    ) -> HttpResponse:
        context = {**self.each_context(request), "title": title, **more}
        return render(request, f"operator/{name}.html", context, status=status)


def _guarded(site: OperatorSite, view: Any) -> Any:
    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        _refuse_own_hosts(request)
        request.current_app = site.name
        _know_user(request)
        user: Any = request.user
        if user.is_authenticated and not site.is_operator(request):
            with tenant_context(user.tenant_id):
                audit.record(
                    "admin.denied",
                    actor=Party("administrator", user.pk, user.get_username()),
                    result="denied",
                    data={"path": request.path},
                    now=timezone.now(),
                )
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return inner


def _refuse_own_hosts(request: Any) -> None:
    """On an organisation's own host there is no such site."""
    if request.host_tenant is not None:
        raise Http404


def _know_user(request: HttpRequest) -> None:
    """Reads who is signed in behind the walls of the tenant the session belongs to."""
    tenant = getattr(request.session, "tenant", None)
    if tenant is not None:
        with tenant_context(tenant):
            bool(request.user.is_authenticated)


def _in_english(view: Any) -> Any:
    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with translation.override(LANGUAGE):
            response: Any = view(request, *args, **kwargs)
            if hasattr(response, "render") and not response.is_rendered:
                response.render()
        found: HttpResponseBase = response
        return found

    return inner
