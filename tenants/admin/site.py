"""The site itself: who may enter, what its navigation shows, what of Django's is left out."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import SimpleTemplateResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache

from .. import audit
from ..audit import Party
from ..context import find_current_tenant
from ..models import Tenant

# Passwords are changed by the product's own pages, and `view_on_site` would look rows up by type.
LEFT_OUT = frozenset({"password_change", "password_change_done", "view_on_site"})
AREAS = ("People", "Recovery", "Rules", "Organisation")
LANGUAGE = "en"

View = Callable[..., HttpResponseBase]
SignIn = Callable[[HttpRequest, Mapping[str, Any]], HttpResponse]
MayEnter = Callable[[HttpRequest], bool]


class TenantAdminSite(AdminSite):
    """Administration of the tenant in force. It speaks English, and keeps no log of its own:
    what administrators do is in the audit trail.

    `sign_in` is the page that signs people in, `may_enter` says whether a session was proved well
    enough for this site. Both know people, so the app that owns them sets them.
    """

    site_title = "Administration"
    site_header = "Administration"
    index_title = "Administration"
    enable_nav_sidebar = False
    empty_value_display = "–"
    logout_template = "admin/signed_out.html"
    sign_in: SignIn | None = None
    may_enter: MayEnter | None = None

    def has_permission(self, request: HttpRequest) -> bool:
        user: Any = request.user
        in_force = find_current_tenant()
        return bool(
            user.is_authenticated
            and user.tenant_id == in_force
            and user.has_module_perms("administration")
            and self.may_enter is not None
            and self.may_enter(request)
        )

    def get_urls(self) -> list[Any]:
        return [url for url in super().get_urls() if getattr(url, "name", None) not in LEFT_OUT]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        return super().admin_view(_in_english(_denials_recorded(view)), cacheable)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self.sign_in is None:
            raise ImproperlyConfigured("the administration site has no page to sign in")
        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index", current_app=self.name))
        with translation.override(LANGUAGE):
            context = {**self.each_context(request), **(extra_context or {})}
            return never_cache(self.sign_in)(request, context)

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """There is one index; how the code is divided into apps says nothing to administrators."""
        return HttpResponseRedirect(reverse("admin:index", current_app=self.name))

    def each_context(self, request: HttpRequest) -> Any:
        context: dict[str, Any] = dict(super().each_context(request))
        name = self._tenant_name(request)
        return {**context, "organisation": name, "site_header": name or self.site_header}

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """The registered tables by area, in the order an administrator thinks of them."""
        found: dict[str, list[Any]] = {area: [] for area in AREAS}
        for app in super().get_app_list(request, app_label):
            for entry in app["models"]:
                model_admin: Any = self.get_model_admin(entry["model"])
                named = {"name": model_admin.heading, "place": model_admin.place}
                found[model_admin.area].append({**entry, **named})
                for also, place, query in model_admin.also_listed:
                    more = {"name": also, "place": place, "admin_url": entry["admin_url"] + query}
                    found[model_admin.area].append({**entry, **more})
        return [
            {
                "name": area,
                "app_label": area.lower(),
                "app_url": "",
                "models": sorted(entries, key=lambda entry: entry["place"]),
            }
            for area, entries in found.items()
            if entries
        ]

    def autocomplete_view(self, request: HttpRequest) -> Any:
        return _Suggestions.as_view(admin_site=self)(request)

    def get_log_entries(self, request: HttpRequest) -> Any:
        """Django's own log has no tenant, so it is neither written nor read."""
        return ()

    def _tenant_name(self, request: HttpRequest) -> str:
        own_host = getattr(request, "host_tenant", None) is not None
        if find_current_tenant() is None or not (own_host or self.has_permission(request)):
            return ""
        tenant = Tenant.objects.first()
        return tenant.name if tenant is not None else ""


class _Suggestions(AutocompleteJsonView):
    """What a field that suggests rows offers: `value` is what the field takes."""

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        # Not in the stubs.
        found = super().serialize_result(obj, to_field_name)  # type: ignore[misc]  # not in the stubs
        value = str(getattr(obj, "user_id", "") or obj)
        text = found["text"] if found["text"] == value else f"{found['text']} ({value})"
        return {**found, "value": value, "text": text}


def _in_english(view: View) -> View:
    """Django's texts and ours in one language, on pages that are rendered late, too."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with translation.override(LANGUAGE):
            response = view(request, *args, **kwargs)
            if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
                response.render()
        return response

    return inner


def _denials_recorded(view: View) -> View:
    """What a signed-in administrator may not do leaves a line in the audit trail."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except PermissionDenied:
            user: Any = request.user
            audit.record(
                "admin.denied",
                actor=Party("administrator", user.pk, user.get_username()),
                result="denied",
                data={"path": request.path},
                now=timezone.now(),
            )
            raise

    return inner


tenant_site = TenantAdminSite(name="admin")
