from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('api', '0005_installation'),
    ]

    operations = [
        migrations.RenameField(model_name='report', old_name='ring_at', new_name='next_enqueue_at'),
        migrations.RenameField(model_name='report', old_name='rings', new_name='enqueue_count'),
        migrations.AlterField(
            model_name='report',
            name='next_enqueue_at',
            field=models.DateTimeField(help_text='When a message is sent again, if no worker has claimed the report.'),
        ),
        migrations.AlterField(
            model_name='report',
            name='enqueue_count',
            field=models.PositiveIntegerField(default=1, help_text='Messages sent since it began to wait; 0: none is under way.'),
        ),
        migrations.AddField(
            model_name='report',
            name='cluster_waits',
            field=models.PositiveIntegerField(default=0, help_text='How often its Dask cluster was away.'),
        ),
    ]
