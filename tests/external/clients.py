"""One call after the other through clients of the AWS API: boto3, the AWS CLI, the AWS SDK for JavaScript."""

import contextlib
import datetime
import io
import json
import os
import re
import subprocess
import unittest.mock

from programs import PATIENCE, WORK, GameLift


class Refused(Exception):
    def __init__(self, code: str, message: str):
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class Boto3:
    def __init__(self, local: GameLift):
        self.aws = local.boto3()

    def call(self, operation: str, parameters: dict) -> dict:
        from botocore import xform_name
        from botocore.exceptions import ClientError

        try:
            return getattr(self.aws, xform_name(operation))(**parameters)
        except ClientError as error:
            raise Refused(error.response["Error"]["Code"], error.response["Error"]["Message"]) from error

    def close(self):
        self.aws.close()


class Boto3OverCbor(Boto3):
    """The same in Smithy RPC v2 CBOR, which newer SDKs prefer."""

    def __init__(self, local: GameLift):
        with unittest.mock.patch("botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS", ("smithy-rpc-v2-cbor",)):
            super().__init__(local)
            assert self.aws.meta.service_model.resolved_protocol == "smithy-rpc-v2-cbor"


class AwsCli:
    """The commands of the AWS CLI, in this process: starting Python for each of them would take minutes."""

    def __init__(self, local: GameLift):
        self.environment = unittest.mock.patch.dict(os.environ, local.environment())
        self.environment.start()
        from awscli.clidriver import create_clidriver

        self.driver = create_clidriver()

    def call(self, operation: str, parameters: dict) -> dict:
        from botocore import xform_name

        command = ["gamelift", xform_name(operation, "-"), "--output", "json", "--no-paginate"]
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = self.driver.main([*command, "--cli-input-json", json.dumps(parameters)])
        if code != 0:
            found = re.search(r"\((\w+)\) when calling the \w+ operation[^:]*: (.*)", err.getvalue(), re.DOTALL)
            raise Refused(*found.groups()) if found else AssertionError(err.getvalue())
        return json.loads(out.getvalue() or "{}")

    def close(self):
        self.environment.stop()


class JavaScript:
    """A process that reads calls and writes their outcomes, one JSON object a line."""

    SCRIPT = """
import * as gamelift from "@aws-sdk/client-gamelift";
import { createInterface } from "node:readline";
const aws = new gamelift.GameLiftClient({
  endpoint: process.argv[2], region: "us-west-2", credentials: { accessKeyId: "local", secretAccessKey: "local" },
});
const times = (key, value) => (key.endsWith("Time") && typeof value === "number" ? new Date(value * 1000) : value);
for await (const line of createInterface({ input: process.stdin })) {
  const { operation, parameters } = JSON.parse(line, times);
  let said;
  try {
    said = { result: await aws.send(new gamelift[operation + "Command"](parameters)) };
  } catch (error) {
    said = { code: error.name, message: error.message, typed: error instanceof gamelift.GameLiftServiceException };
  }
  console.log(JSON.stringify(said));
}
"""

    def __init__(self, local: GameLift):
        script = WORK / "calls.mjs"
        script.write_text(self.SCRIPT)
        self.process = subprocess.Popen(
            ["node", script, local.api], cwd=WORK, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def call(self, operation: str, parameters: dict) -> dict:
        self.process.stdin.write(json.dumps({"operation": operation, "parameters": parameters}) + "\n")
        self.process.stdin.flush()
        said = json.loads(self.process.stdout.readline())
        if "result" in said:
            return said["result"]
        assert said["typed"], said
        raise Refused(said["code"], said["message"])

    def close(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


def is_moment(value) -> bool:
    """Whether a client has read a time as one, or has written it as text or seconds."""
    return isinstance(value, (datetime.datetime, str, float))
