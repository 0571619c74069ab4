"""Names the table of hosts in groups, which was there already, and gives it the index that scoped lists ask."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cmdb", "0003_waiting_agents")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="GroupMembership",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True,
                                primary_key=True,
                                serialize=False,
                                verbose_name="ID",
                            ),
                        ),
                        (
                            "host",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                to="cmdb.host",
                            ),
                        ),
                        (
                            "hostgroup",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                to="cmdb.hostgroup",
                            ),
                        ),
                    ],
                    options={
                        "db_table": "cmdb_host_groups",
                        "unique_together": {("host", "hostgroup")},
                    },
                ),
                migrations.AlterField(
                    model_name="host",
                    name="groups",
                    field=models.ManyToManyField(
                        blank=True,
                        related_name="hosts",
                        through="cmdb.GroupMembership",
                        to="cmdb.hostgroup",
                        verbose_name="groups",
                    ),
                ),
            ]
        ),
        migrations.AddIndex(
            model_name="groupmembership",
            index=models.Index(
                fields=["hostgroup", "host"], name="cmdb_members_of_a_group"
            ),
        ),
    ]
