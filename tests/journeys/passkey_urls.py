"""The passkey's pages in the browser, beside everything else."""

from tests.accounts.passkey_pages import urlpatterns as pages
from tests.journeys import urls as every

urlpatterns = [*pages, *every.urlpatterns]
handler400, handler403 = every.handler400, every.handler403
handler404, handler500 = every.handler404, every.handler500
