"""The backend's gateway against signers that we have not written: botocore's and that of the AWS SDK for JavaScript."""

import datetime
import json
import shutil
import subprocess
import unittest
import urllib.error
import urllib.request

from programs import PATIENCE, WORK, Backend

SCRIPT = """
import { SignatureV4 } from "@smithy/signature-v4";
import { Sha256 } from "@aws-crypto/sha256-js";
const { url, region, credentials } = JSON.parse(process.argv[2]);
const { protocol, hostname, port } = new URL(url);
const signer = new SignatureV4({ service: "execute-api", region, credentials, sha256: Sha256 });
const ask = (method, path, query, body, more = {}) => ({
  method, protocol, hostname, port: Number(port), path, query, body, headers: { host: `${hostname}:${port}`, ...more },
});
const search = (query) => {
  const pairs = Object.entries(query).map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(v)}`);
  return pairs.length ? "?" + pairs.join("&") : "";
};
const send = async ({ method, path, query, headers, body }) => {
  const { host, ...rest } = headers;
  return (await fetch(url + path + search(query), { method, headers: rest, body })).status;
};
const said = {};
said.get = await send(await signer.sign(ask("GET", "/v1/players/me", { "a b": "c/d+é", a: "" })));
said.encoded = await send(await signer.sign(ask("GET", "/v1/matchmaking/tickets/a%20b%3Ac", {})));
const key = { "content-type": "application/json", "idempotency-key": "12345678" };
const post = await signer.sign(ask("POST", "/v1/matchmaking/tickets", {}, '{"team":"red"}', key));
said.post = await send(post);
said.altered = await send({ ...post, body: "{}" });
said.presigned = await send(await signer.presign(ask("GET", "/v1/players/me", {}), { expiresIn: 60 }));
said.long = await send(await signer.presign(ask("GET", "/v1/players/me", {}), { expiresIn: 301 }));
console.log(JSON.stringify(said));
"""


class Gateway(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.backend = Backend()
        cls.addClassCleanup(cls.backend.__exit__)

    def signed(self, method, path, body=b"", headers=None, signer=None, **options):
        """A request signed by botocore, as (status, body)."""
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        keys = self.backend.credentials()
        keys = Credentials(keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"])
        request = AWSRequest(method=method, url=self.backend.url + path, data=body, headers=headers or {})
        (signer or SigV4Auth)(keys, "execute-api", self.backend.line["region"], **options).add_auth(request)
        return self.send(request.prepare())

    def send(self, request):
        ask = urllib.request.Request(
            request.url, data=request.body or None, headers=dict(request.headers), method=request.method
        )
        try:
            with urllib.request.urlopen(ask, timeout=PATIENCE) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def test_boto3_gets_an_identity_and_credentials_for_an_hour(self):
        credentials = self.backend.credentials()
        left = credentials["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
        self.assertAlmostEqual(left.total_seconds(), 3600, delta=30)

    def test_boto3_knows_the_errors(self):
        cognito = self.backend.cognito()
        other = "us-west-2:11111111-0000-4000-8000-000000000000"
        with self.assertRaises(cognito.exceptions.ResourceNotFoundException):
            cognito.get_id(IdentityPoolId=other)
        with self.assertRaises(cognito.exceptions.ResourceNotFoundException):
            cognito.get_credentials_for_identity(IdentityId=other)
        with self.assertRaises(cognito.exceptions.NotAuthorizedException):
            cognito.get_id(IdentityPoolId=self.backend.line["identityPool"], Logins={"accounts.google.com": "x"})

    def test_botocore_signs_in_the_header(self):
        self.assertEqual(self.signed("GET", "/v1/players/me?b=2&a=%C3%A9%2F%20&empty=")[0], 200)
        status, answer = self.signed("GET", "/v1/matchmaking/tickets/a%20b%3Ac")
        self.assertEqual((status, answer["error"]["code"]), (404, "NOT_FOUND"))
        headers = {"Content-Type": "application/json", "Idempotency-Key": "12345678"}
        status, answer = self.signed("POST", "/v1/matchmaking/tickets", b'{"team":"red"}', headers)
        self.assertEqual((status, answer["error"]["code"]), (400, "BAD_REQUEST"))

    def test_botocore_presigns_urls(self):
        from botocore.auth import SigV4QueryAuth

        self.assertEqual(self.signed("GET", "/v1/players/me", signer=SigV4QueryAuth, expires=60)[0], 200)
        status, answer = self.signed("GET", "/v1/players/me", signer=SigV4QueryAuth, expires=3600)
        self.assertEqual(status, 403)
        self.assertIn("X-Amz-Expires is 3600", answer["message"])

    @unittest.skipUnless(shutil.which("node"), "node is not installed")
    def test_the_javascript_signer_is_understood(self):
        script = WORK / "gateway.mjs"
        script.write_text(SCRIPT)
        keys = self.backend.credentials()
        credentials = {
            "accessKeyId": keys["AccessKeyId"],
            "secretAccessKey": keys["SecretKey"],
            "sessionToken": keys["SessionToken"],
        }
        argument = {"url": self.backend.url, "region": self.backend.line["region"], "credentials": credentials}
        done = subprocess.run(
            ["node", script, json.dumps(argument)], cwd=WORK, capture_output=True, text=True, timeout=PATIENCE
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        expected = {"get": 200, "encoded": 404, "post": 400, "altered": 403, "presigned": 200, "long": 403}
        self.assertEqual(json.loads(done.stdout), expected)
