//! From exec to the first 200, and the memory of a service that has done nothing yet.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Instant,
};

use serde_json::{Value, json};

use crate::{
    client::{Client, request},
    rounds::median,
};

const STARTS: usize = 15;
const FREE_PORTS: [&str; 9] = [
    "--json",
    "--api",
    "127.0.0.1:0",
    "--sdk",
    "127.0.0.1:0",
    "--sdk-tls",
    "127.0.0.1:0",
    "--admin",
    "127.0.0.1:0",
];

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[expect(clippy::print_stdout, reason = "a benchmark's output is its purpose")]
pub(crate) fn measure() {
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    let (mut resident, mut private) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let begun = Instant::now();
        let nothing = program().arg("--version").stdout(Stdio::null()).status();
        assert!(nothing.is_ok_and(|status| status.success()), "the program runs");
        bare.push(begun.elapsed().as_secs_f64() * 1e3);
        let (took, running) = started();
        ours.push(took);
        resident.extend(memory_mb(running.0.id(), "VmRSS:"));
        private.extend(memory_mb(running.0.id(), "RssAnon:"));
    }
    let middle = |values: Vec<f64>| if values.is_empty() { f64::NAN } else { median(values.into_iter()) };
    println!(
        "exec to the first 200: {:.1} ms (the same program, --version: {:.1} ms)",
        middle(ours),
        middle(bare)
    );
    println!(
        "resident: {:.1} MB, of which {:.1} MB are its own and the rest is the program's file",
        middle(resident),
        middle(private)
    );
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gamelift-local"));
    command.stdin(Stdio::null()).stderr(Stdio::null()).env_remove("RUST_LOG");
    command
}

/// Milliseconds from exec until ListFleets is answered.
fn started() -> (f64, Running) {
    let begun = Instant::now();
    let mut running = Running(
        program().arg("up").args(FREE_PORTS).stdout(Stdio::piped()).spawn().expect("the program runs"),
    );
    let mut line = String::new();
    let stdout = running.0.stdout.take().expect("piped");
    BufReader::new(stdout).read_line(&mut line).expect("it prints where it is");
    let line: Value = serde_json::from_str(&line).expect("a line of JSON");
    let mut client = Client::connect(line["apiEndpoint"].as_str().expect("a URL"));
    assert_eq!(client.send(&request("ListFleets", &json!({}), false)), 200);
    (begun.elapsed().as_secs_f64() * 1e3, running)
}

/// Only Linux tells.
fn memory_mb(process: u32, which: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(which))?;
    line.trim().trim_end_matches(" kB").parse().ok().map(|kb: f64| kb / 1_024.0)
}
