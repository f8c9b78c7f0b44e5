//! Server processes: how they find the emulator, and what may happen to them.

use std::panic::Location;

use super::{Emulator, wait::fail};
use crate::engine::{OperatorError, ProcessSnapshot};

/// A key that opens nothing: AWS SDKs insist on one.
const KEY: &str = "local";

/// What a process looks like in a message.
fn shown(process: &ProcessSnapshot) -> String {
    let mut shown = format!("{} is {}", process.process_id, process.state);
    if process.connection_count == 0 {
        shown.push_str(", not connected");
    }
    if process.failed_heartbeats > 0 {
        shown.push_str(&format!(", {} bad or missing heartbeats in a row", process.failed_heartbeats));
    }
    if process.game_session_id.is_some() {
        shown.push_str(", hosting a game session");
    }
    if process.end_by.is_some() {
        shown.push_str(", asked to end");
    }
    shown
}

impl Emulator {
    /// What a server process of the default compute takes from its environment, whatever server SDK it has, to connect under
    /// this process id: for `Command::envs`.
    ///
    /// # Panics
    /// In memory, where no other process can connect.
    #[track_caller]
    pub fn server_environment(&self, process_id: &str) -> [(&'static str, String); 5] {
        self.insist_on_sockets(Location::caller());
        let defaults = self.local.defaults();
        [
            ("GAMELIFT_SDK_WEBSOCKET_URL", self.local.sdk_endpoint().to_owned()),
            ("GAMELIFT_SDK_FLEET_ID", defaults.fleet_id.clone()),
            ("GAMELIFT_SDK_HOST_ID", defaults.compute_name.clone()),
            ("GAMELIFT_SDK_AUTH_TOKEN", defaults.auth_token.clone()),
            ("GAMELIFT_SDK_PROCESS_ID", process_id.to_owned()),
        ]
    }

    /// What a backend takes from its environment, whatever AWS SDK it has, to call this GameLift: for `Command::envs`.
    ///
    /// # Panics
    /// In memory, where no other process can connect.
    #[track_caller]
    pub fn client_environment(&self) -> [(&'static str, String); 4] {
        self.insist_on_sockets(Location::caller());
        // The Region is in every ARN.
        let region = self.local.defaults().fleet_arn.split(':').nth(3).unwrap_or("us-west-2").to_owned();
        [
            ("AWS_ENDPOINT_URL_GAMELIFT", self.local.api_endpoint().to_owned()),
            ("AWS_REGION", region),
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", KEY.to_owned()),
        ]
    }

    fn insist_on_sockets(&self, at: &Location<'_>) {
        if self.in_memory {
            fail(at, "an emulator in memory has no endpoints: use Emulator::on_loopback");
        }
    }

    /// Closes the connection of a server process: with a close code, or abruptly (`None`). A process is right to reconnect, and
    /// plays on meanwhile.
    ///
    /// # Panics
    /// If there is no such process, or it is not connected.
    ///
    /// # Cancel safety
    /// The connection may have been closed.
    #[track_caller]
    pub fn drop_socket(&self, process_id: &str, close: Option<u16>) -> impl Future<Output = ()> + Send {
        let at = Location::caller();
        async move {
            let dropped = self.local.drop_process(process_id, close).await;
            self.insist(at, "drop its socket", dropped.map(|_| ())).await;
        }
    }

    /// Sends RefreshConnection: the server process is to move to a new connection with a new token.
    ///
    /// # Panics
    /// If there is no such process, or it is not connected.
    ///
    /// # Cancel safety
    /// The process may have been told.
    #[track_caller]
    pub fn refresh_connection(&self, process_id: &str) -> impl Future<Output = ()> + Send {
        let at = Location::caller();
        async move {
            let refreshed = self.local.refresh_process(process_id).await;
            self.insist(at, "send RefreshConnection", refreshed).await;
        }
    }

    /// Sends TerminateProcess, with five minutes to end: what a scale-down looks like.
    ///
    /// # Panics
    /// If there is no such process, or it is not ready.
    ///
    /// # Cancel safety
    /// The process may have been told.
    #[track_caller]
    pub fn terminate_process(&self, process_id: &str) -> impl Future<Output = ()> + Send {
        let at = Location::caller();
        async move {
            let told = self.local.terminate_process(process_id).await;
            self.insist(at, "send TerminateProcess", told).await;
        }
    }

    /// Sends TerminateProcess as before a Spot interruption: after two minutes the process and its game session are gone,
    /// whatever it does.
    ///
    /// # Panics
    /// If there is no such process, or it is not ready.
    ///
    /// # Cancel safety
    /// The process may have been told.
    #[track_caller]
    pub fn interrupt_spot(&self, process_id: &str) -> impl Future<Output = ()> + Send {
        let at = Location::caller();
        async move {
            let told = self.local.interrupt_process(process_id).await;
            self.insist(at, "announce a Spot interruption", told).await;
        }
    }

    async fn insist(&self, at: &Location<'_>, what: &str, done: Result<(), OperatorError>) {
        if let Err(error) = done {
            let seen = self.shown_processes().await;
            fail(at, &format!("cannot {what}: {error}\nfor {seen}"));
        }
    }

    async fn processes(&self) -> Vec<ProcessSnapshot> {
        self.local.snapshot().await.map(|snapshot| snapshot.processes).unwrap_or_default()
    }

    pub(super) async fn shown_processes(&self) -> String {
        let processes = self.processes().await;
        match processes.is_empty() {
            true => "no server process has connected".to_owned(),
            false => processes.iter().map(shown).collect::<Vec<_>>().join("; "),
        }
    }

    /// Waits until a server process is ready and connected. One that hosts a game session is that, too.
    ///
    /// # Panics
    /// If it is not in time, with the processes there are.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[track_caller]
    pub fn wait_until_connected(&self, process_id: &str) -> impl Future<Output = ()> + Send {
        let at = Location::caller();
        async move {
            let connected =
                |process: &ProcessSnapshot| process.state == "ACTIVE" && process.connection_count > 0;
            self.process_is(at, process_id, "ready and connected", connected).await;
        }
    }

    /// Waits until a server process is over: by ProcessEnding, or because GameLift gave it up.
    ///
    /// # Panics
    /// If it is not in time, with the processes there are.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    #[track_caller]
    pub fn wait_until_ended(&self, process_id: &str) -> impl Future<Output = ()> + Send {
        let at = Location::caller();
        async move { self.process_is(at, process_id, "over", |process| process.state == "TERMINATED").await }
    }

    async fn process_is(
        &self,
        at: &Location<'_>,
        id: &str,
        what: &str,
        is: impl Fn(&ProcessSnapshot) -> bool + Send,
    ) {
        let begun = tokio::time::Instant::now();
        loop {
            let processes = self.processes().await;
            if processes.iter().any(|process| process.process_id == id && is(process)) {
                return;
            }
            if begun.elapsed() >= self.patience {
                let (waited, seen) = (self.patience, self.shown_processes().await);
                fail(at, &format!("waited {waited:?} for server process {id} to be {what}, but {seen}"));
            }
            tokio::time::sleep(self.look).await;
        }
    }
}
