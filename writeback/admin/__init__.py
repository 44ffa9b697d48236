"""Directories, agents, jobs and reminders on the administration site, and directory accounts on the
page of a person."""

from . import agents, connectors, events, jobs, orders, people, reminders

__all__ = ["agents", "connectors", "events", "jobs", "orders", "people", "reminders"]
