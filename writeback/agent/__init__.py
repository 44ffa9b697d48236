"""The agent beside an organisation's directory. It knows `writeback.protocol` and no Django."""

VERSION = "0.1.0"
