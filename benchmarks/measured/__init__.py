"""The measurements themselves; imported once Django is set up for the product."""
