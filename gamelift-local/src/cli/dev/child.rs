//! One run of a server as a child, with everything that belongs to it.

use std::{
    io::{self, Write},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    process::{Child, Command},
    sync::watch,
    time::{sleep, timeout},
};

use super::lines::pass_on;

/// How long a server may take to end after Ctrl-C: it has ProcessEnding to call, and players to tell.
const STOP_GRACE: Duration = Duration::from_secs(10);
/// How long to read on when a server has ended: what it started may keep its output open.
const OUTPUT_GRACE: Duration = Duration::from_secs(1);

/// A running server.
pub(super) struct Run {
    child: Child,
    name: String,
}

impl Run {
    /// Starts a server, in a process group of its own: so that Ctrl-C in the terminal does not reach it before
    /// [`Run::until_stopped`] does, and so that whatever it starts ends with it.
    pub(super) fn start(
        name: &str,
        program: &str,
        arguments: &[String],
        variables: &[(&str, String)],
    ) -> io::Result<Self> {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        Ok(Self { child: command.spawn()?, name: name.to_owned() })
    }

    /// Its process id on this machine; also that of its group.
    pub(super) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Passes on what it says until it ends.
    async fn ended(&mut self) -> io::Result<ExitStatus> {
        let (out, err) = (self.child.stdout.take(), self.child.stderr.take());
        let name = &self.name;
        let output = async {
            let out = async {
                if let Some(out) = out {
                    pass_on(out, name, || Box::new(io::stdout()) as Box<dyn Write>).await;
                }
            };
            let err = async {
                if let Some(err) = err {
                    pass_on(err, name, || Box::new(io::stderr()) as Box<dyn Write>).await;
                }
            };
            tokio::join!(out, err);
        };
        tokio::pin!(output);
        let status = tokio::select! {
            status = self.child.wait() => status,
            // It has closed its output, and goes on in silence.
            () = &mut output => return self.child.wait().await,
        };
        if timeout(OUTPUT_GRACE, output).await.is_err() {
            tracing::debug!(name, "something that it started goes on");
        }
        status
    }
}

/// How much the operator wants it to end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stop {
    #[default]
    No,
    /// After the first Ctrl-C.
    Ask,
    /// After the second.
    Kill,
}

impl Run {
    /// Passes on what it says until it ends by itself or is stopped: asked first, as Ctrl-C in a terminal does, and killed if
    /// it does not follow.
    ///
    /// Cancelling kills it.
    pub(super) async fn until_stopped(mut self, stop: &mut watch::Receiver<Stop>) -> io::Result<ExitStatus> {
        let (group, name) = (self.id(), self.name.clone());
        let ended = self.ended();
        tokio::pin!(ended);
        tokio::select! {
            status = &mut ended => return status,
            // An error means that nobody is there to stop it, which is as good a reason.
            _ = stop.wait_for(|stop| *stop != Stop::No) => signal(group, Signal::Interrupt),
        }
        tokio::select! {
            status = &mut ended => return status,
            _ = stop.wait_for(|stop| *stop == Stop::Kill) => {}
            () = sleep(STOP_GRACE) => {
                tracing::warn!(name, "did not end within {} s of being asked: killed", STOP_GRACE.as_secs());
            }
        }
        signal(group, Signal::Kill);
        ended.await
    }
}

#[derive(Debug, Clone, Copy)]
enum Signal {
    Interrupt,
    Kill,
}

#[cfg(unix)]
fn signal(group: Option<u32>, signal: Signal) {
    use rustix::process::{Pid, Signal as Number, kill_process_group};
    let number = match signal {
        Signal::Interrupt => Number::INT,
        Signal::Kill => Number::KILL,
    };
    let group = group.and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(group) = group
        && let Err(error) = kill_process_group(group, number)
    {
        // It has ended already, most likely.
        tracing::debug!(?group, ?signal, %error, "a signal did not arrive");
    }
}

/// There are no such signals: the child is killed when it is dropped.
#[cfg(not(unix))]
fn signal(group: Option<u32>, signal: Signal) {
    tracing::debug!(?group, ?signal, "no signals on this system");
}
