//! `join`: into a game session with a seat that is there.

use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use sample_client::play::play_watched;
use sample_client::swarm::Quantiles;
use sample_client::{Fingerprint, JoinConfig, Player, Trust};
use serde::Serialize;

use super::{open_view, stop_on_ctrl_c};

#[derive(Args)]
pub(crate) struct JoinArgs {
    /// The game session's IP address and port.
    #[arg(long)]
    address: SocketAddr,
    /// The player session that GameLift reserved.
    #[arg(long, value_name = "ID", env = "PLAYER_SESSION_ID", hide_env_values = true)]
    player_session_id: String,
    /// The game session it is in (an ARN), if the server hosts several.
    #[arg(long, value_name = "ID")]
    game_session_id: Option<String>,
    #[command(flatten)]
    trust: TrustArgs,
    /// How long to play.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Show the arena in the terminal while playing.
    #[arg(long)]
    view: bool,
    /// Print the result as one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct TrustArgs {
    /// The SHA-256 of the server's certificate, in hexadecimal: the server prints it when it starts.
    #[arg(long, value_name = "HEX", required_unless_present = "dns_name", conflicts_with = "dns_name")]
    fingerprint: Option<Fingerprint>,
    /// The DNS name that the server's certificate is for, issued by an authority that this machine trusts.
    #[arg(long, value_name = "NAME")]
    dns_name: Option<String>,
    /// A PEM file with more authorities to trust. Only with --dns-name.
    #[arg(long, value_name = "FILE", requires = "dns_name")]
    ca: Option<PathBuf>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JoinReport {
    player_number: u32,
    inputs: u64,
    snapshots: u64,
    loss_percent: f64,
    round_trip_ms: Quantiles,
    seconds: f64,
    server_closing: bool,
    ended: Option<String>,
}

pub(crate) async fn run(args: JoinArgs) -> Result<(), Box<dyn Error>> {
    let trust = match (args.trust.fingerprint, args.trust.dns_name) {
        (Some(fingerprint), _) => Trust::Fingerprint(fingerprint),
        (None, Some(name)) => Trust::DnsName { name, extra_roots: args.trust.ca },
        (None, None) => return Err("one of --fingerprint and --dns-name is needed".into()),
    };
    let config = JoinConfig {
        game_session_id: args.game_session_id,
        ..JoinConfig::new(args.address, trust, args.player_session_id)
    };
    let player = Player::join(config).await?;
    let player_number = player.welcome().player_number;
    let stop = stop_on_ctrl_c();
    let over = async {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(args.seconds)) => {}
            () = stop.cancelled() => {}
        }
    };
    let mut view = open_view(args.view);
    let played = play_watched(player, over, |player, event| {
        if let Some(view) = &mut view {
            view.show(player, event);
        }
    })
    .await;
    drop(view);
    let report = JoinReport {
        player_number,
        inputs: played.stats.inputs,
        snapshots: played.stats.snapshots,
        loss_percent: 100.0 * played.stats.loss(),
        round_trip_ms: Quantiles::of_micros(&played.stats.round_trip_micros),
        seconds: played.duration.as_secs_f64(),
        server_closing: played.warned,
        ended: played.ended.map(|reason| reason.to_string()),
    };
    if args.json {
        writeln!(io::stdout(), "{}", serde_json::to_string(&report)?)?;
    } else {
        writeln!(
            io::stdout(),
            "played {:.1} s as player {}: {} inputs, {} snapshots ({:.2} % lost), input to snapshot p50 {:.1} ms, p99 {:.1} ms{}",
            report.seconds,
            report.player_number,
            report.inputs,
            report.snapshots,
            report.loss_percent,
            report.round_trip_ms.p50,
            report.round_trip_ms.p99,
            report.ended.map(|reason| format!("; ended early: {reason}")).unwrap_or_default(),
        )?;
    }
    Ok(())
}
