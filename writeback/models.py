"""Connectors and jobs of the organisation's own directory arrive here; a tenant has none yet."""
