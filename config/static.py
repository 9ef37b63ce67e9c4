"""Static files under names that change with what they hold, so that browsers keep them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # no types there
    """The names that JavaScript modules import are changed, too."""

    support_js_module_import_aggregation = True
