//! A game server driven over stdin and stdout in JSON lines: for conformance runs, and for trying a service by hand.
//!
//! ```text
//! cargo run -p gamelift-server-sdk --example remote_control -- --from-env
//! accept psess-...
//! {"error":{"text":"...","type":"NotFound"},"event":"result","ms":1,"ok":false,"op":"accept","t":4.211}
//! ```
//!
//! It connects, gets ready, activates each game session it is given, and reads one command a line meanwhile; `--help` lists
//! them. One line of output is one JSON object: `start`, `result`, `callback`, `bad-command`, `exit`.

use std::io::Write as _;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, UNIX_EPOCH};

use clap::{Parser, ValueEnum};
use gamelift_server_sdk::wire::requests::{
    DescribePlayerSessions, GetFleetRoleCredentials, StartMatchBackfill, StopMatchBackfill,
};
use gamelift_server_sdk::{
    ActivateError, Backfill, CallError, Config, Connected, Event, Events, GameSession, GameSessionId,
    HealthCheck, PlayerSessionQuery, Ready, ReadyError, ServerProcess, StartGameSession, Terminate, model,
};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::Notify;

/// Health checks that `health hang` leaves open; the oldest go first, which reports them as unhealthy.
const HUNG_CHECKS_MAX: usize = 16;

/// A game server driven over stdin and stdout in JSON lines.
#[derive(Clone, Parser)]
#[command(after_help = "Commands, one a line; `bg COMMAND` runs one concurrently:
  accept ID | remove ID | policy ACCEPT_ALL|DENY_ALL | activate | session-id | termination-time
  describe JSON | backfill JSON | stop-backfill JSON | cert | creds JSON     (keys as on the wire, PascalCase)
  health true|false|hang | init | ready | ending | destroy | sleep 2s | quit

HEALTHCHECK_INTERVAL, HEALTHCHECK_MAX_JITTER, HEALTHCHECK_TIMEOUT and SERVICE_CALL_TIMEOUT are heeded always,
all other variables of the SDK with --from-env.")]
struct Args {
    /// The service's endpoint, ws:// or wss://.
    #[arg(long)]
    ws_url: Option<String>,
    /// Fleet id.
    #[arg(long)]
    fleet: Option<String>,
    /// Host id: the compute's name.
    #[arg(long)]
    host: Option<String>,
    /// Process id; made up if left out.
    #[arg(long)]
    process: Option<String>,
    /// The compute's auth token.
    #[arg(long)]
    token: Option<String>,
    /// The port announced to the service. Any number, so that wrong ones can be tried.
    #[arg(long, default_value_t = 7777)]
    port: u32,
    /// Region to sign for.
    #[arg(long)]
    region: Option<String>,
    /// Access key to sign with, instead of a token.
    #[arg(long)]
    access_key: Option<String>,
    /// Secret key.
    #[arg(long)]
    secret_key: Option<String>,
    /// Session token of temporary keys.
    #[arg(long)]
    session_token: Option<String>,
    /// A log path to announce; repeatable.
    #[arg(long)]
    log_path: Vec<String>,
    /// Let the environment win over these flags.
    #[arg(long)]
    from_env: bool,
    /// A PEM file of certificate authorities to trust besides the system's.
    #[arg(long)]
    ca: Option<PathBuf>,
    /// Do not connect by yourself.
    #[arg(long)]
    no_init: bool,
    /// Do not get ready by yourself.
    #[arg(long)]
    no_ready: bool,
    /// Do not activate game sessions by yourself.
    #[arg(long)]
    no_auto_activate: bool,
    /// No callback for TerminateProcess: end and exit at once.
    #[arg(long)]
    no_terminate_cb: bool,
    /// No callback for health checks: they go unanswered, which is unhealthy.
    #[arg(long)]
    no_health_cb: bool,
    /// After the callback for TerminateProcess, end and exit.
    #[arg(long)]
    end_on_terminate: bool,
    /// Exit at the end of the input, instead of going on without it.
    #[arg(long)]
    exit_on_eof: bool,
    /// How to answer health checks.
    #[arg(long, value_enum, default_value_t = Health::True)]
    health: Health,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Health {
    True,
    False,
    Hang,
}

/// What the server is right now.
#[derive(Default)]
struct State {
    connected: Option<Connected>,
    process: Option<ServerProcess>,
    starting: Option<StartGameSession>,
    session: Option<GameSession>,
    termination: Option<Terminate>,
    health: Option<Health>,
    hung: Vec<HealthCheck>,
    events: Option<tokio::task::AbortHandle>,
}

struct Server {
    args: Args,
    state: Mutex<State>,
    begun: Instant,
    exit: Notify,
}

/// Why a command failed: a name for programs, a text for people.
struct Failure(String, String);

impl Failure {
    fn new(kind: &str, text: impl ToString) -> Self {
        Self(kind.to_owned(), text.to_string())
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        let kind = match &error {
            CallError::NotSent => "NotSent",
            CallError::OutcomeUnknown => "OutcomeUnknown",
            CallError::Refused(refusal) => refusal.kind().name(),
            CallError::Unreadable(_) => "Unreadable",
            CallError::Closed(_) => "Closed",
            _ => "Other",
        };
        Self::new(kind, error)
    }
}

type Outcome = Result<Value, Failure>;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime needs only threads");
    let code = runtime.block_on(serve());
    // A thread is blocked reading stdin, and nothing can call it off: leave without it.
    runtime.shutdown_background();
    code
}

async fn serve() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .init();
    let args = Args::parse();
    let server = Arc::new(Server {
        state: Mutex::new(State { health: Some(args.health), ..State::default() }),
        args,
        begun: Instant::now(),
        exit: Notify::new(),
    });
    server.say(json!({"event": "start", "pid": std::process::id()}));
    if !server.args.no_init {
        server.run("init").await;
        if !server.args.no_ready {
            server.run("ready").await;
        }
    }
    let input = tokio::spawn(read_commands(server.clone()));
    server.exit.notified().await;
    input.abort();
    server.destroy();
    server.say(json!({"event": "exit", "code": 0}));
    ExitCode::SUCCESS
}

async fn read_commands(server: Arc<Server>) {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        match lines.next_line().await {
            Ok(Some(line)) => match line.trim() {
                "" => {}
                line => match line.strip_prefix("bg ") {
                    Some(command) => {
                        let (server, command) = (server.clone(), command.to_owned());
                        tokio::spawn(async move { server.run(&command).await });
                    }
                    None => server.run(line).await,
                },
            },
            Ok(None) if server.args.exit_on_eof => return server.exit.notify_one(),
            Ok(None) => return,
            Err(error) => {
                server.say(json!({"event": "bad-command", "text": error.to_string()}));
            }
        }
    }
}

impl Server {
    fn say(&self, mut line: Value) {
        line["t"] = json!((self.begun.elapsed().as_secs_f64() * 1_000.0).round() / 1_000.0);
        let mut out = std::io::stdout().lock();
        // Whoever listened is gone: there is nobody left to tell.
        let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the state")
    }

    /// Runs one command and reports its result.
    async fn run(self: &Arc<Self>, line: &str) {
        let (op, argument) = line.split_once(' ').unwrap_or((line, ""));
        let begun = Instant::now();
        let outcome = match self.command(op, argument.trim()).await {
            Some(outcome) => outcome,
            None => return self.say(json!({"event": "bad-command", "text": line})),
        };
        let mut result = json!({"event": "result", "op": op, "ms": begun.elapsed().as_millis() as u64});
        match outcome {
            Ok(data) => {
                result["ok"] = json!(true);
                if !data.is_null() {
                    result["data"] = data;
                }
            }
            Err(Failure(kind, text)) => {
                result["ok"] = json!(false);
                result["error"] = json!({"type": kind, "text": text});
            }
        }
        self.say(result);
        if op == "quit" {
            self.exit.notify_one();
        }
    }

    /// `None` if there is no such command.
    async fn command(self: &Arc<Self>, op: &str, argument: &str) -> Option<Outcome> {
        Some(match op {
            "init" => self.init().await,
            "ready" => self.ready().await,
            "activate" => self.activate().await,
            "accept" => self.accept(argument).await,
            "remove" => self.remove(argument).await,
            "policy" => self.policy(argument).await,
            "describe" => self.describe(argument).await,
            "backfill" => self.backfill(argument).await,
            "stop-backfill" => self.stop_backfill(argument).await,
            "cert" => self.certificate().await,
            "creds" => self.credentials(argument).await,
            "session-id" => self.session_id(),
            "termination-time" => self.termination_time(),
            "health" => match Health::from_str(argument, false) {
                Ok(health) => {
                    self.state().health = Some(health);
                    Ok(Value::Null)
                }
                Err(_) => return None,
            },
            "ending" => self.ending().await,
            "destroy" => {
                self.destroy();
                Ok(Value::Null)
            }
            "sleep" => {
                let time = seconds(argument)?;
                tokio::time::sleep(time).await;
                Ok(Value::Null)
            }
            "quit" => Ok(Value::Null),
            _ => return None,
        })
    }

    fn config(&self) -> Result<Config, Failure> {
        let args = self.args.clone();
        let mut builder = Config::builder();
        if let Some(url) = args.ws_url {
            builder = builder.websocket_url(url);
        }
        if let Some(fleet) = args.fleet {
            builder = builder.fleet_id(fleet);
        }
        if let Some(host) = args.host {
            builder = builder.host_id(host);
        }
        if let Some(process) = args.process {
            builder = builder.process_id(process);
        }
        if let Some(token) = args.token {
            builder = builder.auth_token(token);
        }
        if let Some(region) = args.region {
            builder = builder.region(region);
        }
        if let (Some(access_key), Some(secret_key)) = (args.access_key, args.secret_key) {
            builder = builder.keys(access_key, secret_key, args.session_token);
        }
        if let Some(ca) = args.ca {
            builder = builder.extra_ca(ca);
        }
        let invalid = |error| Failure::new("Config", error);
        let always =
            ["HEALTHCHECK_INTERVAL", "HEALTHCHECK_MAX_JITTER", "HEALTHCHECK_TIMEOUT", "SERVICE_CALL_TIMEOUT"];
        let lookup = |name: &str| {
            (self.args.from_env || always.contains(&name)).then(|| std::env::var(name).ok()).flatten()
        };
        builder.overridden_by(lookup).map_err(invalid)?.build().map_err(invalid)
    }

    async fn init(&self) -> Outcome {
        if self.state().connected.is_some() || self.state().process.is_some() {
            return Err(Failure::new("AlreadyConnected", "connected already; `destroy` first"));
        }
        let connected = self.config()?.connect().await.map_err(|error| Failure::new("Connect", error))?;
        self.state().connected = Some(connected);
        Ok(Value::Null)
    }

    async fn ready(self: &Arc<Self>) -> Outcome {
        let port = u16::try_from(self.args.port).map_err(|_| {
            Failure::new("InvalidInput", format!("port must be at most 65535, not {}", self.args.port))
        })?;
        let Some(connected) = self.state().connected.take() else {
            return Err(Failure::new("NotConnected", "not connected, or ready already"));
        };
        let announcement =
            self.args.log_path.iter().fold(Ready::on_port(port), |ready, path| ready.log_path(path));
        match connected.ready(announcement).await {
            Ok((process, events)) => {
                let mut state = self.state();
                state.process = Some(process);
                state.events = Some(tokio::spawn(self.clone().hear_boxed(events)).abort_handle());
                Ok(Value::Null)
            }
            Err(error) => {
                let text = error.to_string();
                let kind = match &error {
                    ReadyError { kind: gamelift_server_sdk::ReadyErrorKind::Call(call), .. } => {
                        Failure::from(call.clone()).0
                    }
                    _ => "InvalidInput".to_owned(),
                };
                self.state().connected = Some(error.into_connected());
                Err(Failure(kind, text))
            }
        }
    }

    /// `ready` starts the event loop and the event loop runs commands: without a box, a type that contains itself.
    fn hear_boxed(self: Arc<Self>, events: Events) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.hear(events))
    }

    /// The event loop; ends with the connection.
    async fn hear(self: Arc<Self>, mut events: Events) {
        while let Some(event) = events.next().await {
            match event {
                Event::StartGameSession(start) => {
                    self.callback("OnStartGameSession", &game_session(start.game_session()));
                    self.state().starting = Some(start);
                    if !self.args.no_auto_activate {
                        let server = self.clone();
                        tokio::spawn(async move { server.run("activate").await });
                    }
                }
                Event::UpdateGameSession(update) => self.callback(
                    "OnUpdateGameSession",
                    &json!({
                        "UpdateReason": update.update_reason,
                        "BackfillTicketId": update.backfill_ticket_id,
                        "GameSession": game_session(&update.game_session),
                    }),
                ),
                Event::HealthCheck(check) if self.args.no_health_cb => drop(check),
                Event::HealthCheck(check) => {
                    let health = self.state().health;
                    self.callback("OnHealthCheck", &Value::Null);
                    match health {
                        Some(Health::Hang) => {
                            let mut state = self.state();
                            state.hung.push(check);
                            if state.hung.len() > HUNG_CHECKS_MAX {
                                drop(state.hung.remove(0));
                            }
                        }
                        health => check.answer(health == Some(Health::True)),
                    }
                }
                Event::Terminate(terminate) => {
                    self.state().termination = Some(terminate);
                    if !self.args.no_terminate_cb {
                        self.callback("OnProcessTerminate", &termination(Some(terminate)));
                    }
                    if self.args.no_terminate_cb || self.args.end_on_terminate {
                        let server = self.clone();
                        tokio::spawn(async move {
                            server.run("ending").await;
                            server.exit.notify_one();
                        });
                    }
                }
                _ => {}
            }
        }
    }

    fn callback(&self, name: &str, data: &Value) {
        self.say(json!({"event": "callback", "name": name, "data": data}));
    }

    fn session(&self) -> Result<GameSession, Failure> {
        let none = || Failure::new("NoGameSession", "no active game session");
        self.state().session.clone().ok_or_else(none)
    }

    fn process(&self) -> Result<ServerProcess, Failure> {
        self.state().process.clone().ok_or_else(|| Failure::new("NotReady", "the process is not ready"))
    }

    async fn activate(&self) -> Outcome {
        let Some(start) = self.state().starting.take() else {
            return Err(Failure::new("NoGameSession", "no game session waits to be activated"));
        };
        match start.activate().await {
            Ok(session) => {
                self.state().session = Some(session);
                Ok(Value::Null)
            }
            Err(error) => {
                let ActivateError { source, .. } = &error;
                let failure = source.clone().into();
                self.state().starting = Some(error.into_start());
                Err(failure)
            }
        }
    }

    async fn accept(&self, id: &str) -> Outcome {
        let id = id.parse().map_err(|error| Failure::new("InvalidInput", error))?;
        Ok(self.session()?.accept(&id).await.map(|()| Value::Null)?)
    }

    async fn remove(&self, id: &str) -> Outcome {
        let id = id.parse().map_err(|error| Failure::new("InvalidInput", error))?;
        Ok(self.session()?.remove(&id).await.map(|()| Value::Null)?)
    }

    async fn policy(&self, word: &str) -> Outcome {
        Ok(self.session()?.set_creation_policy(word.into()).await.map(|()| Value::Null)?)
    }

    async fn describe(&self, text: &str) -> Outcome {
        let asked: DescribePlayerSessions = parse(text)?;
        let mut query = match (asked.game_session_id, asked.player_session_id, asked.player_id) {
            (None, None, None) => PlayerSessionQuery::of_this_game_session(),
            (Some(id), None, None) => PlayerSessionQuery::of_game_session(GameSessionId::new_unchecked(id)),
            (None, Some(id), None) => PlayerSessionQuery::player_session(id),
            (None, None, Some(id)) => PlayerSessionQuery::player(id),
            _ => {
                let text =
                    "give one of GameSessionId, PlayerSessionId and PlayerId, or none for this game session";
                return Err(Failure::new("InvalidInput", text));
            }
        };
        if let Some(status) = asked.player_session_status_filter {
            query = query.with_status(status);
        }
        if let Some(token) = asked.next_token {
            query = query.from_token(token);
        }
        if let Some(limit) = asked.limit {
            let limit =
                u32::try_from(limit).map_err(|_| Failure::new("InvalidInput", "Limit must be 0 or more"))?;
            query = query.limit(limit);
        }
        let page = self.session()?.describe_player_sessions(query).await?;
        Ok(json!(page))
    }

    async fn backfill(&self, text: &str) -> Outcome {
        let asked: StartMatchBackfill = parse(text)?;
        let session = self.session()?;
        if !asked.game_session_arn.is_empty() && asked.game_session_arn != *session.id() {
            return Err(Failure::new(
                "InvalidInput",
                "GameSessionArn is not the game session of this process",
            ));
        }
        let mut backfill = Backfill::new(asked.matchmaking_configuration_arn).players(asked.players);
        if let Some(id) = asked.ticket_id {
            backfill = backfill.ticket_id(id);
        }
        Ok(json!({"TicketId": session.start_backfill(backfill).await?}))
    }

    async fn stop_backfill(&self, text: &str) -> Outcome {
        let asked: StopMatchBackfill = parse(text)?;
        let stopped =
            self.session()?.stop_backfill(asked.matchmaking_configuration_arn, asked.ticket_id).await;
        Ok(stopped.map(|()| Value::Null)?)
    }

    async fn certificate(&self) -> Outcome {
        Ok(json!(self.process()?.compute_certificate().await?))
    }

    async fn credentials(&self, text: &str) -> Outcome {
        let GetFleetRoleCredentials { role_arn, role_session_name } = parse(text)?;
        match self.process()?.fleet_role_credentials(role_arn, role_session_name).await? {
            Some(credentials) => Ok(json!(credentials)),
            None => Err(Failure::new("BadRequest", "an Anywhere fleet has no role")),
        }
    }

    fn session_id(&self) -> Outcome {
        let state = self.state();
        let session = state.session.as_ref().map(GameSession::details);
        let session = session.or_else(|| state.starting.as_ref().map(StartGameSession::game_session));
        match session {
            Some(session) => Ok(json!({"GameSessionId": session.game_session_id})),
            None => Err(Failure::new("NoGameSession", "no game session")),
        }
    }

    fn termination_time(&self) -> Outcome {
        match self.state().termination {
            Some(terminate) => Ok(termination(Some(terminate))),
            None => Err(Failure::new("NotTerminating", "the service has not asked the process to end")),
        }
    }

    async fn ending(&self) -> Outcome {
        let ended = self.process()?.end().await;
        if ended.is_ok() {
            self.destroy();
        }
        Ok(ended.map(|()| Value::Null)?)
    }

    /// Drops everything; `init` may follow.
    fn destroy(&self) {
        let mut state = self.state();
        let health = state.health;
        if let Some(events) = state.events.take() {
            events.abort();
        }
        *state = State { health, termination: state.termination, ..State::default() };
    }
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Failure> {
    let text = if text.is_empty() { "{}" } else { text };
    serde_json::from_str(text).map_err(|error| Failure::new("InvalidInput", error))
}

fn seconds(text: &str) -> Option<Duration> {
    if let Some(millis) = text.strip_suffix("ms") {
        return Some(Duration::from_millis(millis.parse().ok()?));
    }
    Duration::try_from_secs_f64(text.strip_suffix('s').unwrap_or(text).parse().ok()?).ok()
}

fn game_session(session: &model::GameSession) -> Value {
    serde_json::to_value(session).unwrap_or_default()
}

fn termination(terminate: Option<Terminate>) -> Value {
    let deadline = terminate.and_then(|terminate| terminate.deadline);
    let millis =
        deadline.and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map(|since| since.as_millis() as u64);
    json!({"TerminationTime": millis})
}
