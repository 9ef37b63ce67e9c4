"""How drf-spectacular describes the API.
https://drf-spectacular.readthedocs.io/en/stable/settings.html
"""

from bmat import __version__

SPECTACULAR_SETTINGS = {
    "TITLE": "bmat",
    "DESCRIPTION": "Turns play logs of any size into exact daily totals per song: upload a CSV, "
    "poll its report, download the totals, or look songs up in them. Where the service asks who "
    "sends a request, a token says so: `Authorization: Token ...`, from a login.",
    "VERSION": __version__,
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/",
    # What is sent and what is answered differ.
    "COMPONENT_SPLIT_REQUEST": True,
    "SORT_OPERATION_PARAMETERS": False,
    "PREPROCESSING_HOOKS": ["bmat.api.schema.hooks.plain_paths"],
    "POSTPROCESSING_HOOKS": [
        "bmat.api.schema.hooks.plain_blanks",
        "bmat.api.schema.hooks.known_fields_alone",
        "bmat.api.schema.hooks.without_ids",
    ],
    # In this order on the page.
    "TAGS": [{"name": "reports"}, {"name": "uploads"}, {"name": "auth"}],
}
