//! `gamelift-local dev`: a service, and the user's own game server in it.

mod child;
mod debugger;
mod lines;
mod restarts;

use std::{
    convert::Infallible,
    error::Error,
    process::ExitStatus,
    time::{Duration, Instant},
};

use clap::Args;
use futures_util::future::join_all;
use gamelift_local::{Local, ProcessName, doctor::Sign};
use serde_json::json;
use tokio::{sync::watch, time::sleep};

use self::{
    child::{Run, Stop},
    restarts::{Next, Restarts, SHORT_RUNS_MAX},
};
use super::{Service, banner, print, say, signal::StopSignal, tell_findings, tell_last_findings};

/// Most copies: as many server processes as a managed instance of GameLift runs (AWS quota).
const COPIES_MAX: i64 = 50;

/// How often to look for a debugger: often enough before the first timeout, seldom enough not to be noticed.
const DEBUGGER_INTERVAL: Duration = Duration::from_secs(1);

pub(super) const AFTER_HELP: &str = "\
Examples:
  gamelift-local dev -- cargo run -p gamelift-server-sdk --example minimal
                                    one server; it is started again whenever it ends, as on a fleet
  gamelift-local dev --copies 3 -- ./server --port 777{copy}
                                    three, on ports 7771, 7772 and 7773
  gamelift-local dev --wss --ca-out ca.pem -- ./unreal-server
                                    for the C++, C# and Unreal SDKs, which speak TLS only

Each start gets GAMELIFT_SDK_WEBSOCKET_URL, _FLEET_ID, _HOST_ID, _AUTH_TOKEN (a fresh one) and _PROCESS_ID (of its own), and
GAMELIFT_LOCAL_COPY, a number that counts from 1; {copy} in the command stands for the same number.

Ctrl-C asks every server to end, with SIGINT, and waits ten seconds; a second Ctrl-C kills them.";

/// Runs a game server as a fleet would.
#[derive(Debug, Args)]
pub(super) struct Dev {
    #[command(flatten)]
    service: Service,
    /// How many servers to run
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=COPIES_MAX))]
    copies: u32,
    /// Give servers the wss:// endpoint
    #[arg(long)]
    wss: bool,
    /// Let a server that has ended be
    #[arg(long)]
    no_restart: bool,
    /// The server's program and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Why a copy does not run any more.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("cannot start {program}: {source}")]
    NotStarted { program: String, source: std::io::Error },
    #[error("ended {SHORT_RUNS_MAX} times within seconds of its start; mend it and start again")]
    GivenUp,
    #[error("there is no token for it: {0}")]
    NoToken(#[from] gamelift_local::ApiError),
    #[error("cannot wait for its end: {0}")]
    Lost(std::io::Error),
}

impl Dev {
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        let mut signal = StopSignal::listen()?;
        let (local, config) = self.service.start().await?;
        if local.defaults().compute_name.is_empty() {
            return Err("the configuration (--config) has no compute that a server could run on; \
                 add one to a fleet: computes = [{ name = \"laptop\", location = \"custom-...\" }]"
                .into());
        }
        print(&banner::for_people(&local, &config, self.service.ca_out.as_deref()))?;
        let (stop, stopped) = watch::channel(Stop::No);
        let copies = join_all((1..=self.copies).map(|copy| self.copy(&local, copy, stopped.clone())));
        let signals = async {
            signal.next().await;
            stop.send_replace(Stop::Ask);
            signal.next().await;
            stop.send_replace(Stop::Kill);
            std::future::pending::<()>().await;
        };
        let mut findings = local.findings();
        let ended = tokio::select! {
            ended = copies => ended,
            () = signals => Vec::new(),
            () = tell_findings(&mut findings) => Vec::new(),
        };
        local.shutdown().await;
        // The end of the last server may be what there is to say something about.
        tell_last_findings(&mut findings).await;
        // Each has said already what was wrong with it.
        match ended.iter().find_map(|ended| ended.as_ref().err()) {
            Some(_) => Err("no server runs any more".into()),
            None => Ok(()),
        }
    }

    /// Runs one copy again and again.
    async fn copy(&self, local: &Local, copy: u32, mut stop: watch::Receiver<Stop>) -> Result<(), Ended> {
        let name = copy.to_string();
        // Ours, among the lines of the copies.
        let said = |text: String| say(&format!("{name} | gamelift-local: {text}\n"));
        let mut restarts = Restarts::default();
        let mut runs = 0_u32;
        let result = loop {
            let started = Instant::now();
            runs += 1;
            let process = process_name(local, copy, runs);
            let run = match self.start(local, copy, &process, &name).await {
                Ok(run) => run,
                Err(ended) => {
                    if let Ended::NotStarted { program, source } = &ended {
                        let error = format!("{program}: {source}");
                        local.see(process, Sign::NotStarted { error }).await;
                    }
                    break Err(ended);
                }
            };
            local.see(process.clone(), Sign::Started).await;
            let held = watch_debugger(local, &process, run.id());
            let status = tokio::select! {
                status = run.until_stopped(&mut stop) => status,
                never = held => match never {},
            };
            let status = match status {
                Ok(status) => status,
                Err(error) => break Err(Ended::Lost(error)),
            };
            local.see(process, Sign::Exited { how: status.to_string() }).await;
            if *stop.borrow() != Stop::No {
                break Ok(());
            }
            let next = restarts.ended(started.elapsed());
            match next {
                _ if self.no_restart => {
                    said(ended_with(status));
                    break Ok(());
                }
                Next::GiveUp => {
                    said(ended_with(status));
                    break Err(Ended::GivenUp);
                }
                Next::Again(wait) => {
                    said(format!("{}; starts again", ended_with(status)));
                    if !waited(wait, &mut stop).await {
                        break Ok(());
                    }
                }
            }
        };
        if let Err(ended) = &result {
            said(ended.to_string());
        }
        result
    }

    async fn start(&self, local: &Local, copy: u32, process: &ProcessName, name: &str) -> Result<Run, Ended> {
        let defaults = local.defaults();
        let input = json!({ "FleetId": defaults.fleet_id, "ComputeName": defaults.compute_name });
        let token = local.call("GetComputeAuthToken", input).await?;
        let endpoint = match self.wss {
            true => local.sdk_tls_endpoint().unwrap_or_else(|| local.sdk_endpoint()),
            false => local.sdk_endpoint(),
        };
        let variables = [
            ("GAMELIFT_SDK_WEBSOCKET_URL", endpoint.to_owned()),
            ("GAMELIFT_SDK_FLEET_ID", defaults.fleet_id.clone()),
            ("GAMELIFT_SDK_HOST_ID", defaults.compute_name.clone()),
            ("GAMELIFT_SDK_AUTH_TOKEN", token["AuthToken"].as_str().unwrap_or_default().to_owned()),
            ("GAMELIFT_SDK_PROCESS_ID", process.process_id.clone()),
            ("GAMELIFT_LOCAL_COPY", copy.to_string()),
        ];
        let command: Vec<String> =
            self.command.iter().map(|word| word.replace("{copy}", &copy.to_string())).collect();
        let (program, arguments) = command.split_first().expect("clap asks for at least one word");
        Run::start(name, program, arguments, &variables)
            .map_err(|source| Ended::NotStarted { program: program.clone(), source })
    }
}

/// An id of its own for each run: GameLift takes two runs with one id for one process.
fn process_name(local: &Local, copy: u32, run: u32) -> ProcessName {
    let defaults = local.defaults();
    ProcessName {
        fleet_id: defaults.fleet_id.clone(),
        compute_name: defaults.compute_name.clone(),
        process_id: format!("dev-{copy}-{run}"),
    }
}

/// Tells when a debugger takes the server or lets it go, for ever.
async fn watch_debugger(local: &Local, process: &ProcessName, group: Option<u32>) -> Infallible {
    let mut held = false;
    loop {
        sleep(DEBUGGER_INTERVAL).await;
        let holds = group.is_some_and(debugger::holds);
        if holds != held {
            held = holds;
            local.see(process.clone(), Sign::Held(held)).await;
        }
    }
}

fn ended_with(status: ExitStatus) -> String {
    format!("the server has ended ({status})")
}

/// Waits before the next start. Returns false when there is to be none.
async fn waited(wait: Duration, stop: &mut watch::Receiver<Stop>) -> bool {
    tokio::select! {
        () = sleep(wait) => true,
        // An error means that nobody is there to stop it, which is as good a reason.
        _ = stop.wait_for(|stop| *stop != Stop::No) => false,
    }
}
