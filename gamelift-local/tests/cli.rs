//! The program, as scripts see it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
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
                "beacons",
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
        assert!(line["beacons"]["custom-laptop"].as_str().unwrap().starts_with("127.0.0.1:"));
        let killed = Command::new("kill").args([signal, &running.0.id().to_string()]).status().unwrap();
        assert!(killed.success());
        assert_eq!(exit_code(running), (Some(0), String::new()), "{signal}");
    }
}

/// Calls the AWS API as boto3 does.
fn call(endpoint: &str, operation: &str, input: &str) -> Value {
    post(endpoint, "/", &format!("X-Amz-Target: GameLift.{operation}\r\n"), input)
}

/// A request on a connection of its own.
fn post(endpoint: &str, path: &str, header: &str, input: &str) -> Value {
    let address = endpoint.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{header}\
         Content-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n{input}",
        input.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{response}");
    serde_json::from_str(body).unwrap()
}

/// What people are told.
fn banner(running: &mut Running) -> String {
    let stdout = running.0.stdout.take().unwrap();
    in_time(move || {
        let mut text = String::new();
        for line in BufReader::new(stdout).lines() {
            let line = line.unwrap();
            text += &format!("{line}\n");
            if line == "Ctrl-C stops it." {
                return text;
            }
        }
        panic!("it ended after\n{text}");
    })
}

fn exported<'a>(banner: &'a str, variable: &str) -> &'a str {
    let line = banner.lines().find_map(|line| line.trim().strip_prefix(&format!("export {variable}=")));
    line.unwrap_or_else(|| panic!("no {variable} in\n{banner}"))
}

#[test]
fn the_banners_matchmaking_command_makes_a_match_with_a_second_player() {
    let mut running = up(&[&FREE_PORTS[..], &["--manual-clock"]].concat());
    let banner = banner(&mut running);
    assert_eq!(exported(&banner, "AWS_REGION"), "us-west-2");
    assert_eq!(exported(&banner, "AWS_DEFAULT_REGION"), "us-west-2");
    let api = exported(&banner, "AWS_ENDPOINT_URL_GAMELIFT");
    let command = banner.lines().find(|line| line.contains("start-matchmaking")).unwrap();
    let (options, players) = command.split_once(" --players '").unwrap();
    assert_eq!(options.trim(), "aws gamelift start-matchmaking --configuration-name default");
    let players = players.strip_suffix('\'').unwrap();
    let mut tickets = Vec::new();
    for player in ["player-1", "player-2"] {
        let players = players.replace("player-1", player);
        let input = format!("{{\"ConfigurationName\": \"default\", \"Players\": {players}}}");
        let ticket = call(api, "StartMatchmaking", &input)["MatchmakingTicket"].clone();
        assert_eq!(ticket["Players"][0]["PlayerAttributes"]["skill"]["N"], 10.0);
        tickets.push(ticket["TicketId"].clone());
    }
    let describe = serde_json::json!({ "TicketIds": tickets }).to_string();
    let admin = banner.lines().find_map(|line| line.trim().strip_prefix("admin ")).unwrap().trim();
    post(admin, "/clock/advance", "", r#"{"seconds": 2}"#);
    let tickets = call(api, "DescribeMatchmaking", &describe)["TicketList"].clone();
    // There is no game server, so the match stays where it is.
    assert_eq!([&tickets[0]["Status"], &tickets[1]["Status"]], ["PLACING", "PLACING"]);
}

#[test]
fn a_configuration_file_takes_the_place_of_the_default_resources() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/two-locations.toml");
    let arguments = [&FREE_PORTS[..], &["--config", example]].concat();
    let line = first_line(&mut up(&[&arguments[..], &["--json", "--token-ttl", "1h"]].concat()));
    assert_eq!(
        [&line["fleetId"], &line["location"], &line["computeName"], &line["authToken"]],
        ["fleet-europe", "custom-frankfurt", "frankfurt-1", "token-of-frankfurt-1"]
    );
    let beacons: Vec<_> = line["beacons"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(beacons, ["custom-frankfurt", "custom-paris", "custom-virginia"]);
    let banner = banner(&mut up(&[&arguments[..], &["--no-beacons"]].concat()));
    assert_eq!(exported(&banner, "AWS_REGION"), "eu-central-1");
    assert_eq!(exported(&banner, "GAMELIFT_SDK_FLEET_ID"), "fleet-europe");
    assert!(!banner.contains("beacon") && !banner.contains("start-matchmaking"), "{banner}");
    let (code, text) = exit_code(up(&["--config", "none.toml"]));
    assert_eq!((code, text.starts_with("error: cannot read none.toml: ")), (Some(1), true), "{text}");
}

#[test]
fn the_banner_promises_a_match_only_where_its_server_would_get_it() {
    let file = std::env::temp_dir().join(format!("gamelift-local-{}-banner.toml", std::process::id()));
    for (computes, promised) in [("[]", true), ("[{ name = 'c', location = 'custom-a' }]", false)] {
        let text = format!(
            "default_resources = true\n[[locations]]\nname = 'custom-a'\n\
             [[fleets]]\nname = 'mine'\nlocations = ['custom-a']\ncomputes = {computes}\n"
        );
        std::fs::write(&file, text).unwrap();
        let arguments = [&FREE_PORTS[..], &["--config", file.to_str().unwrap()]].concat();
        let banner = banner(&mut up(&arguments));
        // Matches of the default matchmaker go to the default fleet, and the exports lead to the first compute.
        assert_eq!(banner.contains("start-matchmaking"), promised, "{banner}");
        let host = if promised { "laptop" } else { "c" };
        assert_eq!(exported(&banner, "GAMELIFT_SDK_HOST_ID"), host);
    }
    std::fs::remove_file(&file).unwrap();
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
