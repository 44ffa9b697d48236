"""Sign-ins at other services (OpenID Connect): to sign in here, or to prove who somebody is."""
