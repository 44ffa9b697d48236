"""Signs of life of what works beside the web server. The installation's own, of no tenant."""

from django.db import models


class Heartbeat(models.Model):
    """When a part of the installation was last at work."""

    name = models.CharField(max_length=20, primary_key=True)
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.beat_at:%Y-%m-%d %H:%M:%S}"
