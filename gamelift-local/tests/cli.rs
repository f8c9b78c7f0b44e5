//! The program, as scripts see it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::Value;

/// Starting and stopping take milliseconds.
const LONG: Duration = Duration::from_secs(20);

const FREE_PORTS: [&str; 8] =
    ["--api", "127.0.0.1:0", "--sdk", "127.0.0.1:0", "--sdk-tls", "127.0.0.1:0", "--admin", "127.0.0.1:0"];

/// Kills the program if a test fails in the middle.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn up(arguments: &[&str]) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gamelift-local"));
    command.arg("up").args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).env_remove("RUST_LOG");
    Running(command.spawn().unwrap())
}

/// Runs something that blocks, but not for ever.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = mpsc::channel();
    thread::spawn(move || done.send(work()));
    result.recv_timeout(LONG).expect("in time")
}

fn first_line(running: &mut Running) -> Value {
    let stdout = running.0.stdout.take().unwrap();
    let line = in_time(move || BufReader::new(stdout).lines().next());
    serde_json::from_str(&line.unwrap().unwrap()).unwrap()
}

fn exit_code(mut running: Running) -> (Option<i32>, String) {
    in_time(move || {
        let mut text = String::new();
        running.0.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        (running.0.wait().unwrap().code(), text)
    })
}

#[test]
fn one_line_of_json_says_where_everything_is_and_both_signals_stop_it_cleanly() {
    for signal in ["-TERM", "-INT"] {
        let mut running = up(&[&FREE_PORTS[..], &["--json"]].concat());
        let line = first_line(&mut running);
        let keys: Vec<_> = line.as_object().unwrap().keys().cloned().collect();
        assert_eq!(
            keys,
            [
                "adminEndpoint",
                "apiEndpoint",
                "authToken",
                "computeName",
                "fleetId",
                "location",
                "sdkEndpoint",
                "sdkTlsEndpoint",
            ]
        );
        assert!(line["apiEndpoint"].as_str().unwrap().starts_with("http://127.0.0.1:"));
        assert!(line["sdkTlsEndpoint"].as_str().unwrap().starts_with("wss://127.0.0.1:"));
        assert_eq!((&line["location"], &line["computeName"]), (&"custom-laptop".into(), &"laptop".into()));
        let killed = Command::new("kill").args([signal, &running.0.id().to_string()]).status().unwrap();
        assert!(killed.success());
        assert_eq!(exit_code(running), (Some(0), String::new()), "{signal}");
    }
}

#[test]
fn a_port_in_use_is_an_error_that_names_option_and_address() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut arguments = FREE_PORTS;
    arguments[1] = &address;
    let (code, text) = exit_code(up(&arguments));
    assert_eq!(code, Some(1));
    assert!(text.contains("--api") && text.contains(&address), "{text}");
}

#[test]
fn wrong_arguments_are_refused_with_the_rule() {
    for (arguments, rule) in [
        (["--speed", "0"], "must be a positive number"),
        (["--token-ttl", "3x"], "must be a positive whole number"),
        (["--api", "here"], "invalid socket address"),
    ] {
        let (code, text) = exit_code(up(&arguments));
        assert_eq!(code, Some(2), "{arguments:?}");
        assert!(text.contains(rule), "{text}");
    }
}
