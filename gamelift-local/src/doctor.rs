//! The doctor: which step a game server has missed, why it probably did, and what to do about it.
//!
//! Fed with what is seen of every server process, it waits for the step that should come next, and speaks up when it
//! does not: long before the timeouts of Amazon GameLift Servers, so that nobody has to wait five minutes, but with the
//! code of the fleet event that would follow there. Every mistake is told once per run of a server.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod advice;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    time::Duration,
};

use serde::Serialize;

pub use self::advice::Mistake;
use crate::{
    Timestamp,
    engine::{ProcessName, Timers},
};

/// Most server processes that are watched at a time; what comes then is not, and that is said once.
const PATIENTS_MAX: usize = 10_000;
/// Findings kept for those who ask later.
pub(crate) const FINDINGS_MAX: usize = 256;
/// A started server has connected by then, unless it is still being built.
const CONNECT_WAIT: Duration = Duration::from_secs(30);
/// ProcessReady comes when the assets are loaded. GameLift waits for five minutes.
const READY_WAIT: Duration = Duration::from_secs(20);
/// SDKs report their health at once after ProcessReady, or 50 s later if the callback hangs (Go SDK 5.6.0).
const FIRST_HEALTH_WAIT: Duration = Duration::from_secs(65);
/// Then every 60 s with 10 s of jitter; a callback that hangs is reported 50 s late (Go SDK 5.6.0).
const HEALTH_WAIT: Duration = Duration::from_secs(130);
/// A report so much later than due comes from an SDK that has waited for a callback.
const HUNG_FIRST: Duration = Duration::from_secs(40);
/// As above, for reports behind the first.
const HUNG_NEXT: Duration = Duration::from_secs(90);
/// ActivateGameSession comes when the map is loaded. GameLift waits for five minutes, unless the fleet says otherwise.
const ACTIVATE_WAIT: Duration = Duration::from_secs(20);
/// SDKs connect again within seconds. GameLift notices a process that is gone after three missed health reports.
const RECONNECT_WAIT: Duration = Duration::from_secs(30);
/// TerminateProcess leaves five minutes to say goodbye to players.
const END_WAIT: Duration = Duration::from_secs(60);
/// What GameLift leaves a process between ProcessEnding and its exit (AWS API reference,
/// SERVER_PROCESS_PROCESS_EXIT_TIMEOUT).
const EXIT_WAIT: Duration = Duration::from_secs(30);

/// Something that was seen of a server process.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sign {
    /// Its program was started.
    Started,
    /// Its program could not be started.
    NotStarted {
        /// What the system said.
        error: String,
    },
    /// Its program has ended.
    Exited {
        /// How, for people.
        how: String,
    },
    /// A debugger has taken it, or let it go.
    Held(bool),
    /// It was not let in.
    Refused {
        /// What it was told.
        message: String,
    },
    /// It has opened a connection.
    Connected,
    /// It has no connection any more.
    Disconnected,
    /// ProcessReady was accepted.
    Ready,
    /// It has reported its health.
    Health {
        /// What it said.
        healthy: bool,
    },
    /// ProcessEnding.
    Ending,
    /// It was given up by the service.
    GivenUp,
    /// It was given a game session.
    GameSession,
    /// Its game session is ACTIVE.
    Activated,
    /// Its game session is over.
    GameSessionOver,
    /// It was asked to end.
    AskedToEnd,
    /// It has accepted a player.
    Accepted,
    /// A player whose seat was reserved was not accepted in time.
    NotAccepted,
}

impl Sign {
    const fn is_a_beginning(&self) -> bool {
        matches!(self, Self::Started | Self::NotStarted { .. } | Self::Refused { .. } | Self::Connected)
    }
}

/// What the doctor has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Finding {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub process: ProcessName,
    /// Which step was missed.
    pub mistake: Mistake,
    /// The fleet event of GameLift that follows there, if one does.
    pub event_code: Option<&'static str>,
    /// What was seen.
    pub what: String,
    /// Why, most likely.
    pub cause: String,
    /// What to do.
    pub fix: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { process, event_code, what, cause, fix, .. } = self;
        write!(f, "doctor: server process {}: {what}\n  cause: {cause}\n  fix:   {fix}", process.process_id)?;
        match event_code {
            Some(code) => write!(f, "\n  on GameLift: fleet event {code}"),
            None => Ok(()),
        }
    }
}

/// What is awaited of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Connect,
    Ready,
    Health,
    Activate,
    Reconnect,
    End,
    Exit,
}

impl Step {
    const fn wait(self, heard_before: bool) -> Duration {
        match self {
            Self::Connect => CONNECT_WAIT,
            Self::Ready => READY_WAIT,
            Self::Health if heard_before => HEALTH_WAIT,
            Self::Health => FIRST_HEALTH_WAIT,
            Self::Activate => ACTIVATE_WAIT,
            Self::Reconnect => RECONNECT_WAIT,
            Self::End => END_WAIT,
            Self::Exit => EXIT_WAIT,
        }
    }
}

/// One run of a server process.
#[derive(Debug, Default)]
struct Patient {
    /// Until when what is awaited.
    awaited: BTreeMap<Step, Timestamp>,
    told: Vec<Mistake>,
    /// Whether we know when its program ends.
    child: bool,
    held: bool,
    connected: bool,
    ever_connected: bool,
    ready: bool,
    ending: bool,
    /// When the last health report came, or ProcessReady.
    heard: Option<Timestamp>,
    reported: bool,
    accepted: bool,
}

/// The doctor. Pure: signs and the time in, findings out.
#[derive(Debug, Default)]
pub struct Doctor {
    patients: BTreeMap<ProcessName, Patient>,
    timers: Timers<(ProcessName, Step)>,
    findings: VecDeque<Finding>,
    full: bool,
}

impl Doctor {
    /// When [`Doctor::tick`] should be called next, if nothing is seen before.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.timers.next_at()
    }

    /// The next thing to be told.
    pub fn poll_finding(&mut self) -> Option<Finding> {
        self.findings.pop_front()
    }

    /// Something was seen of a process.
    pub fn see(&mut self, now: Timestamp, process: &ProcessName, sign: Sign) {
        if !self.patients.contains_key(process) {
            // What the service still says about a process that is gone is not its mistake.
            if !sign.is_a_beginning() {
                return;
            }
            if self.patients.len() >= PATIENTS_MAX {
                if !self.full {
                    tracing::warn!("the doctor watches {PATIENTS_MAX} server processes and no more");
                }
                self.full = true;
                return;
            }
            self.patients.insert(process.clone(), Patient::default());
        }
        if let Some(patient) = self.patients.get_mut(process) {
            let mut visit =
                Visit { now, process, patient, timers: &mut self.timers, findings: &mut self.findings };
            visit.see(sign);
            if patient.is_gone() {
                self.patients.remove(process);
            }
        }
    }

    /// Lets what is overdue be told.
    pub fn tick(&mut self, now: Timestamp) {
        while let Some((process, step)) = self.timers.pop_due(now) {
            let Some(patient) = self.patients.get_mut(&process) else { continue };
            if patient.awaited.get(&step).is_none_or(|due| *due > now) {
                continue;
            }
            let (timers, findings) = (&mut self.timers, &mut self.findings);
            Visit { now, process: &process, patient, timers, findings }.overdue(step);
            if patient.is_gone() {
                self.patients.remove(&process);
            }
        }
    }
}

impl Patient {
    /// Nothing is to be expected any more.
    fn is_gone(&self) -> bool {
        // Whoever is refused tries again, and must not be told again.
        !self.connected && !self.child && self.awaited.is_empty() && !self.told.contains(&Mistake::Refused)
    }
}

struct Visit<'a> {
    now: Timestamp,
    process: &'a ProcessName,
    patient: &'a mut Patient,
    timers: &'a mut Timers<(ProcessName, Step)>,
    findings: &'a mut VecDeque<Finding>,
}

impl Visit<'_> {
    fn see(&mut self, sign: Sign) {
        match sign {
            Sign::Started => {
                *self.patient = Patient { child: true, ..Patient::default() };
                self.await_step(Step::Connect);
            }
            Sign::NotStarted { error } => self.tell(Mistake::InvalidPath, &error),
            Sign::Exited { how } => self.exited(&how),
            Sign::Held(held) => self.held(held),
            Sign::Refused { message } => self.tell(Mistake::Refused, &message),
            Sign::Connected => {
                let first = !self.patient.ever_connected;
                self.patient.connected = true;
                self.patient.ever_connected = true;
                self.done(Step::Connect);
                self.done(Step::Reconnect);
                if first {
                    self.await_step(Step::Ready);
                }
            }
            Sign::Disconnected => {
                self.patient.connected = false;
                self.done(Step::Exit);
                if !self.patient.ending && self.patient.ever_connected {
                    self.await_step(Step::Reconnect);
                }
                self.done(Step::Ready);
            }
            Sign::Ready => {
                self.done(Step::Ready);
                self.patient.ready = true;
                self.patient.ending = false;
                self.patient.reported = false;
                self.patient.heard = Some(self.now);
                self.await_step(Step::Health);
            }
            Sign::Health { healthy } => self.health(healthy),
            Sign::Ending => {
                self.patient.ready = false;
                self.patient.ending = true;
                self.patient.awaited.clear();
                if self.patient.connected || self.patient.child {
                    self.await_step(Step::Exit);
                }
            }
            // What follows from ProcessEnding is no news.
            Sign::GivenUp if self.patient.ending => {}
            Sign::GivenUp => {
                self.patient.ready = false;
                self.patient.awaited.clear();
            }
            Sign::GameSession => {
                self.patient.accepted = false;
                self.await_step(Step::Activate);
            }
            Sign::Activated => self.done(Step::Activate),
            Sign::GameSessionOver => {
                if self.patient.awaited.contains_key(&Step::Activate) {
                    self.overdue(Step::Activate);
                }
            }
            Sign::AskedToEnd => self.await_step(Step::End),
            Sign::Accepted => self.patient.accepted = true,
            Sign::NotAccepted => {
                let seen = if self.patient.accepted { "others were accepted" } else { "nobody was accepted" };
                self.tell(Mistake::PlayerNotAccepted, seen);
            }
        }
    }

    fn health(&mut self, healthy: bool) {
        let since = self.patient.heard.map(|heard| self.now.since(heard)).unwrap_or_default();
        let hung = since >= if self.patient.reported { HUNG_NEXT } else { HUNG_FIRST };
        self.patient.heard = Some(self.now);
        self.patient.reported = true;
        self.await_step(Step::Health);
        if healthy {
            // Whoever falls ill again is told again.
            self.patient.told.retain(|mistake| !mistake.is_about_health());
        } else if hung {
            self.tell(
                Mistake::HealthCheckHung,
                &format!("{} s after the last sign of life", since.as_secs()),
            );
        } else if !self.patient.told.iter().any(|mistake| mistake.is_about_health()) {
            self.tell(Mistake::Unhealthy, "HealthStatus is false");
        }
    }

    fn exited(&mut self, how: &str) {
        let Patient { ever_connected, ready, ending, .. } = *self.patient;
        self.patient.child = false;
        self.patient.connected = false;
        self.patient.awaited.clear();
        match (ever_connected, ready, ending) {
            (_, _, true) => {}
            (false, ..) => self.tell(Mistake::ExitedBeforeConnecting, how),
            (true, false, _) => self.tell(Mistake::ExitedBeforeReady, how),
            (true, true, _) => self.tell(Mistake::NoProcessEnding, how),
        }
    }

    fn held(&mut self, held: bool) {
        let released = self.patient.held && !held;
        self.patient.held = held;
        if released {
            let steps: Vec<Step> = self.patient.awaited.keys().copied().collect();
            steps.into_iter().for_each(|step| self.await_step(step));
        }
    }

    fn await_step(&mut self, step: Step) {
        let due = self.now + step.wait(self.patient.reported);
        self.patient.awaited.insert(step, due);
        self.timers.set(due, (self.process.clone(), step));
    }

    fn done(&mut self, step: Step) {
        self.patient.awaited.remove(&step);
    }

    fn overdue(&mut self, step: Step) {
        if self.patient.held {
            return self.await_step(step);
        }
        self.done(step);
        let after = |wait: Duration| format!("{} s", wait.as_secs());
        match step {
            Step::Connect => self.tell(Mistake::NeverConnected, &after(CONNECT_WAIT)),
            Step::Ready => self.tell(Mistake::NeverReady, &after(READY_WAIT)),
            Step::Health if self.patient.reported => self.tell(Mistake::NoHeartbeat, &after(HEALTH_WAIT)),
            Step::Health => self.tell(Mistake::NoHeartbeat, &after(FIRST_HEALTH_WAIT)),
            Step::Activate => self.tell(Mistake::NeverActivated, &after(ACTIVATE_WAIT)),
            Step::Reconnect => {
                // What else it owes us cannot come, and would only repeat this.
                self.patient.awaited.clear();
                self.tell(
                    Mistake::NoProcessEnding,
                    &format!("its socket has been gone for {}", after(RECONNECT_WAIT)),
                );
            }
            Step::End => self.tell(Mistake::LateEnd, &after(END_WAIT)),
            Step::Exit => self.tell(Mistake::LateExit, &after(EXIT_WAIT)),
        }
    }

    fn tell(&mut self, mistake: Mistake, seen: &str) {
        if self.patient.told.contains(&mistake) {
            return;
        }
        self.patient.told.push(mistake);
        let advice = mistake.advice();
        self.findings.push_back(Finding {
            at: self.now,
            process: self.process.clone(),
            mistake,
            event_code: advice.event_code,
            what: advice.what.replace("{}", seen),
            cause: advice.cause.to_owned(),
            fix: advice.fix.to_owned(),
        });
    }
}

#[cfg(test)]
mod tests;
