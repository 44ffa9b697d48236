"""The agents' door: JSON over HTTP, signed both ways (docs/writeback.md)."""
