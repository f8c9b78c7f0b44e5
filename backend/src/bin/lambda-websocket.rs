//! `lambda-websocket`: the function behind the WebSocket API.

use std::process::ExitCode;

fn main() -> ExitCode {
    backend::lambda::main(backend::lambda::websocket::serve)
}
