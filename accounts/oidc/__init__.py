"""The OpenID Connect provider: applications of a tenant let their people sign in here."""
