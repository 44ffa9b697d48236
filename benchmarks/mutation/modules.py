"""Which modules are mutated, and the tests that are about each of them."""

from collections.abc import Mapping, Sequence

MODULES: Mapping[str, Sequence[str]] = {
    "resets/flow.py": ("tests/resets/test_flow.py",),
    "resets/guessing.py": ("tests/resets/test_guessing.py",),
    "resets/eligibility.py": (
        "tests/resets/test_eligibility_methods.py",
        "tests/resets/test_eligibility_people.py",
        "tests/resets/test_eligibility_plans.py",
    ),
    "tenants/policy.py": (
        "tests/tenants/test_policy.py",
        "tests/tenants/test_policy_summary.py",
        "tests/resets/test_eligibility_plans.py",
    ),
    "tenants/limits.py": ("tests/tenants/test_limits.py", "tests/tenants/test_counters.py"),
    "tenants/counters.py": (
        "tests/tenants/test_counters.py",
        "tests/tenants/test_counters_watched.py",
        "tests/tenants/test_forgetting.py",
    ),
    "tenants/keys.py": ("tests/tenants/test_keys.py", "tests/tenants/test_services.py"),
    "notifications/sealing.py": (
        "tests/notifications/test_sealing.py",
        "tests/notifications/test_services.py",
        "tests/notifications/test_queue.py",
    ),
    "tenants/audit_chain.py": (
        "tests/tenants/test_audit_chain.py",
        "tests/tenants/test_audit.py",
        "tests/tenants/test_audit_command.py",
        "tests/tenants/test_audit_tampering.py",
    ),
}
GOAL = 0.85
