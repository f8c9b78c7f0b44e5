//! What can be done to one server process, by its id.

use super::Local;
use crate::{
    Timestamp,
    engine::{Engine, OperatorError, ProcessName},
};

impl Local {
    /// Closes the connections of a server process: with a close code, or abruptly. The process lives on. Returns how many
    /// connections there were.
    ///
    /// # Errors
    /// Nobody is called so, or several are, or it has no connection.
    ///
    /// # Cancel safety
    /// The connections may have been closed.
    pub async fn drop_process(&self, id: &str, close: Option<u16>) -> Result<usize, OperatorError> {
        self.on_process(id, move |engine, now, name| engine.drop_process(now, name, close)).await
    }

    /// Tells a server process to move to a new connection with a fresh token.
    ///
    /// # Errors
    /// Nobody is called so, or several are, or it has no connection.
    ///
    /// # Cancel safety
    /// The process may have been told.
    pub async fn refresh_process(&self, id: &str) -> Result<(), OperatorError> {
        self.on_process(id, |engine, now, name| engine.refresh_process(now, name)).await
    }

    /// Sends TerminateProcess to a server process, which has five minutes then. One that was asked to end already is not
    /// asked again.
    ///
    /// # Errors
    /// Nobody is called so, or several are, or it is not ready.
    ///
    /// # Cancel safety
    /// The process may have been told.
    pub async fn terminate_process(&self, id: &str) -> Result<(), OperatorError> {
        self.on_process(id, |engine, now, name| engine.end_process(now, name, false)).await
    }

    /// Sends TerminateProcess as before the end of a Spot Instance: after two minutes the process is gone, whatever it does.
    ///
    /// # Errors
    /// Nobody is called so, or several are, or it is not ready.
    ///
    /// # Cancel safety
    /// The process may have been told.
    pub async fn interrupt_process(&self, id: &str) -> Result<(), OperatorError> {
        self.on_process(id, |engine, now, name| engine.end_process(now, name, true)).await
    }

    async fn on_process<T: Send + 'static>(
        &self,
        id: &str,
        act: impl FnOnce(&mut Engine, Timestamp, &ProcessName) -> Result<T, OperatorError> + Send + 'static,
    ) -> Result<T, OperatorError> {
        let wanted = id.to_owned();
        let done = self.handle.run(move |engine, now| {
            let name = engine.find_process(&wanted, None, None)?;
            act(engine, now, &name)
        });
        // After a shutdown there are no processes.
        done.await.unwrap_or_else(|_stopped| Err(OperatorError::Unknown(id.to_owned())))
    }
}
