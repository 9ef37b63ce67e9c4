from django.db import migrations, models

import bmat.api.models.reports


class Migration(migrations.Migration):

    dependencies = [
        ('api', '0006_enqueue'),
    ]

    operations = [
        migrations.AddField(
            model_name='report',
            name='rows_left_out',
            field=models.BigIntegerField(default=0, help_text='Records that the preset leaves out, for they are no plays.'),
        ),
        migrations.AddField(
            model_name='report',
            name='rejects_sample',
            field=models.JSONField(blank=True, default=dict, help_text='The first records that were rejected, by reason.'),
        ),
        migrations.AddField(
            model_name='report',
            name='warnings',
            field=models.JSONField(blank=True, default=list, help_text='Each a code and a message.'),
        ),
        migrations.AddField(
            model_name='report',
            name='preset',
            field=models.CharField(blank=True, default='', help_text='The one that was used.', max_length=40),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='report',
            name='group_by',
            field=models.JSONField(default=bmat.api.models.reports.by_song, help_text="The fields of the totals' key, in order."),
        ),
        migrations.AlterField(
            model_name='report',
            name='groups',
            field=models.BigIntegerField(default=0, help_text='The number of totals.'),
        ),
    ]
