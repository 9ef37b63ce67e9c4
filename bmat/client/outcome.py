"""How a command ends that something was wrong with: what it says, and its exit code."""

import json

from bmat.client.errors import FAILED, ApiError, ClientError, ReportCancelled, ReportFailed
from bmat.client.progress import Display


def tell(error: ClientError | OSError, is_json: bool, display: Display, where: str = "") -> int:
    """Say what is wrong, and where, if that is not in the error; the exit code."""
    in_front = f"{where}: " if where else ""
    if isinstance(error, OSError):
        text = f"{error.filename}: {error.strerror}" if error.filename else f"{in_front}{error}"
        code, exit_code = "os_error", FAILED
    else:
        text, code, exit_code = f"{in_front}{error}", error.code, error.exit_code
    display.complain(text)
    fields = error.fields if isinstance(error, ApiError) else {}
    for name, texts in fields.items():
        display.complain(f"  {name}: {' '.join(texts)}")
    if is_json and isinstance(error, ReportFailed | ReportCancelled):
        print(json.dumps(error.report, ensure_ascii=False))
    elif is_json:
        told = {"code": code, "message": text, "fields": fields}
        print(json.dumps({"error": told}, ensure_ascii=False))
    return exit_code
