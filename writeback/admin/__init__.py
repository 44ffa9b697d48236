"""Directories, agents and jobs on the administration site, and directory accounts on the page of a
person."""

from . import agents, connectors, events, jobs, orders, people

__all__ = ["agents", "connectors", "events", "jobs", "orders", "people"]
