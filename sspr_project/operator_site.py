"""The operator site, put together: its pages, its sign-in, and what it says about health."""

from accounts.signin.admin_login import sign_in_operator
from accounts.signin.stages import may_enter
from tenants.operator import OperatorSite

from .health import examine

operator_site = OperatorSite(
    "operator", sign_in=sign_in_operator, may_enter=may_enter, examine=examine
)
