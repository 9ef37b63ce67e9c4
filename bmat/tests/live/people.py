"""Who has an account with the service that asks everybody who they are, beside the user of the
examples in the API's description.
"""

# Rates that thousands of requests stay below, so that every answer tells them all the same.
LOCKED = {
    "BMAT_REQUIRE_AUTH": "on",
    "BMAT_REQUEST_RATE": "900000/min",
    "BMAT_LOGIN_FAILURES": "none",
}
PASSWORD = "a password of the live tests"
# Logs out all the time.
LEAVER = {"username": "leaver", "password": PASSWORD}
# Makes tokens all the time, and revokes them.
MAKER = {"username": "maker", "password": PASSWORD}
# What the requests of schemathesis carry as `Authorization`.
TOKEN_VARIABLE = "BMAT_SCHEMATHESIS_TOKEN"
