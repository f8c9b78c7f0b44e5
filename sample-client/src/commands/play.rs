//! `play`: the whole way of one player.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use sample_client::backend::client::patiently;
use sample_client::backend::population::value_of;
use sample_client::backend::{
    Client, Entry, GameOptions, InviteRequest, Milestone, PlayError, PushBy, StartRequest, Wish, latency,
};
use sample_client::swarm::Quantiles;
use sample_client::{Player, PlayerEvent};
use serde::Serialize;
use serde_json::Value;

use super::{BackendArgs, open_view, stop_on_ctrl_c};

/// Latencies that the backend takes, in milliseconds.
const LATENCY_MS: std::ops::RangeInclusive<u32> = 1..=10_000;

#[derive(Args)]
pub(crate) struct PlayArgs {
    /// The backend's URL, up to where /v1 begins.
    #[arg(long, value_name = "URL", env = "BACKEND_URL")]
    backend: String,
    #[command(flatten)]
    how: BackendArgs,
    /// Keep the identity in this file, to be the same player next time. It is as good as a password.
    #[arg(long, value_name = "FILE")]
    identity_file: Option<PathBuf>,
    /// Say how far a location is instead of measuring all; may be repeated.
    #[arg(long, value_name = "LOCATION=MS", value_parser = latency_of)]
    latency: Vec<(String, u32)>,
    /// An attribute of the player, if the backend takes it from players; may be repeated. JSON, or else a text.
    #[arg(long, value_name = "NAME=VALUE", value_parser = attribute_of)]
    attribute: Vec<(String, Value)>,
    /// Take along the player who was given this token by `play --invite`; may be repeated.
    #[arg(long, value_name = "TOKEN")]
    party: Vec<String>,
    /// Print a token for the leader of a party, and wait to be taken along.
    #[arg(long, conflicts_with_all = ["party", "configuration"])]
    invite: bool,
    /// How long to play.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Show the arena in the terminal while playing.
    #[arg(long)]
    view: bool,
    /// Print the result as one line of JSON.
    #[arg(long)]
    json: bool,
}

fn pair(text: &str) -> Result<(&str, &str), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name, value)),
        _ => Err("it has to be NAME=VALUE".to_owned()),
    }
}

fn latency_of(text: &str) -> Result<(String, u32), String> {
    let (location, millis) = pair(text)?;
    match millis.parse() {
        Ok(millis) if LATENCY_MS.contains(&millis) => Ok((location.to_owned(), millis)),
        _ => Err(format!("{millis:?} is not {} to {} milliseconds", LATENCY_MS.start(), LATENCY_MS.end())),
    }
}

fn attribute_of(text: &str) -> Result<(String, Value), String> {
    let (name, value) = pair(text)?;
    Ok((name.to_owned(), value_of(value)))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlayReport {
    ticket_id: String,
    game_session_id: String,
    latencies: BTreeMap<String, u32>,
    time_to_ticket_ms: u64,
    time_to_match_ms: u64,
    time_to_play_ms: u64,
    inputs: u64,
    snapshots: u64,
    loss_percent: f64,
    round_trip_ms: Quantiles,
    seconds: f64,
    returns: u32,
    server_closing: bool,
    ended: Option<String>,
}

/// What the milestones come to.
struct Diary {
    start: Instant,
    ticket_id: String,
    to_ticket: Option<Duration>,
    to_play: Option<Duration>,
    /// What is said while the terminal shows the arena, for afterwards: a line per connection, so a few.
    held: Option<Vec<String>>,
}

impl Diary {
    fn note(&mut self, milestone: Milestone) {
        let since = self.start.elapsed();
        match milestone {
            Milestone::Ticket { ticket_id, resumed } => {
                let how = if resumed { "there was a ticket already" } else { "ticket" };
                self.say(&format!("{how} {ticket_id}"));
                self.ticket_id = ticket_id;
                self.to_ticket = Some(since);
            }
            Milestone::Status(status) => self.say(status.name()),
            Milestone::Pushing(PushBy::WebSocket) => self.say("news is pushed over a WebSocket"),
            Milestone::Pushing(PushBy::Grpc) => self.say("news is pushed by gRPC"),
            Milestone::PushLost => self.say("nothing is pushed any more; asking instead"),
            Milestone::Joined(number) => {
                self.to_play.get_or_insert(since);
                self.say(&format!("in the game, as player {number}"));
            }
            Milestone::Dropped(reason) => self.say(&format!("{reason}; going back")),
            _ => {}
        }
    }

    /// Steps go to standard error; the result alone to standard output.
    fn say(&mut self, what: &str) {
        let line = format!("{:>7.3} s  {what}", self.start.elapsed().as_secs_f64());
        match &mut self.held {
            Some(held) => held.push(line),
            None => {
                let _ = writeln!(io::stderr(), "{line}");
            }
        }
    }

    /// Says what was held back.
    fn release(&mut self) {
        for line in self.held.take().unwrap_or_default() {
            let _ = writeln!(io::stderr(), "{line}");
        }
    }
}

pub(crate) async fn run(args: PlayArgs) -> Result<(), Box<dyn Error>> {
    let client = args.how.client(&args.backend, args.identity_file.clone())?;
    let stop = stop_on_ctrl_c();
    let mut diary =
        Diary { start: Instant::now(), ticket_id: String::new(), to_ticket: None, to_play: None, held: None };
    let (entry, latencies) = tokio::select! {
        () = stop.cancelled() => return Err(PlayError::Cancelled { confirmed: true }.into()),
        prepared = prepare(&client, &args, &mut diary) => prepared?,
    };
    let wish = Wish { entry, follow: args.how.follow() };
    let seat = client.find_match(wish, &stop, |milestone| diary.note(milestone)).await?;
    let to_match = diary.start.elapsed();
    if stop.is_cancelled() {
        return Err("cancelled, but a seat came first; it lapses by itself in a minute".into());
    }
    let options =
        GameOptions { play_for: Duration::from_secs(args.seconds), extra_roots: args.how.ca.clone() };
    let mut view = open_view(args.view);
    diary.held = view.is_some().then(Vec::new);
    let watch = |player: &Player, event: &PlayerEvent| {
        if let Some(view) = &mut view {
            view.show(player, event);
        }
    };
    let game = client.play_watched(&seat, &options, &stop, |milestone| diary.note(milestone), watch).await;
    drop(view);
    diary.release();
    let game = game?;
    let millis = |it: Duration| u64::try_from(it.as_millis()).unwrap_or(u64::MAX);
    let report = PlayReport {
        time_to_ticket_ms: millis(diary.to_ticket.unwrap_or_default()),
        time_to_match_ms: millis(to_match),
        time_to_play_ms: millis(diary.to_play.unwrap_or_default()),
        ticket_id: diary.ticket_id,
        game_session_id: seat.game_session_id,
        latencies,
        inputs: game.stats.inputs,
        snapshots: game.stats.snapshots,
        loss_percent: 100.0 * game.stats.loss(),
        round_trip_ms: Quantiles::of_micros(&game.stats.round_trip_micros),
        seconds: game.duration.as_secs_f64(),
        returns: game.returns,
        server_closing: game.warned,
        ended: game.ended.map(|reason| reason.to_string()),
    };
    print(&report, args.json)
}

/// Who the player is, and how to come to a ticket. Nothing of it needs to be taken back.
async fn prepare(
    client: &Client,
    args: &PlayArgs,
    diary: &mut Diary,
) -> Result<(Entry, BTreeMap<String, u32>), PlayError> {
    client.sign_in().await?;
    diary.say("identity and credentials");
    let latencies: BTreeMap<String, u32> = if args.latency.is_empty() {
        let latencies = latency::measure(&patiently(|| client.locations()).await?).await;
        diary.say(&format!("latencies {latencies:?}"));
        latencies
    } else {
        args.latency.iter().cloned().collect()
    };
    let attributes: BTreeMap<String, Value> = args.attribute.iter().cloned().collect();
    if args.invite {
        let earlier = match patiently(|| client.current()).await {
            Ok(ticket) => Some(ticket.ticket_id),
            Err(failed) if failed.error.code() == Some("NOT_FOUND") => None,
            Err(failed) => return Err(failed.into()),
        };
        let own = InviteRequest { latencies: latencies.clone(), attributes };
        let invite = patiently(|| client.invite(&own)).await?;
        // This is for the leader, whatever else is printed.
        let _ = writeln!(io::stderr(), "give this to the leader:  --party {}", invite.token);
        return Ok((Entry::Invited { earlier }, latencies));
    }
    let request = StartRequest {
        configuration: args.how.configuration.clone(),
        latencies: latencies.clone(),
        attributes,
        party: args.party.clone(),
    };
    Ok((Entry::Start(request), latencies))
}

fn print(report: &PlayReport, json: bool) -> Result<(), Box<dyn Error>> {
    if json {
        writeln!(io::stdout(), "{}", serde_json::to_string(report)?)?;
        return Ok(());
    }
    writeln!(
        io::stdout(),
        "played {:.1} s, {:.1} s after the start: {} inputs, {} snapshots ({:.2} % lost), input to snapshot p50 {:.1} ms, p99 {:.1} ms{}{}",
        report.seconds,
        report.time_to_play_ms as f64 / 1000.0,
        report.inputs,
        report.snapshots,
        report.loss_percent,
        report.round_trip_ms.p50,
        report.round_trip_ms.p99,
        if report.returns > 0 { format!("; came back {} times", report.returns) } else { String::new() },
        report.ended.as_ref().map(|reason| format!("; ended early: {reason}")).unwrap_or_default(),
    )?;
    Ok(())
}
