//! `dev` and `ctl`, as people use them. The servers here are shell scripts: what matters is how they start and end.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// Starting and stopping take milliseconds, and giving up takes three seconds.
const LONG: Duration = Duration::from_secs(30);

struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
    seen: Vec<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // As Ctrl-C twice does: the servers end with it. It may have ended already.
        for _ in 0..2 {
            self.signal("-INT");
        }
        let _ = self.child.wait();
    }
}

impl Running {
    fn dev(options: &[&str], script: &str) -> Self {
        Self::start(options, &["sh", "-c", script])
    }

    fn start(options: &[&str], server: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gamelift-local"));
        command.arg("dev").args(["--api", "127.0.0.1:0", "--sdk", "127.0.0.1:0", "--sdk-tls", "127.0.0.1:0"]);
        command.args(["--admin", "127.0.0.1:0", "--no-beacons"]).args(options).arg("--").args(server);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).env_remove("RUST_LOG");
        let mut child = command.spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for output in outputs {
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(output).lines() {
                    // Whoever does not want to know more has gone.
                    let _ = sender.send(line.unwrap());
                }
            });
        }
        Self { child, lines, seen: Vec::new() }
    }

    fn signal(&self, signal: &str) {
        let _ =
            Command::new("kill").args([signal, &self.child.id().to_string()]).stderr(Stdio::null()).status();
    }

    /// The next line that has this in it.
    #[track_caller]
    fn line_with(&mut self, part: &str) -> String {
        loop {
            match self.lines.recv_timeout(LONG) {
                Ok(line) if line.contains(part) => return line,
                Ok(line) => self.seen.push(line),
                Err(_) => panic!("no {part:?} in\n{}", self.seen.join("\n")),
            }
        }
    }

    fn exit_code(&mut self) -> Option<i32> {
        // The lines end with the program, and every server of it.
        while let Ok(line) = self.lines.recv_timeout(LONG) {
            self.seen.push(line);
        }
        self.child.wait().unwrap().code()
    }
}

const SERVE: &str = "trap 'echo bye; exit 0' INT; echo up; while :; do sleep 0.05; done";

#[test]
fn every_copy_gets_the_variables_and_a_process_id_of_its_own() {
    let script = "echo \"id=$GAMELIFT_SDK_PROCESS_ID copy=$GAMELIFT_LOCAL_COPY word=$0 \
                  set=${GAMELIFT_SDK_WEBSOCKET_URL:+url}${GAMELIFT_SDK_FLEET_ID:+fleet}\
                  ${GAMELIFT_SDK_HOST_ID:+host}${GAMELIFT_SDK_AUTH_TOKEN:+token}\"; exec sleep 60";
    let mut running = Running::start(&["--copies", "2"], &["sh", "-c", script, "n{copy}"]);
    let mut lines = [running.line_with(" | id="), running.line_with(" | id=")];
    lines.sort();
    assert_eq!(
        lines,
        [
            "1 | id=dev-1-1 copy=1 word=n1 set=urlfleethosttoken",
            "2 | id=dev-2-1 copy=2 word=n2 set=urlfleethosttoken",
        ]
    );
    assert!(running.seen.iter().any(|line| line.contains("export GAMELIFT_SDK_FLEET_ID=")), "and a banner");
}

#[test]
fn ctrl_c_asks_every_server_to_end_and_waits_for_them() {
    let mut running = Running::dev(&["--copies", "2"], SERVE);
    for _ in 0..2 {
        running.line_with(" | up");
    }
    running.signal("-INT");
    assert_eq!(running.exit_code(), Some(0));
    running.seen.retain(|line| line.ends_with("bye"));
    running.seen.sort();
    assert_eq!(running.seen, ["1 | bye", "2 | bye"]);
}

#[test]
fn a_second_ctrl_c_kills_what_does_not_listen() {
    let mut running = Running::dev(&[], "trap '' INT; echo up; while :; do sleep 0.05; done");
    running.line_with("1 | up");
    running.signal("-INT");
    running.signal("-TERM");
    assert_eq!(running.exit_code(), Some(0));
}

#[test]
fn a_server_that_crashes_is_started_again_under_another_id_and_given_up_in_the_end() {
    let mut running = Running::dev(&[], "echo $GAMELIFT_SDK_PROCESS_ID; exit 3");
    for run in 1..=5 {
        running.line_with(&format!("1 | dev-1-{run}"));
    }
    assert_eq!(running.exit_code(), Some(1));
    let text = running.seen.join("\n");
    assert!(text.contains("ended 5 times"), "{text}");
    assert!(text.contains("the server has ended (exit status: 3); starts again"), "{text}");
    assert!(text.contains("fleet event SERVER_PROCESS_CRASHED"), "the doctor says so: {text}");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let mut running = Running::start(&[], &["/nowhere/server"]);
    assert_eq!(running.exit_code(), Some(1));
    let text = running.seen.join("\n");
    assert!(text.contains("cannot start /nowhere/server: No such file"), "{text}");
}

#[test]
fn ctl_asks_the_service_that_dev_has_started() {
    let mut running = Running::dev(&["--manual-clock"], SERVE);
    let admin = running.line_with("  admin ");
    let admin = admin.trim().strip_prefix("admin").unwrap().trim().to_owned();
    running.line_with("1 | up");
    let ctl_at = |admin: &str, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gamelift-local"));
        let output = command.arg("ctl").args(["--admin", admin]).args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    let ctl = |arguments: &[&str]| ctl_at(&admin, arguments);
    let (code, text) = ctl(&["state"]);
    assert_eq!((code, text.as_str()), (Some(0), "no server processes, no game sessions, no tickets\n"));
    assert_eq!(ctl(&["doctor"]).1, "no server process has missed a step\n");
    let (code, text) = ctl(&["--json", "advance", "30s"]);
    assert_eq!((code, text.starts_with("{\"now\":")), (Some(0), true), "{text}");
    let (_, text) = ctl(&["doctor"]);
    assert!(text.contains("SERVER_PROCESS_SDK_INITIALIZATION_TIMEOUT"), "{text}");
    let (code, text) =
        ctl(&["faults", "AcceptPlayerSession", "refuse=0.5,status=503", "--seed", "7", "--json"]);
    assert_eq!(code, Some(0), "{text}");
    let faults: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(faults["rules"]["AcceptPlayerSession"]["status"], 503);
    assert_eq!(faults["seed"], 7);
    let (code, text) = ctl(&["drop", "nobody"]);
    assert_eq!((code, text.contains("there is no server process nobody")), (Some(1), true), "{text}");
    let (code, text) = ctl(&["faults", "A", "often=1"]);
    assert_eq!((code, text.contains("unknown field `often`")), (Some(2), true), "{text}");
    let (code, text) = ctl(&["tickets"]);
    assert_eq!((code, text.as_str()), (Some(0), "no tickets\n"));
    let (code, text) = ctl_at("http://127.0.0.1:1", &["state"]);
    assert_eq!((code, text.contains("is `gamelift-local up` running")), (Some(1), true), "{text}");
}

#[test]
fn the_doctors_word_about_the_last_server_is_not_lost() {
    let mut running = Running::dev(&["--no-restart"], "exit 3");
    assert_eq!(running.exit_code(), Some(0));
    let said = running.seen.join("\n");
    assert!(said.contains("ended before it connected (step InitSDK): exit status: 3"), "{said}");
}
