"""Servers and doubles the tests run against: database, browser, mail, provider, the product."""
