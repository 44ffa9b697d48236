"""What every benchmark shares: a database, servers, a client, CPU accounting, tables."""
