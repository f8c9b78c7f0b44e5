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
        self.line("\nStill here, with idle server processes waiting for you. In another terminal:\n");
        self.line(&format!("  export AWS_ENDPOINT_URL_GAMELIFT={}", stage.local.api_endpoint()));
        // Version 1 of the AWS CLI reads the older name of the Region only.
        self.line("  export AWS_REGION=us-west-2 AWS_DEFAULT_REGION=us-west-2");
        self.line("  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local");
        self.line(
            "  # a match: alone, it is made after 6 s; start another ticket sooner and the two are matched",
        );
        self.line(&format!(
            "  aws gamelift start-matchmaking --configuration-name {NAME} --ticket-id mine \\"
        ));
        self.line(&format!(
            "      --players 'PlayerId=me,PlayerAttributes={{skill={{N=1000}}}},LatencyInMs={{{EUROPE}=20,{AMERICA}=110}}'"
        ));
        self.line("  aws gamelift describe-matchmaking --ticket-ids mine");
        self.line("  # within 60 s of COMPLETED, with what the ticket says:");
        self.line("  cargo run -p sample-client -- join --address 127.0.0.1:PORT --player-session-id PLAYER_SESSION_ID \\");
        self.line(&format!("      --fingerprint {}", stage.fingerprint));
        self.line(&format!("\n  a look inside: curl {}/state", stage.local.admin_endpoint()));
        self.line("  stop with Ctrl-C");
    }
}
