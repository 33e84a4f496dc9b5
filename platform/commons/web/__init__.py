"""The web kit: layout, components, problem+json, idempotency, pagination, OpenAPI."""
