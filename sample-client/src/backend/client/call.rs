//! One request: identity and credentials if there are none, the signature, and another attempt where that helps.

use std::time::SystemTime;

use bytes::Bytes;
use http::{Method, Request, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::config::Settings;
use super::{Client, Who};
use crate::backend::error::{CallError, PlayError, Step, StepError};
use crate::backend::http::{Answer, host_of};
use crate::backend::identity::are_fresh;
use crate::backend::poll::Patience;
use crate::backend::signature::{Credentials, sign};

/// How often a request is sent that fails in a way that may pass. With the waits between them this is about four seconds:
/// long enough for a hiccup, short enough for somebody who waits in front of a screen.
pub const ATTEMPTS_MAX: u32 = 4;

impl Client {
    /// One signed request. With credentials that have become unknown it is sent once more with new ones.
    pub(super) async fn call(&self, call: Call<'_>) -> Result<Answer, StepError> {
        match self.call_once(&call).await {
            Err(StepError { error: CallError::Refused(refusal), .. }) if refusal.is_about_credentials() => {
                self.shared.who.lock().await.credentials = None;
                self.call_once(&call).await
            }
            answer => answer,
        }
    }

    async fn call_once(&self, call: &Call<'_>) -> Result<Answer, StepError> {
        let credentials = self.fresh().await?;
        let settings = &self.shared.settings;
        let at_step = |error| StepError { step: call.step, error };
        let mut request =
            Request::builder().method(call.method.clone()).uri(format!("{}{}", settings.base, call.path));
        if !call.body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in call.headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(call.body.clone())
            .map_err(|error| error.to_string())
            .and_then(|request| sign(request, &credentials, &settings.region, SystemTime::now()))
            .map_err(|reason| at_step(CallError::Unsendable(reason)))?;
        let answer = settings.http.send(request).await.and_then(Answer::accepted);
        answer.map_err(at_step)
    }

    /// Credentials that are good for a while.
    pub(super) async fn fresh(&self) -> Result<Credentials, StepError> {
        let mut who = self.shared.who.lock().await;
        match self.identity(&mut who).await {
            Ok(()) => {}
            Err(PlayError::Call(error)) => return Err(error),
            // Known, but not kept: `sign_in` has told, or nobody asked.
            Err(error) => tracing::warn!(%error, "the identity is not kept"),
        }
        self.credentials(&mut who).await
    }

    pub(super) async fn identity(&self, who: &mut Who) -> Result<(), PlayError> {
        if who.identity.is_some() {
            return Ok(());
        }
        let Settings { http, cognito, .. } = &self.shared.settings;
        let at_identity = |error| StepError { step: Step::Identity, error };
        let identity = cognito.identity(http).await.map_err(at_identity)?;
        let kept = match &self.shared.file {
            Some(file) => file
                .write(&cognito.pool, &identity)
                .map_err(|source| PlayError::IdentityFile { path: file.path().to_owned(), source }),
            None => Ok(()),
        };
        who.identity = Some(identity);
        kept
    }

    pub(super) async fn credentials(&self, who: &mut Who) -> Result<Credentials, StepError> {
        if let Some(credentials) = &who.credentials
            && are_fresh(credentials, SystemTime::now())
        {
            return Ok(credentials.clone());
        }
        let Settings { http, cognito, .. } = &self.shared.settings;
        let identity = who.identity.as_deref().unwrap_or_default(); // Found out before.
        let credentials = cognito
            .credentials(http, identity)
            .await
            .map_err(|error| StepError { step: Step::Credentials, error })?;
        if credentials.expires <= SystemTime::now() {
            let what = "credentials that have ended already; check this machine's clock".to_owned();
            let error = CallError::Nonsense { host: host_of(&cognito.endpoint), what };
            return Err(StepError { step: Step::Credentials, error });
        }
        who.credentials = Some(credentials.clone());
        Ok(credentials)
    }
}

/// A request before it is signed.
pub(super) struct Call<'a> {
    pub(super) step: Step,
    pub(super) method: Method,
    /// Below the backend's URL.
    pub(super) path: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: Bytes,
}

impl<'a> Call<'a> {
    pub(super) fn get(step: Step, path: &'a str) -> Self {
        Self { step, method: Method::GET, path, headers: &[], body: Bytes::new() }
    }

    /// A POST.
    pub(super) fn json(step: Step, path: &'a str, body: &impl Serialize) -> Result<Self, StepError> {
        let body = serde_json::to_vec(body)
            .map_err(|error| StepError { step, error: CallError::Unsendable(error.to_string()) })?;
        Ok(Self { method: Method::POST, body: body.into(), ..Self::get(step, path) })
    }
}

/// The body of an answer.
pub(super) fn read<T: DeserializeOwned>(step: Step, answer: &Answer) -> Result<T, StepError> {
    answer.json().map_err(|error| StepError { step, error })
}

/// Sends a request again after failures that may pass, [`ATTEMPTS_MAX`] times in all.
///
/// # Errors
/// The last failure.
///
/// # Cancel safety
/// As the request's.
pub async fn patiently<T, F, R>(mut send: F) -> Result<T, StepError>
where
    F: FnMut() -> R,
    R: Future<Output = Result<T, StepError>>,
{
    let mut patience = Patience::new(fastrand::u64(..));
    for _ in 1..ATTEMPTS_MAX {
        match send().await {
            Err(failed) if failed.error.is_retryable() => {
                let Some(wait) = patience.failed(failed.error.retry_after()) else { return Err(failed) };
                tracing::info!(%failed, wait_ms = wait.as_millis() as u64, "a request failed; it is sent again");
                tokio::time::sleep(wait).await;
            }
            answer => return answer,
        }
    }
    send().await
}
