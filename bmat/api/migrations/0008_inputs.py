from django.db import migrations, models

ROWS_AT_ONCE = 500


def fill(apps, schema_editor):
    """A report of before has one input, its file."""
    reports = apps.get_model('api', 'Report').objects.filter(inputs=[])
    pids = list(reports.values_list('pid', flat=True))
    for start in range(0, len(pids), ROWS_AT_ONCE):
        some = list(reports.filter(pid__in=pids[start:start + ROWS_AT_ONCE]).defer('rejects_sample'))
        for report in some:
            named = {'name': report.input_name, 'bytes': report.input_bytes}
            report.inputs = [{**named, 'options': {}}]
            if report.output_file or report.rejects_file or report.groups:
                report.inputs_read = [read(report, named)]
        reports.model.objects.bulk_update(some, ['inputs', 'inputs_read'])


def read(report, named):
    """What its row says of its file; the rest was not kept."""
    counts = {name: getattr(report, name) for name in ('rows_read', 'rows_rejected', 'rows_left_out')}
    unknown = {'encoding': None, 'delimiter': None, 'header_line': None}
    return {**named, **counts, 'preset': report.preset or None, **unknown}


class Migration(migrations.Migration):

    dependencies = [
        ('api', '0007_findings'),
    ]

    operations = [
        migrations.AddField(
            model_name='report',
            name='inputs',
            field=models.JSONField(default=list, help_text='In order, each with its name, bytes, and options of its own.'),
        ),
        migrations.AddField(
            model_name='report',
            name='inputs_read',
            field=models.JSONField(blank=True, default=list, help_text='How each of them was read, and what was found in it.'),
        ),
        migrations.AddField(
            model_name='report',
            name='base',
            field=models.UUIDField(blank=True, editable=False, help_text='The report whose totals are the last input. It may be gone.', null=True),
        ),
        migrations.AlterField(
            model_name='report',
            name='input_file',
            field=models.FileField(help_text='The first of the inputs.', max_length=200, upload_to=''),
        ),
        migrations.AlterField(
            model_name='report',
            name='input_name',
            field=models.CharField(help_text='How its owner calls the first file. Never part of a path.', max_length=255),
        ),
        migrations.AlterField(
            model_name='report',
            name='input_bytes',
            field=models.BigIntegerField(default=0, help_text='Of all inputs: decides which workers take it.'),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
