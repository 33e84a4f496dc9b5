"""What the web kit remembers: answers to idempotent POSTs."""

from django.db import models


class IdempotentAnswer(models.Model):
    """The answer to a principal's Idempotency-Key, written in the transaction of what it did.

    `principal` and `key` are SHA-256 in hex; `content` is sealed (see commons.web.idempotent).
    """

    principal = models.CharField(max_length=64)
    key = models.CharField(max_length=64)
    body_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    content = models.BinaryField(null=True)
    content_type = models.CharField(max_length=120, blank=True)
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint("principal", "key", name="web_idempotency_key_once"),)
        indexes = (models.Index(fields=["created_at"], name="web_idempotency_age"),)

    def __str__(self) -> str:
        return self.key
