//! What the doctor says about each mistake.
//!
//! Event codes are those of the AWS API reference, Event; which of them follows from what is in the developer guide,
//! "Debug fleet issues".

use serde::Serialize;

/// A step that was missed, or went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Mistake {
    /// The program is not there, or is none.
    InvalidPath,
    /// It was not let in.
    Refused,
    /// It runs and has not connected.
    NeverConnected,
    /// It has ended before it connected.
    ExitedBeforeConnecting,
    /// It is connected and not ready.
    NeverReady,
    /// It has ended before it was ready.
    ExitedBeforeReady,
    /// It is ready and reports no health.
    NoHeartbeat,
    /// It says that it is not healthy.
    Unhealthy,
    /// Its health callback does not answer.
    HealthCheckHung,
    /// It has a game session and does not activate it.
    NeverActivated,
    /// A player's seat was reserved and the player not accepted.
    PlayerNotAccepted,
    /// It is gone without ProcessEnding.
    NoProcessEnding,
    /// It was asked to end and goes on.
    LateEnd,
    /// It has called ProcessEnding and does not exit.
    LateExit,
}

pub(super) struct Advice {
    pub(super) event_code: Option<&'static str>,
    /// `{}` stands for what was seen.
    pub(super) what: &'static str,
    pub(super) cause: &'static str,
    pub(super) fix: &'static str,
}

impl Mistake {
    pub(super) const fn is_about_health(self) -> bool {
        matches!(self, Self::NoHeartbeat | Self::Unhealthy | Self::HealthCheckHung)
    }

    pub(super) const fn advice(self) -> Advice {
        let (event_code, what, cause, fix) = match self {
            Self::InvalidPath => (
                Some("SERVER_PROCESS_INVALID_PATH"),
                "cannot be started: {}",
                "the path is wrong, or the file is not executable",
                "check the command; on a fleet, the launch path is absolute, below /local/game or C:\\game",
            ),
            Self::Refused => (
                Some("SERVER_PROCESS_SDK_INITIALIZATION_FAILED"),
                "its connection was refused: {}",
                "the fleet id, host id (the compute's name) or auth token is of another start of this GameLift, or the token is old",
                "set GAMELIFT_SDK_FLEET_ID, _HOST_ID and _AUTH_TOKEN as printed at start, or run the server with `gamelift-local dev`",
            ),
            Self::NeverConnected => (
                Some("SERVER_PROCESS_SDK_INITIALIZATION_TIMEOUT"),
                "has not connected {} after its start (step InitSDK); GameLift waits for 5 minutes",
                "InitSDK is not called, or too late, or with another URL than GAMELIFT_SDK_WEBSOCKET_URL; or the server is still being built",
                "call InitSDK first thing, without parameters or with those of the environment; C++, C# and Unreal need `--wss`",
            ),
            Self::ExitedBeforeConnecting => (
                Some("SERVER_PROCESS_CRASHED"),
                "ended before it connected (step InitSDK): {}",
                "it crashed at its start, or the command is no server",
                "read its last lines; run the command by hand with the printed exports",
            ),
            Self::NeverReady => (
                Some("SERVER_PROCESS_PROCESS_READY_TIMEOUT"),
                "is connected but not ready after {} (step ProcessReady); GameLift waits for 5 minutes",
                "ProcessReady is not called, or the server still loads what it could load after it",
                "call ProcessReady with the port as soon as a game session could start; load a map when one does",
            ),
            Self::ExitedBeforeReady => (
                Some("SERVER_PROCESS_CRASHED"),
                "ended before it was ready (step ProcessReady): {}",
                "it crashed while loading, or took a refusal of ProcessReady for the end",
                "read its last lines; a refusal is in the log with its reason",
            ),
            Self::NoHeartbeat => (
                Some("SERVER_PROCESS_TERMINATED_UNHEALTHY"),
                "is ready but has reported no health for {}; GameLift gives it up after three missed reports",
                "SDKs report by themselves: its main loop or the SDK's thread is blocked, or the process is stopped",
                "do not block the thread that the SDK runs on; with an SDK of your own, send HeartbeatServerProcess right after ProcessReady and every 60 s",
            ),
            Self::Unhealthy => (
                Some("SERVER_PROCESS_TERMINATED_UNHEALTHY"),
                "says that it is not healthy: {}; GameLift ends it after three such reports",
                "the health callback (OnHealthCheck) answers false, or returns nothing, which is false in some languages",
                "answer true from the callback as long as the process can host a game session",
            ),
            Self::HealthCheckHung => (
                Some("SERVER_PROCESS_TERMINATED_UNHEALTHY"),
                "its health callback hangs: a bad report came {}; GameLift ends it after three such reports",
                "the callback waits for a lock, for I/O or for the game's thread; SDKs report false after 50 to 60 s without an answer",
                "answer at once from a flag that the game sets; do nothing else in the callback",
            ),
            Self::NeverActivated => (
                Some("GAME_SESSION_ACTIVATION_TIMEOUT"),
                "was given a game session and has not activated it after {} (step ActivateGameSession); GameLift waits for 5 minutes or as the fleet says",
                "the callback OnStartGameSession does not call ActivateGameSession, or the map takes long to load",
                "call ActivateGameSession as soon as players may come; until then nobody is let in",
            ),
            Self::PlayerNotAccepted => (
                None,
                "a player's seat was reserved and not taken in time (step AcceptPlayerSession): {}",
                "the server does not call AcceptPlayerSession when a player connects, or the player never came",
                "let players send their player session id first, and let them in only if AcceptPlayerSession agrees",
            ),
            Self::NoProcessEnding => (
                Some("SERVER_PROCESS_CRASHED"),
                "is gone without saying so (step ProcessEnding): {}",
                "it crashed, was killed, or exits without calling ProcessEnding",
                "call ProcessEnding before the program ends, in the signal handler too; until GameLift notices, players are sent to it",
            ),
            Self::LateEnd => (
                Some("SERVER_PROCESS_FORCE_TERMINATED"),
                "was sent TerminateProcess {} ago and has not ended (step OnProcessTerminate); GameLift kills it after 5 minutes",
                "the callback OnProcessTerminate is missing, or does not end the program",
                "tell the players, call ProcessEnding and exit",
            ),
            Self::LateExit => (
                Some("SERVER_PROCESS_PROCESS_EXIT_TIMEOUT"),
                "has called ProcessEnding and goes on {} later; GameLift kills it then",
                "a thread, a listener or the engine keeps the program alive",
                "exit right after ProcessEnding has returned, with code 0",
            ),
        };
        Advice { event_code, what, cause, fix }
    }
}
