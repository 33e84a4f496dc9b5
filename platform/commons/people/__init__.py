"""People and organisations: one handle namespace, memberships with roles, sign-in, API tokens."""
