"""What happens to directories, agents and jobs: one function an intent, one module a topic."""
