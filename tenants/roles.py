"""PURE. Directory roles as data: who is an administrator for the fixed reset policy.

The list is the published one (78 roles); roles that only read are not on it.
"""

from collections.abc import Iterable

ADMINISTRATOR_ROLES = frozenset(
    {
        "adhoc_license_administrator",
        "application_administrator",
        "application_proxy_service_administrator",
        "attack_simulation_administrator",
        "attribute_assignment_administrator",
        "attribute_definition_administrator",
        "attribute_log_administrator",
        "authentication_administrator",
        "authentication_extensibility_administrator",
        "authentication_policy_administrator",
        "azure_devops_administrator",
        "azure_information_protection_administrator",
        "b2c_ief_keyset_administrator",
        "b2c_ief_policy_administrator",
        "billing_administrator",
        "cloud_app_security_administrator",
        "cloud_device_administrator",
        "compliance_administrator",
        "compliance_data_administrator",
        "conditional_access_administrator",
        "customer_lockbox_access_approver",
        "desktop_analytics_administrator",
        "device_administrators",
        "directory_synchronization_accounts",
        "directory_writers",
        "domain_name_administrator",
        "dynamics_365_administrator",
        "dynamics_365_business_central_administrator",
        "edge_administrator",
        "email_verified_user_creator",
        "exchange_administrator",
        "exchange_recipient_administrator",
        "external_id_user_flow_administrator",
        "external_id_user_flow_attribute_administrator",
        "external_identity_provider_administrator",
        "global_administrator",
        "global_secure_access_administrator",
        "groups_administrator",
        "helpdesk_administrator",
        "hybrid_identity_administrator",
        "identity_governance_administrator",
        "insights_administrator",
        "intune_administrator",
        "knowledge_administrator",
        "license_administrator",
        "lifecycle_workflows_administrator",
        "mailbox_administrator",
        "microsoft_entra_joined_device_local_administrator",
        "microsoft_hardware_warranty_administrator",
        "microsoft365_migration_administrator",
        "modern_commerce_administrator",
        "network_administrator",
        "office_apps_administrator",
        "organizational_branding_administrator",
        "partner_tier1_support",
        "partner_tier2_support",
        "password_administrator",
        "permissions_management_administrator",
        "power_bi_service_administrator",
        "power_platform_administrator",
        "printer_administrator",
        "privileged_authentication_administrator",
        "privileged_role_administrator",
        "search_administrator",
        "security_administrator",
        "service_support_administrator",
        "sharepoint_administrator",
        "skype_for_business_administrator",
        "teams_administrator",
        "teams_communications_administrator",
        "teams_devices_administrator",
        "user_administrator",
        "virtual_visits_administrator",
        "viva_goals_administrator",
        "viva_pulse_administrator",
        "windows365_administrator",
        "windows_update_deployment_administrator",
        "yammer_administrator",
    }
)
READER_ROLES = frozenset(
    {
        "global_reader",
        "guest_inviter",
        "message_center_privacy_reader",
        "message_center_reader",
        "reports_reader",
        "security_operator",
        "security_reader",
        "usage_summary_reports_reader",
    }
)
ROLES = ADMINISTRATOR_ROLES | READER_ROLES
AUDITOR_ROLES = frozenset({"global_reader", "security_operator", "security_reader"})
"""Readers for whom the administration site opens, to look and nothing else."""
GLOBAL_ADMINISTRATOR = "global_administrator"
PASSWORD_ADMINISTRATOR = "password_administrator"  # noqa: S105 - the name of a role
USER_ADMINISTRATOR = "user_administrator"
CONTACT_TIERS = (PASSWORD_ADMINISTRATOR, USER_ADMINISTRATOR, GLOBAL_ADMINISTRATOR)
"""Who gets "contact your administrator": the first tier that has anybody."""
MAX_CONTACTED = 100
OPERATOR = "operator"
"""Runs the installation. It is no directory role: no tenant can give it to anybody, and it counts
for people of the installation's own row alone."""


def holds_operator_role(roles: Iterable[str]) -> bool:
    return OPERATOR in roles


def holds_administrator_role(roles: Iterable[str]) -> bool:
    return any(role in ADMINISTRATOR_ROLES for role in roles)


def may_enter(roles: Iterable[str]) -> bool:
    """Whether the administration site opens for holders of these roles."""
    return any(role in ADMINISTRATOR_ROLES or role in AUDITOR_ROLES for role in roles)
