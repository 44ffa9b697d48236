"""The operator site, put together: its pages, its sign-in, and what it says about health."""

from accounts.signin.admin_login import sign_in_operator
from tenants.operator import OperatorSite

from .health import examine

operator_site = OperatorSite("operator", sign_in=sign_in_operator, examine=examine)
