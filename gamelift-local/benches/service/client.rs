//! As little client as possible: blocking, one connection, nothing parsed but the length.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use serde_json::Value;

/// What a real client sends to sign. Nobody verifies it here: the local GameLift takes any credentials.
const SIGNATURE: &str = "X-Amz-Date: 20261122T120000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-west-2/gamelift/aws4_request, \
SignedHeaders=content-length;content-type;host;x-amz-date;x-amz-target, \
Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7\r\n";

/// A connection that is kept.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
    body: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(endpoint: &str) -> Self {
        let address = endpoint.split_once("://").expect("a URL").1;
        let stream = TcpStream::connect(address).expect("the service listens");
        stream.set_nodelay(true).expect("a TCP option");
        Self { stream: BufReader::new(stream), body: Vec::new() }
    }

    /// Sends bytes that [`request`] has made, and reads the answer. Gives the status.
    pub(crate) fn send(&mut self, request: &[u8]) -> u16 {
        self.stream.get_mut().write_all(request).expect("the service reads");
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("the service answers");
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status line");
        let mut length = 0;
        loop {
            line.clear();
            self.stream.read_line(&mut line).expect("the service answers");
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a number");
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body).expect("the service answers");
        status
    }

    /// The body of the last answer.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    /// An operation that succeeds.
    pub(crate) fn call(&mut self, operation: &str, input: &Value) -> Value {
        let status = self.send(&request(operation, input, false));
        assert_eq!(status, 200, "{operation}: {}", self.json());
        self.json()
    }
}

/// An operation in AWS JSON 1.1, as bytes.
pub(crate) fn request(operation: &str, input: &Value, signed: bool) -> Vec<u8> {
    let (body, signature) = (input.to_string(), if signed { SIGNATURE } else { "" });
    let length = body.len();
    format!(
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: GameLift.{operation}\r\n{signature}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
