"""Tenants and the installation's own row."""

import threading
from uuid import UUID, uuid4

import pytest
from django.db import connection

from tenants.context import OtherTenant, tenant_context
from tenants.keys import tenant_keys
from tenants.lookup import find_tenant, platform_id, tenant_ids
from tenants.models import Tenant, TenantKey
from tenants.services import TenantExists, create_tenant, get_platform


@pytest.mark.django_db
def test_a_new_tenant_is_found_by_its_slug_and_can_seal() -> None:
    tenant = create_tenant("contoso", "Contoso", reveal_reason=True)

    assert find_tenant(slug="contoso") == tenant.id
    with tenant_context(tenant.id):
        assert Tenant.objects.get().reveal_reason
        assert tenant_keys().open_text(tenant_keys().seal("x", b"a"), b"a").reveal() == "x"


@pytest.mark.django_db
def test_a_slug_is_given_once_and_the_transaction_goes_on() -> None:
    first = create_tenant("contoso", "Contoso")

    with pytest.raises(TenantExists):
        create_tenant("contoso", "Somebody else")

    assert tenant_ids() == [first.id]


@pytest.mark.django_db
def test_a_tenant_is_made_in_its_own_context_only() -> None:
    chosen = uuid4()
    with tenant_context(chosen):
        assert create_tenant("contoso", "Contoso", id=chosen).id == chosen
        with pytest.raises(OtherTenant):
            create_tenant("fabrikam", "Fabrikam")


@pytest.mark.django_db
def test_the_platform_is_made_once_and_is_no_customer() -> None:
    made = get_platform()

    assert get_platform() == made == platform_id()
    assert tenant_ids() == []


@pytest.mark.django_db(transaction=True)
def test_processes_that_start_together_share_one_platform() -> None:
    start, found = threading.Barrier(4), []

    def ask() -> None:
        start.wait(timeout=10)
        found.append(get_platform())
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4
    assert len(set(found)) == 1
    assert isinstance(found[0], UUID)
    with tenant_context(found[0]):
        assert TenantKey.objects.count() == 1
