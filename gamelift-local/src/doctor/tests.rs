//! One test per mistake: a server that makes it is told, and one that does not is left alone.

use super::*;

/// A server that is watched, on a clock of its own.
struct Case {
    doctor: Doctor,
    now: Timestamp,
    name: ProcessName,
}

impl Case {
    fn new() -> Self {
        let name = ["f", "c", "p"].map(str::to_owned);
        let [fleet_id, compute_name, process_id] = name;
        Self {
            doctor: Doctor::default(),
            now: Timestamp::from_millis(1_000_000),
            name: ProcessName { fleet_id, compute_name, process_id },
        }
    }

    fn see(mut self, signs: impl IntoIterator<Item = Sign>) -> Self {
        for sign in signs {
            self.doctor.see(self.now, &self.name, sign);
        }
        self
    }

    /// Lets time pass, a timer at a time.
    fn after(mut self, seconds: u64) -> Self {
        let target = self.now + Duration::from_secs(seconds);
        while let Some(at) = self.doctor.poll_timeout().filter(|at| *at <= target) {
            self.doctor.tick(at);
        }
        self.doctor.tick(target);
        self.now = target;
        self
    }

    /// What it has been told since the last look, with the codes.
    fn told(&mut self) -> Vec<(Mistake, Option<&'static str>)> {
        std::iter::from_fn(|| self.doctor.poll_finding())
            .map(|finding| (finding.mistake, finding.event_code))
            .collect()
    }

    #[track_caller]
    fn told_that(mut self, mistake: Mistake, code: &'static str) -> Self {
        assert_eq!(self.told(), [(mistake, Some(code))]);
        self
    }

    #[track_caller]
    fn told_nothing(mut self) -> Self {
        assert_eq!(self.told(), []);
        self
    }

    fn is_ready() -> Self {
        Self::new().see([Sign::Started, Sign::Connected, Sign::Ready, Sign::Health { healthy: true }])
    }

    fn hosts() -> Self {
        Self::is_ready().see([Sign::GameSession])
    }

    fn gone(&self) -> bool {
        self.doctor.patients.is_empty()
    }
}

fn exited() -> Sign {
    Sign::Exited { how: "exit status: 1".to_owned() }
}

const HEALTHY: Sign = Sign::Health { healthy: true };
const ILL: Sign = Sign::Health { healthy: false };

#[test]
fn a_server_that_makes_no_mistake_is_left_alone() {
    let mut case = Case::hosts().after(5).see([Sign::Activated, Sign::Accepted]);
    for _ in 0..10 {
        case = case.after(70).see([HEALTHY]);
    }
    case = case
        .see([Sign::AskedToEnd])
        .after(20)
        .see([Sign::GameSessionOver, Sign::Ending, Sign::GivenUp])
        .after(2);
    case = case
        .see([Sign::Disconnected, Sign::Exited { how: "exit status: 0".to_owned() }])
        .after(1000)
        .told_nothing();
    assert!(case.gone(), "and nothing is kept of it");
}

#[test]
fn a_program_that_is_not_there() {
    let error = "No such file or directory".to_owned();
    Case::new()
        .see([Sign::NotStarted { error }])
        .told_that(Mistake::InvalidPath, "SERVER_PROCESS_INVALID_PATH");
}

#[test]
fn a_server_that_never_connects() {
    let case = Case::new().see([Sign::Started]).after(29).told_nothing();
    let case = case.after(1).told_that(Mistake::NeverConnected, "SERVER_PROCESS_SDK_INITIALIZATION_TIMEOUT");
    case.after(1000).told_nothing();
}

#[test]
fn a_server_that_is_refused_is_told_why_and_once() {
    let refused = || Sign::Refused { message: "HTTP 403: the auth token has expired".to_owned() };
    let mut case = Case::new().see([Sign::Started, refused(), refused()]);
    let finding = case.doctor.poll_finding().unwrap();
    assert!(finding.what.contains("the auth token has expired"), "{finding}");
    case.told_nothing();
}

#[test]
fn a_server_that_ends_before_it_connects_or_is_ready() {
    let case = Case::new().see([Sign::Started, exited()]);
    case.told_that(Mistake::ExitedBeforeConnecting, "SERVER_PROCESS_CRASHED");
    let case = Case::new().see([Sign::Started, Sign::Connected, Sign::Disconnected, exited()]);
    case.told_that(Mistake::ExitedBeforeReady, "SERVER_PROCESS_CRASHED");
}

#[test]
fn a_server_that_is_connected_but_never_ready() {
    let case = Case::new().see([Sign::Connected]).after(19).told_nothing();
    case.after(1).told_that(Mistake::NeverReady, "SERVER_PROCESS_PROCESS_READY_TIMEOUT");
}

#[test]
fn a_server_that_is_ready_but_reports_no_health() {
    let case = Case::new().see([Sign::Connected, Sign::Ready]).after(64).told_nothing();
    case.after(1).told_that(Mistake::NoHeartbeat, "SERVER_PROCESS_TERMINATED_UNHEALTHY");
    let case = Case::is_ready().after(129).told_nothing();
    case.after(1).told_that(Mistake::NoHeartbeat, "SERVER_PROCESS_TERMINATED_UNHEALTHY");
}

#[test]
fn a_server_whose_health_callback_says_no() {
    let case = Case::is_ready().after(65).see([ILL]);
    let case = case.told_that(Mistake::Unhealthy, "SERVER_PROCESS_TERMINATED_UNHEALTHY");
    let case = case.after(65).see([ILL]).told_nothing().after(60).see([HEALTHY]).after(60).see([ILL]);
    case.told_that(Mistake::Unhealthy, "SERVER_PROCESS_TERMINATED_UNHEALTHY");
}

#[test]
fn a_server_whose_health_callback_hangs() {
    // The SDK waits for the callback for 50 s: before the first report, and before any other.
    let case = Case::new().see([Sign::Connected, Sign::Ready]).after(50).told_nothing().see([ILL]);
    case.told_that(Mistake::HealthCheckHung, "SERVER_PROCESS_TERMINATED_UNHEALTHY");
    let case = Case::is_ready().after(110).see([ILL]);
    case.told_that(Mistake::HealthCheckHung, "SERVER_PROCESS_TERMINATED_UNHEALTHY");
}

#[test]
fn a_game_session_that_is_never_activated() {
    let case = Case::hosts().after(19).told_nothing();
    case.after(1).told_that(Mistake::NeverActivated, "GAME_SESSION_ACTIVATION_TIMEOUT");
    // A fleet may be less patient than we are.
    let case = Case::hosts().after(5).see([Sign::GameSessionOver]);
    case.told_that(Mistake::NeverActivated, "GAME_SESSION_ACTIVATION_TIMEOUT");
}

#[test]
fn players_who_are_never_accepted() {
    let mut case =
        Case::hosts().see([Sign::Activated]).after(60).see([HEALTHY, Sign::NotAccepted, Sign::NotAccepted]);
    assert_eq!(case.told(), [(Mistake::PlayerNotAccepted, None)], "GameLift has no event for it");
}

#[test]
fn a_server_that_is_gone_without_process_ending() {
    let case = Case::is_ready().see([Sign::Disconnected, exited()]);
    let case = case.told_that(Mistake::NoProcessEnding, "SERVER_PROCESS_CRASHED").after(1000).told_nothing();
    assert!(case.gone());
    // Of one that was started by somebody else only the socket is seen.
    let case =
        Case::new().see([Sign::Connected, Sign::Ready, HEALTHY, Sign::Disconnected]).after(29).told_nothing();
    let case = case.after(1).told_that(Mistake::NoProcessEnding, "SERVER_PROCESS_CRASHED");
    assert!(case.after(1000).told_nothing().gone());
}

#[test]
fn a_server_that_connects_again_is_not_gone() {
    let case = Case::is_ready().see([Sign::Disconnected]).after(10).see([Sign::Connected]).after(60);
    case.see([HEALTHY]).told_nothing();
}

#[test]
fn a_server_that_does_not_end_when_asked() {
    let case = Case::is_ready().see([Sign::AskedToEnd]).after(59).told_nothing();
    case.after(1).told_that(Mistake::LateEnd, "SERVER_PROCESS_FORCE_TERMINATED");
}

#[test]
fn a_server_that_does_not_exit_after_process_ending() {
    let case = Case::is_ready().see([Sign::Ending, Sign::GivenUp]).after(29).told_nothing();
    case.after(1).told_that(Mistake::LateExit, "SERVER_PROCESS_PROCESS_EXIT_TIMEOUT");
}

#[test]
fn while_a_debugger_holds_a_server_nothing_is_late() {
    let case = Case::hosts().see([Sign::Held(true)]).after(10_000).told_nothing();
    let case = case.see([Sign::Held(false)]).after(19).told_nothing();
    case.after(1).told_that(Mistake::NeverActivated, "GAME_SESSION_ACTIVATION_TIMEOUT");
}

#[test]
fn a_new_run_under_the_same_name_is_a_new_patient() {
    let case = Case::new().see([Sign::Started]).after(30);
    let case = case.told_that(Mistake::NeverConnected, "SERVER_PROCESS_SDK_INITIALIZATION_TIMEOUT");
    let case = case.see([Sign::Started]).after(30);
    case.told_that(Mistake::NeverConnected, "SERVER_PROCESS_SDK_INITIALIZATION_TIMEOUT");
}

#[test]
fn what_the_service_says_about_a_process_that_is_gone_is_not_its_mistake() {
    let case = Case::is_ready().see([Sign::Disconnected, exited()]);
    let case = case.told_that(Mistake::NoProcessEnding, "SERVER_PROCESS_CRASHED");
    let case = case.see([Sign::Disconnected, Sign::AskedToEnd, Sign::GivenUp]).after(1000).told_nothing();
    assert!(case.gone());
}
