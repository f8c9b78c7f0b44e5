//! `gamelift-local ctl`: the admin side by hand.

use std::{collections::BTreeMap, error::Error, fmt::Write as _, time::Duration};

use clap::{Args, Subcommand};
use gamelift_local::{
    SdkFaultRates,
    client::{Client, ClientError, Finding, ProcessSelector, State},
};
use serde_json::{Value, json};

use super::{duration, print};

pub(super) const AFTER_HELP: &str = "\
Examples:
  gamelift-local ctl state                        who is connected, and which game sessions there are
  gamelift-local ctl doctor                       which steps game servers have missed, and what to do about it
  gamelift-local ctl log --follow                 every frame and every change of state, as it happens
  gamelift-local ctl advance 90s                  with `up --manual-clock`: reservations end, tickets time out
  gamelift-local ctl drop dev-1-1                 does my server connect again after a reset? --code 1012: after a close?
  gamelift-local ctl faults AcceptPlayerSession refuse=0.5,status=500
                                                  does it survive refusals? `ctl faults --clear` ends them
  gamelift-local ctl interrupt dev-1-1            does it say goodbye within two minutes?

Process ids are in `ctl state`.";

/// Asks a running local GameLift.
#[derive(Debug, Args)]
pub(super) struct Ctl {
    /// Where the admin side is, as printed at start
    #[arg(long, global = true, value_name = "URL", default_value = "http://127.0.0.1:9082")]
    admin: String,
    /// Print JSON, for programs
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Server processes, game sessions, counts
    State,
    /// Steps that game servers have missed
    Doctor,
    /// Matchmaking tickets, and why they wait
    Tickets,
    /// Frames of the server SDK and changes of state: the last 4096, or --follow
    Log {
        /// Print what happens from now on
        #[arg(long)]
        follow: bool,
    },
    /// Events of placements and matchmaking, from now on
    Events,
    /// Move a manual clock forward: seconds, or a number with s, m or h
    Advance {
        #[arg(value_name = "DURATION", value_parser = duration)]
        by: Duration,
    },
    /// Close the connections of a server process, with a reset; the process lives on
    Drop {
        #[command(flatten)]
        process: Process,
        /// Close them with this WebSocket close code instead
        #[arg(long, value_name = "CODE")]
        code: Option<u16>,
    },
    /// Send RefreshConnection: move to a new connection with a new token
    Refresh(Process),
    /// Send TerminateProcess, due in five minutes
    Terminate(Process),
    /// Take the machine away as a Spot interruption does: two minutes' notice, then the end
    Interrupt(Process),
    /// Let answers to server processes go wrong on purpose, or show what does
    Faults {
        /// Of which action, such as AcceptPlayerSession; * for all without a rule
        #[arg(requires = "shares")]
        action: Option<String>,
        /// Such as refuse=0.2,status=503,delay=0.3,delaySeconds=5,garble=0.1,lose=0.1: shares of answers, 0 to 1
        #[arg(value_parser = shares)]
        shares: Option<SdkFaultRates>,
        /// The same number hits the same answers
        #[arg(long, value_name = "N")]
        seed: Option<u64>,
        /// Forget all rules
        #[arg(long, conflicts_with = "action")]
        clear: bool,
    },
}

#[derive(Debug, Args)]
struct Process {
    /// Its process id
    #[arg(value_name = "PROCESS")]
    id: String,
    /// Its compute, where several processes have the id
    #[arg(long)]
    compute: Option<String>,
    /// Its fleet, likewise
    #[arg(long)]
    fleet: Option<String>,
}

impl Process {
    fn selector(self) -> ProcessSelector {
        let mut selector = ProcessSelector::id(self.id);
        selector.compute_name = self.compute;
        selector.fleet_id = self.fleet;
        selector
    }
}

impl Ctl {
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        let client = Client::new(&self.admin)?;
        let said = self.command.run(&client, self.json).await?;
        print(&said)?;
        Ok(())
    }
}

impl Command {
    /// Gives what is to be printed.
    async fn run(self, client: &Client, as_json: bool) -> Result<String, Box<dyn Error>> {
        let line = |value: &Value| format!("{value}\n");
        Ok(match self {
            Self::State if as_json => line(&client.get("/state").await?),
            Self::State => state(&client.state().await?),
            Self::Doctor if as_json => line(&client.get("/doctor").await?),
            Self::Doctor => findings(&client.findings().await?),
            Self::Tickets if as_json => line(&client.get("/tickets").await?),
            Self::Tickets => client.text("/tickets?format=text").await?,
            Self::Log { follow: false } => client.text("/log?format=jsonl").await?,
            Self::Log { follow: true } => return follow(client.follow_log().await?).await,
            Self::Events => return follow(client.follow_events().await?).await,
            Self::Advance { by } => {
                let now = client.advance(by).await?;
                if as_json { line(&json!({ "now": now })) } else { format!("it is {now} s after 1970 now\n") }
            }
            Self::Drop { process, code } => {
                let closed = client.drop_process(&process.selector(), code).await?;
                let said = format!("{closed} connections closed; the process lives on\n");
                if as_json { line(&json!({ "closed": closed })) } else { said }
            }
            Self::Refresh(process) => {
                client.refresh(&process.selector()).await?;
                sent("RefreshConnection", as_json)
            }
            Self::Terminate(process) => {
                client.terminate(&process.selector()).await?;
                sent("TerminateProcess", as_json)
            }
            Self::Interrupt(process) => {
                client.interrupt(&process.selector()).await?;
                sent("TerminateProcess", as_json)
            }
            Self::Faults { action, shares, seed, clear } => {
                let faults = match (action, shares) {
                    (Some(action), Some(shares)) => {
                        let mut rules = client.sdk_faults().await?.rules;
                        rules.insert(action, shares);
                        client.set_sdk_faults(&rules, seed).await?
                    }
                    _ if clear => client.set_sdk_faults(&BTreeMap::new(), seed).await?,
                    _ => client.sdk_faults().await?,
                };
                let json = json!(faults);
                if as_json { line(&json) } else { format!("{json:#}\n") }
            }
        })
    }
}

fn sent(push: &str, as_json: bool) -> String {
    if as_json { format!("{}\n", json!({ "sent": push })) } else { format!("{push} sent\n") }
}

async fn follow(mut lines: gamelift_local::client::Lines) -> Result<String, Box<dyn Error>> {
    while let Some(line) = lines.next().await.map_err(|error: ClientError| Box::new(error))? {
        print(&format!("{line}\n"))?;
    }
    Ok(String::new())
}

fn state(state: &State) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    for process in &state.processes {
        let port = process.port.map(|port| format!(", port {port}")).unwrap_or_default();
        let session = process.game_session_id.as_deref().unwrap_or("-");
        let _ = writeln!(
            text,
            "process {} on {}: {}, {} connections{port}, {}; hosts {session}",
            process.process_id, process.compute_name, process.state, process.connection_count, process.sdk
        );
    }
    for session in &state.game_sessions {
        let _ = writeln!(
            text,
            "game session {}: {}, {} of {} players",
            session.game_session_id,
            session.status,
            session.current_player_session_count,
            session.maximum_player_session_count
        );
    }
    for (status, count) in &state.tickets {
        let _ = writeln!(text, "tickets {status}: {count}");
    }
    if text.is_empty() { "no server processes, no game sessions, no tickets\n".to_owned() } else { text }
}

fn findings(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let process = finding.process["processId"].as_str().unwrap_or_default();
        // As above.
        let _ = writeln!(
            text,
            "{process} {}\n  cause: {}\n  fix:   {}",
            finding.what, finding.cause, finding.fix
        );
        if let Some(code) = &finding.event_code {
            let _ = writeln!(text, "  on GameLift: fleet event {code}");
        }
    }
    if text.is_empty() { "no server process has missed a step\n".to_owned() } else { text }
}

/// `refuse=0.2,status=503`, with the names that the admin side has.
fn shares(text: &str) -> Result<SdkFaultRates, String> {
    let mut members = serde_json::Map::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').ok_or_else(|| format!("{part:?} is not like refuse=0.2"))?;
        let value: Value = value.parse().map_err(|_| format!("{name} must be a number"))?;
        if members.insert(name.to_owned(), value).is_some() {
            return Err(format!("{name} is given twice"));
        }
    }
    serde_json::from_value(Value::Object(members)).map_err(|error| error.to_string())
}
