//! Says what happens, for people.

use std::io::Write;

use super::fleet::{AMERICA, EUROPE};
use super::matchmaker::NAME;
use super::round::Round;
use super::stage::Stage;

/// Writes lines, or nothing.
#[derive(Clone, Copy, Debug)]
pub struct Narrator {
    speaks: bool,
}

impl Narrator {
    /// To standard output.
    pub fn stdout() -> Self {
        Self { speaks: true }
    }

    /// To nobody.
    pub fn silent() -> Self {
        Self { speaks: false }
    }

    /// One line as it is.
    pub fn line(&self, line: &str) {
        if self.speaks {
            let mut out = std::io::stdout().lock();
            // Whoever listened is gone; the round goes on.
            let _ = writeln!(out, "{line}").and_then(|()| out.flush());
        }
    }

    /// A fact with its name.
    pub(super) fn fact(&self, name: &str, value: impl AsRef<str>) {
        self.line(&format!("  {name:<18}{}", value.as_ref()));
    }

    /// A step of the reference architecture, by AWS's numbers.
    pub(super) fn step(&self, number: &str, what: &str) {
        self.line(&format!("\nstep {number:<6} {what}"));
    }

    pub(super) fn result(&self, round: &Round) {
        let Round { players, game_sessions, swarm, .. } = round;
        self.line(&format!(
            "\nall went right: {players} players in {game_sessions} game session(s), matched, placed, validated and played\n"
        ));
        for line in swarm.to_string().lines() {
            self.line(&format!("  {line}"));
        }
    }

    /// How the reader can go on by hand.
    pub(super) fn invitation(&self, stage: &Stage) {
        let (backend, api) = (stage.backend.url(), stage.local.api_endpoint());
        self.line(
            "\nStill here, with idle server processes waiting for you. In another terminal, be a player:\n",
        );
        self.line(&format!(
            "  cargo run -p sample-client -- play --backend {backend} --latency {EUROPE}=20 --latency {AMERICA}=110"
        ));
        self.line("  # alone, a match is made after 6 s; a second terminal with the same line sooner, and you meet. Or many:");
        self.line(&format!(
            "  cargo run -p sample-client -- swarm --backend {backend} --players 16 --locations {EUROPE}=0.5,{AMERICA}=0.5 --push grpc"
        ));
        self.line("\nOr look at it as GameLift's customer:\n");
        self.line(&format!("  export AWS_ENDPOINT_URL_GAMELIFT={api}"));
        // Version 1 of the AWS CLI reads the older name of the Region only.
        self.line("  export AWS_REGION=us-west-2 AWS_DEFAULT_REGION=us-west-2");
        self.line("  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local");
        self.line(&format!("  aws gamelift describe-game-sessions --fleet-id {}", stage.fleet_id));
        self.line(&format!("  aws gamelift describe-matchmaking-configurations --names {NAME}"));
        self.line("\nOr inside:\n");
        let admin = stage.local.admin_endpoint();
        self.line(&format!("  curl {admin}/state                   # processes, game sessions, counts"));
        self.line(&format!("  curl '{admin}/tickets?format=text'   # who waits, and why"));
        self.line(&format!("  curl -N {admin}/events               # every event as it happens"));
        self.line(&format!("  curl {backend}/openapi.json           # what the backend offers"));
        self.line("");
        self.line("  stop with Ctrl-C");
    }
}
