"""Policy as code: one TOML file a tenant (docs/policy-as-code.md).

`source` reads a file and knows the line of every key, `shapes` says what a key may hold, `sections`
is the registry of what a file is made of, `engine` plans and applies, `writing` writes the file
back. Other apps add their sections through `sections.register`.
"""
