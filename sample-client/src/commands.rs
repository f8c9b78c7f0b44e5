//! The commands, and what they share.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sample_client::View;
use sample_client::backend::{Client, ClientConfig, FollowOptions, PushBy, SetUpError};
use tokio_util::sync::CancellationToken;

pub(crate) mod join;
pub(crate) mod play;
pub(crate) mod swarm;

/// How to the backend.
#[derive(Args)]
pub(crate) struct BackendArgs {
    /// The Region that requests are signed for [default: that in the backend's URL, or us-west-2].
    #[arg(long)]
    region: Option<String>,
    /// The Cognito identity pool. A local backend's is known.
    #[arg(long, value_name = "ID")]
    identity_pool: Option<String>,
    /// Where identities come from: a URL, or `aws` [default: AWS for a backend on AWS, otherwise the backend].
    #[arg(long, value_name = "URL|aws")]
    cognito: Option<String>,
    /// The WebSocket API's URL, for --push websocket [default: the backend's own; on AWS it has another].
    #[arg(long, value_name = "URL")]
    websocket: Option<String>,
    /// The matchmaking configuration [default: the backend's].
    #[arg(long, value_name = "NAME")]
    configuration: Option<String>,
    /// How to hear of the ticket. It is asked for in any case, less often while news is pushed.
    #[arg(long, value_enum, default_value = "poll")]
    push: PushArg,
    /// What to answer to a match that has to be accepted.
    #[arg(long, value_enum, default_value = "yes")]
    accept: Answer,
    /// How many seconds to wait for a match before the request is taken back.
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=43_200))]
    wait: u64,
    /// A PEM file with more authorities to trust, for game servers that are verified by their DNS name.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Answer {
    Yes,
    No,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PushArg {
    /// Ask, as often as the backend says.
    Poll,
    /// Listen on a WebSocket.
    Websocket,
    /// Listen to a gRPC stream: where there is no API Gateway in front.
    Grpc,
}

impl BackendArgs {
    /// A player's line to the backend, over which news can come as asked for.
    fn client(&self, backend: &str, identity_file: Option<PathBuf>) -> Result<Client, SetUpError> {
        let client = Client::new(self.client_config(backend, identity_file))?;
        if let Some(by) = self.push_by() {
            client.check_push(by)?;
        }
        Ok(client)
    }

    fn push_by(&self) -> Option<PushBy> {
        match self.push {
            PushArg::Poll => None,
            PushArg::Websocket => Some(PushBy::WebSocket),
            PushArg::Grpc => Some(PushBy::Grpc),
        }
    }

    fn client_config(&self, backend: &str, identity_file: Option<PathBuf>) -> ClientConfig {
        ClientConfig {
            backend: backend.to_owned(),
            region: self.region.clone(),
            identity_pool: self.identity_pool.clone(),
            cognito: self.cognito.clone(),
            web_socket: self.websocket.clone(),
            identity_file,
        }
    }

    fn follow(&self) -> FollowOptions {
        FollowOptions {
            accept: self.accept == Answer::Yes,
            push: self.push_by(),
            wait_max: Duration::from_secs(self.wait),
        }
    }
}

/// Is cancelled by Ctrl-C. A second Ctrl-C ends the program at once, as it would without this.
fn stop_on_ctrl_c() -> CancellationToken {
    let stop = CancellationToken::new();
    let pressed = stop.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            return; // Without signals there is nothing to wait for.
        }
        pressed.cancel();
        let _ = writeln!(io::stderr(), "stopping; press Ctrl-C again to stop at once");
        if tokio::signal::ctrl_c().await.is_ok() {
            sample_client::view::restore();
            #[expect(clippy::exit, reason = "the user has asked twice")]
            std::process::exit(130);
        }
    });
    stop
}

/// The arena in the terminal, if it is wanted and there is one.
fn open_view(wanted: bool) -> Option<View> {
    if !wanted {
        return None;
    }
    match View::open() {
        Ok(view) => Some(view),
        Err(reason) => {
            let _ = writeln!(io::stderr(), "no --view: {reason}");
            None
        }
    }
}

/// Draws on a terminal only.
fn progress_bar(length: usize) -> ProgressBar {
    let target =
        if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(length as u64), target);
    bar.set_style(
        ProgressStyle::with_template("{elapsed:>4} [{bar:30}] {pos}/{len} {msg}")
            .expect("the template is a constant"),
    );
    bar
}
