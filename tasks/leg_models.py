"""What a leg brings to its hosts: the program and the values, kept apart from the run, whose row is read often."""

import secrets

from django.db import models


def new_seed() -> str:
    """Give what the marks of a leg's processes are made of."""
    return secrets.token_hex(16)


class RunLeg(models.Model):
    """The program of a run of kind deploy with what it is given; the secret values stand in the run's `sealed`."""

    run = models.OneToOneField(
        "tasks.Run", on_delete=models.CASCADE, related_name="leg", primary_key=True
    )
    program = models.TextField()
    values = models.JSONField(default=dict, blank=True)
    # {host id: {name: value}}
    host_values = models.JSONField(default=dict, blank=True)
    # {host id: {"path": of the file on the portal's machine, "sha256", "size"}}: what its program reads from stdin.
    send = models.JSONField(default=dict, blank=True)
    # It undoes what went wrong: it does not wait for others, and goes on where who asked may not sign in any more.
    urgent = models.BooleanField(default=False)
    # The portal itself asked for it, and no person.
    by_portal = models.BooleanField(default=False)
    # From it come the marks by which the processes on the hosts are found again, by another worker, too.
    seed = models.CharField(max_length=32, default=new_seed)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"leg of run {self.run_id}"
