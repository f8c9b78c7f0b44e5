"""Hooks of schemathesis for test_schemathesis.py.

BACKEND is the line of JSON that the backend prints. With SIGN=1 requests are signed, with credentials of players that it makes;
otherwise nobody may be let in. What was answered is written to the file SEEN at the end.
"""

import atexit
import json
import os
import urllib.request
from pathlib import Path

import requests
import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from programs import PATIENCE

BACKEND = json.loads(os.environ["BACKEND"])
STARTS = {"/v1/matchmaking/tickets", "/v1/sessions", "/start_game", "/requestmatchmaking"}
STARTS_MAX = 3  # that a player may make at once: the table counts them, so no flag lifts that
SIGNED = {"content-type", "idempotency-key"}
AMZ_JSON = "application/x-amz-json-1.1"

# JSON by another name.
schemathesis.serializer.alias(AMZ_JSON, "application/json")
schemathesis.deserializer(AMZ_JSON)(lambda _, response: json.loads(response.content))


SEEN = set()


@schemathesis.hook
def after_call(_, case, response):
    SEEN.add(f"{response.request.method} {case.operation.path} {response.status_code}")


@atexit.register
def write():
    Path(os.environ["SEEN"]).write_text(json.dumps(sorted(SEEN)))


def cognito(operation: str, body: dict) -> dict:
    headers = {"X-Amz-Target": f"AWSCognitoIdentityService.{operation}"}
    request = urllib.request.Request(BACKEND["endpoint"], data=json.dumps(body).encode(), headers=headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)


class Players(requests.auth.AuthBase):
    """One after the other, each for as many starts as one may make at once."""

    def __init__(self):
        self.keys = None
        self.starts = STARTS_MAX

    def next(self):
        identity = cognito("GetId", {"IdentityPoolId": BACKEND["identityPool"]})
        keys = cognito("GetCredentialsForIdentity", identity)["Credentials"]
        self.keys = Credentials(keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"])
        self.starts = 0

    def __call__(self, request):
        path = request.url.removeprefix(BACKEND["endpoint"]).split("?")[0]
        if self.starts >= STARTS_MAX:
            self.next()
        self.starts += path in STARTS
        headers = {name: value for name, value in request.headers.items() if name.lower() in SIGNED}
        copy = AWSRequest(method=request.method, url=request.url, data=request.body or b"", headers=headers)
        SigV4Auth(self.keys, "execute-api", BACKEND["region"]).add_auth(copy)
        for name in ("Authorization", "X-Amz-Date", "X-Amz-Security-Token"):
            request.headers[name] = copy.headers[name]
        return request


if os.environ.get("SIGN") == "1":
    schemathesis.auth.set_from_requests(Players())
else:

    @schemathesis.check
    def nobody_is_let_in(_, response, case):
        is_open = case.operation.definition.raw.get("security") == [{}]
        assert is_open or response.status_code in (401, 403), f"{response.status_code} without a signature"
