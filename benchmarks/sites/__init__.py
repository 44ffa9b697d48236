"""What runs under gunicorn in a benchmark: the product with a yardstick URL, and stock sites."""
