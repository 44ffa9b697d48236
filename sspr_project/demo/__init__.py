"""The demo: three organisations in an embedded database, with the messages shown as pages."""
