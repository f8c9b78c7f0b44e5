//! One player's line to the backend: an identity, credentials for it, and a signed request per method.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri, header};
use serde::Serialize;
use tokio::sync::Mutex;

use super::error::{CallError, PlayError, SetUpError, Step, StepError};
use super::http::{Answer, Http, host_of};
use super::identity::{Cognito, IdentityFile, are_fresh};
use super::model::{Connection, Invite, Location, Profile, StartRequest, Ticket};
use super::poll::Patience;
use super::push::Push;
use super::signature::{Credentials, presign, sign};

/// The Region of a backend whose URL names none: the local one's.
pub const REGION_DEFAULT: &str = "us-west-2";

/// How often a request is sent that fails in a way that may pass. With the waits between them this is about four seconds:
/// long enough for a hiccup, short enough for somebody who waits in front of a screen.
pub const ATTEMPTS_MAX: u32 = 4;

/// Which backend, and as whom.
#[derive(Clone, Debug, Default)]
pub struct ClientConfig {
    /// The backend's URL up to where `/v1` begins: `http://127.0.0.1:8080`, or with the stage,
    /// `https://abc123.execute-api.eu-west-1.amazonaws.com/prod`.
    pub backend: String,
    /// The Region that requests are signed for. By default that in the URL, or [`REGION_DEFAULT`].
    pub region: Option<String>,
    /// The identity pool. A local backend has one that is known.
    pub identity_pool: Option<String>,
    /// Where Cognito is: a URL, or `aws`. By default AWS's for a backend on AWS, and a local backend itself.
    pub cognito: Option<String>,
    /// The URL of the WebSocket API. A local backend's is known; on AWS it is another one than the backend's.
    pub web_socket: Option<String>,
    /// Where the identity is kept, so that the player is the same next time. By default it is forgotten.
    pub identity_file: Option<PathBuf>,
}

/// A player's line to the backend. A cheap clone: all clones are the same player.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    settings: Settings,
    file: Option<IdentityFile>,
    who: Mutex<Who>,
}

#[derive(Clone)]
struct Settings {
    http: Http,
    /// Without a slash at its end.
    base: String,
    region: String,
    cognito: Cognito,
    web_socket: Option<Uri>,
}

/// Held while it is found out, so that many requests at once ask once.
#[derive(Default)]
struct Who {
    identity: Option<String>,
    credentials: Option<Credentials>,
}

/// Without who it is.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.shared.settings.base).finish_non_exhaustive()
    }
}

/// An answer to [`Client::start`].
#[derive(Clone, Debug, PartialEq)]
pub struct Started {
    /// As it is now.
    pub ticket: Ticket,
    /// Whether it was there already: the key had been used.
    pub replayed: bool,
}

/// An answer to [`Client::ticket`].
#[derive(Clone, Debug, PartialEq)]
pub enum TicketNews {
    /// It is still the version of the entity tag.
    NotModified,
    /// The ticket.
    Ticket {
        /// As it is now.
        ticket: Box<Ticket>,
        /// For the next time.
        etag: Option<String>,
    },
}

impl Client {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// When an address cannot be used, or the identity file cannot.
    pub fn new(config: ClientConfig) -> Result<Self, SetUpError> {
        let base = base_url("the backend's URL", &config.backend)?;
        let host = base.host().unwrap_or_default().to_owned();
        let on_aws = host.ends_with(".amazonaws.com");
        let region = config
            .region
            .or_else(|| on_aws.then(|| region_of(&host)).flatten())
            .unwrap_or_else(|| REGION_DEFAULT.to_owned());
        if !region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            || region.is_empty()
        {
            let rule = "has to be the name of a Region, like eu-west-1";
            return Err(SetUpError::Address { name: "the region", value: region, rule });
        }
        let cognito = match config.cognito.as_deref() {
            Some("aws") => cognito_on_aws(&region)?,
            Some(url) => base_url("Cognito's URL", url)?,
            None if on_aws => cognito_on_aws(&region)?,
            None => origin(&base),
        };
        let pool = match config.identity_pool {
            Some(pool) => pool,
            None if on_aws => return Err(SetUpError::NoIdentityPool),
            None => format!("{region}:00000000-0000-0000-0000-000000000000"),
        };
        let trimmed = base.to_string().trim_end_matches('/').to_owned();
        let web_socket = match config.web_socket.as_deref() {
            // The rest of the client goes by http and https.
            Some(url) => Some(base_url(
                "the WebSocket API's URL",
                &url.replacen("ws", "http", usize::from(url.starts_with("ws"))),
            )?),
            None if on_aws => None,
            None => Some(base_url("the WebSocket API's URL", &format!("{trimmed}/v1/websocket"))?),
        };
        let servers = [Some(&base), Some(&cognito), web_socket.as_ref()];
        let tls = servers.into_iter().flatten().any(|uri| uri.scheme_str() == Some("https"));
        if base.scheme_str() == Some("http") && !is_loopback(&host) {
            tracing::warn!(
                host,
                "the backend is asked over plain HTTP: whoever is in between can play in your place"
            );
        }
        let file = config.identity_file.map(IdentityFile::new);
        let identity = match &file {
            Some(file) => file.read(&pool)?,
            None => None,
        };
        let settings = Settings {
            http: Http::new(tls)?,
            base: trimmed,
            region,
            cognito: Cognito { endpoint: cognito, pool },
            web_socket,
        };
        Ok(Self::as_player(settings, file, identity))
    }

    /// Another player of the same backend, with an identity that is forgotten. Connections are shared.
    #[must_use]
    pub fn another_player(&self) -> Self {
        Self::as_player(self.shared.settings.clone(), None, None)
    }

    fn as_player(settings: Settings, file: Option<IdentityFile>, identity: Option<String>) -> Self {
        let who = Mutex::new(Who { identity, credentials: None });
        Self { shared: Arc::new(Shared { settings, file, who }) }
    }

    /// Whether there is a WebSocket to listen on.
    #[must_use]
    pub fn can_push(&self) -> bool {
        self.shared.settings.web_socket.is_some()
    }

    /// Gets an identity and credentials now. Every other method does so if it has to.
    ///
    /// # Errors
    /// The identity or the credentials are not to be had, or the identity cannot be kept.
    ///
    /// # Cancel safety
    /// Dropping the future loses an identity that Cognito may have made.
    pub async fn sign_in(&self) -> Result<(), PlayError> {
        let mut who = self.shared.who.lock().await;
        self.identity(&mut who).await?;
        self.credentials(&mut who).await?;
        Ok(())
    }

    /// The identity, once there is one. It is a secret: whoever knows a guest's can act as them.
    pub async fn identity_id(&self) -> Option<String> {
        self.shared.who.lock().await.identity.clone()
    }

    /// Asks for a match. `key` is 8 to 64 characters; the same key never makes a second ticket, so a request whose outcome is
    /// unknown is repeated with it.
    ///
    /// # Errors
    /// `TICKET_ACTIVE` if the player has a ticket already: see [`current`](Self::current).
    ///
    /// # Cancel safety
    /// Dropping the future leaves a ticket that may have been made.
    pub async fn start(&self, key: &str, request: &StartRequest) -> Result<Started, StepError> {
        let request =
            Call { headers: &[("idempotency-key", key)], ..Call::json(Step::Start, TICKETS, request)? };
        let answer = self.call(request).await?;
        // 200 repeats what was said before; 202 is a new ticket.
        Ok(Started { ticket: read(Step::Start, &answer)?, replayed: answer.status == StatusCode::OK })
    }

    /// The ticket, unless it is still the version of `etag`.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none, or it is somebody else's.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn ticket(&self, ticket_id: &str, etag: Option<&str>) -> Result<TicketNews, StepError> {
        let path = ticket_path(Step::Ticket, ticket_id)?;
        self.ticket_at(&path, etag).await
    }

    /// The player's newest ticket: after a crash, or for the member of a party.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn current(&self) -> Result<Ticket, StepError> {
        let answer = self.call(Call::get(Step::Ticket, &format!("{TICKETS}/current"))).await?;
        read(Step::Ticket, &answer)
    }

    async fn ticket_at(&self, path: &str, etag: Option<&str>) -> Result<TicketNews, StepError> {
        let headers: Vec<(&str, &str)> = etag.map(|etag| ("if-none-match", etag)).into_iter().collect();
        let answer = self.call(Call { headers: &headers, ..Call::get(Step::Ticket, path) }).await?;
        if answer.status == StatusCode::NOT_MODIFIED {
            return Ok(TicketNews::NotModified);
        }
        Ok(TicketNews::Ticket { ticket: read(Step::Ticket, &answer)?, etag: answer.etag() })
    }

    /// Takes the request back. A ticket that is over stays as it is.
    ///
    /// # Errors
    /// `TICKET_PLACED` if there is a seat already.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the ticket cancelled.
    pub async fn cancel(&self, ticket_id: &str) -> Result<Ticket, StepError> {
        let path = ticket_path(Step::Cancel, ticket_id)?;
        let answer = self.call(Call { method: Method::DELETE, ..Call::get(Step::Cancel, &path) }).await?;
        read(Step::Cancel, &answer)
    }

    /// Accepts or refuses the proposed match.
    ///
    /// # Errors
    /// `NOT_IN_ACCEPTANCE` if there is none, or not any more.
    ///
    /// # Cancel safety
    /// Dropping the future may leave it answered.
    pub async fn answer(&self, ticket_id: &str, accept: bool) -> Result<Ticket, StepError> {
        #[derive(Serialize)]
        struct Body {
            accept: bool,
        }
        let path = format!("{}/acceptance", ticket_path(Step::Acceptance, ticket_id)?);
        let answer = self.call(Call::json(Step::Acceptance, &path, &Body { accept })?).await?;
        read(Step::Acceptance, &answer)
    }

    /// Where the running game is, to come back to it.
    ///
    /// # Errors
    /// `NO_SESSION` if there is none.
    ///
    /// # Cancel safety
    /// Dropping the future may leave another seat reserved, which lapses by itself.
    pub async fn session(&self) -> Result<Connection, StepError> {
        read(Step::Session, &self.call(Call::get(Step::Session, "/v1/sessions/current")).await?)
    }

    /// Consents to being taken into the ticket of whoever is given the token.
    ///
    /// # Errors
    /// See [`CallError`].
    ///
    /// # Cancel safety
    /// Dropping the future may leave a token that nobody knows; it lapses by itself.
    pub async fn invite(&self) -> Result<Invite, StepError> {
        let call = Call { method: Method::POST, ..Call::get(Step::Invite, "/v1/party/invites") };
        read(Step::Invite, &self.call(call).await?)
    }

    /// Where games can be played. For [`latency::measure`](super::latency::measure).
    ///
    /// # Errors
    /// See [`CallError`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn locations(&self) -> Result<Vec<Location>, StepError> {
        read(Step::Locations, &self.call(Call::get(Step::Locations, "/v1/locations")).await?)
    }

    /// What the backend keeps about the player.
    ///
    /// # Errors
    /// See [`CallError`].
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn profile(&self) -> Result<Profile, StepError> {
        read(Step::Profile, &self.call(Call::get(Step::Profile, "/v1/players/me")).await?)
    }

    /// Listens for news of the player's ticket.
    ///
    /// # Errors
    /// When the WebSocket cannot be opened. Asking works without it.
    ///
    /// # Cancel safety
    /// Dropping the future closes what was opened.
    pub async fn push(&self) -> Result<Push, StepError> {
        let at_push = |error| StepError { step: Step::Push, error };
        let Some(uri) = self.shared.settings.web_socket.clone() else {
            let what = "a WebSocket API on AWS has a URL of its own, and it was not given";
            return Err(at_push(CallError::Unsendable(what.to_owned())));
        };
        let credentials = self.fresh().await?;
        let opening = Request::builder()
            .uri(uri)
            .body(Bytes::new())
            .map_err(|error| error.to_string())
            .and_then(|request| {
                presign(request, &credentials, &self.shared.settings.region, SystemTime::now())
            })
            .map_err(|reason| at_push(CallError::Unsendable(reason)))?;
        Push::open(&self.shared.settings.http, opening).await.map_err(at_push)
    }

    /// One signed request. With credentials that have become unknown it is sent once more with new ones.
    async fn call(&self, call: Call<'_>) -> Result<Answer, StepError> {
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
    async fn fresh(&self) -> Result<Credentials, StepError> {
        let mut who = self.shared.who.lock().await;
        match self.identity(&mut who).await {
            Ok(()) => {}
            Err(PlayError::Call(error)) => return Err(error),
            // Known, but not kept: `sign_in` has told, or nobody asked.
            Err(error) => tracing::warn!(%error, "the identity is not kept"),
        }
        self.credentials(&mut who).await
    }

    async fn identity(&self, who: &mut Who) -> Result<(), PlayError> {
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

    async fn credentials(&self, who: &mut Who) -> Result<Credentials, StepError> {
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

const TICKETS: &str = "/v1/matchmaking/tickets";

struct Call<'a> {
    step: Step,
    method: Method,
    path: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: Bytes,
}

impl<'a> Call<'a> {
    fn get(step: Step, path: &'a str) -> Self {
        Self { step, method: Method::GET, path, headers: &[], body: Bytes::new() }
    }

    fn json(step: Step, path: &'a str, body: &impl Serialize) -> Result<Self, StepError> {
        let body = serde_json::to_vec(body)
            .map_err(|error| StepError { step, error: CallError::Unsendable(error.to_string()) })?;
        Ok(Self { method: Method::POST, body: body.into(), ..Self::get(step, path) })
    }
}

/// GameLift's ticket ids have 1 to 128 of these (API reference, StartMatchmaking). Nothing else becomes part of a path.
fn ticket_path(step: Step, ticket_id: &str) -> Result<String, StepError> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    if (1..=128).contains(&ticket_id.len())
        && ticket_id.bytes().all(legal)
        && !ticket_id.bytes().all(|b| b == b'.')
    {
        return Ok(format!("{TICKETS}/{ticket_id}"));
    }
    let what = format!("the ticket id {ticket_id:?} is not 1 to 128 letters, digits, hyphens and dots");
    Err(StepError { step, error: CallError::Unsendable(what) })
}

fn read<T: serde::de::DeserializeOwned>(step: Step, answer: &Answer) -> Result<T, StepError> {
    answer.json().map_err(|error| StepError { step, error })
}

fn base_url(name: &'static str, text: &str) -> Result<Uri, SetUpError> {
    let wrong = |rule| SetUpError::Address { name, value: text.to_owned(), rule };
    let uri: Uri = text.parse().map_err(|_| wrong("is no URL"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none_or(str::is_empty) {
        return Err(wrong("has to begin with http:// or https:// and a host"));
    }
    if uri.query().is_some() || uri.authority().is_some_and(|it| it.as_str().contains('@')) {
        return Err(wrong("must not have a user or a query"));
    }
    Ok(uri)
}

fn origin(base: &Uri) -> Uri {
    let mut parts = base.clone().into_parts();
    parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    Uri::from_parts(parts).expect("scheme and host were there before")
}

fn cognito_on_aws(region: &str) -> Result<Uri, SetUpError> {
    base_url("Cognito's URL", &format!("https://cognito-identity.{region}.amazonaws.com/"))
}

/// `abc123.execute-api.eu-west-1.amazonaws.com`
fn region_of(host: &str) -> Option<String> {
    let (_, rest) = host.split_once(".execute-api.")?;
    rest.strip_suffix(".amazonaws.com").map(str::to_owned)
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn config(backend: &str) -> ClientConfig {
        ClientConfig { backend: backend.to_owned(), ..ClientConfig::default() }
    }

    #[test]
    fn local_backend_is_its_own_cognito_and_websocket() {
        let settings = Client::new(config("http://127.0.0.1:8080/")).unwrap().shared.settings.clone();
        assert_eq!(settings.base, "http://127.0.0.1:8080");
        assert_eq!(settings.region, REGION_DEFAULT);
        assert_eq!(settings.cognito.endpoint, "http://127.0.0.1:8080/");
        assert_eq!(settings.web_socket.unwrap(), "http://127.0.0.1:8080/v1/websocket");
    }

    #[test]
    fn backend_on_aws_brings_its_region_and_cognito_and_needs_a_pool() {
        let url = "https://abc.execute-api.eu-west-1.amazonaws.com/prod";
        assert!(matches!(Client::new(config(url)), Err(SetUpError::NoIdentityPool)));
        let config = ClientConfig {
            identity_pool: Some("eu-west-1:1".to_owned()),
            web_socket: Some("wss://ws.execute-api.eu-west-1.amazonaws.com/prod".to_owned()),
            ..config(url)
        };
        let settings = Client::new(config).unwrap().shared.settings.clone();
        assert_eq!((settings.base.as_str(), settings.region.as_str()), (url, "eu-west-1"));
        assert_eq!(settings.cognito.endpoint, "https://cognito-identity.eu-west-1.amazonaws.com/");
        assert_eq!(settings.web_socket.unwrap(), "https://ws.execute-api.eu-west-1.amazonaws.com/prod");
    }

    #[test]
    fn addresses_that_are_none_are_named() {
        for bad in ["", "127.0.0.1:8080", "ftp://x", "http://u:p@x", "http://x?y", "http://"] {
            let error = Client::new(config(bad)).unwrap_err();
            assert!(matches!(error, SetUpError::Address { name: "the backend's URL", .. }), "{bad}: {error}");
        }
    }

    #[test]
    fn nothing_but_a_ticket_id_becomes_part_of_a_path() {
        for bad in ["", "a/b", "..", "a?b", "a b", "%2e", &"a".repeat(129)] {
            assert!(ticket_path(Step::Ticket, bad).is_err(), "{bad}");
        }
        assert_eq!(ticket_path(Step::Ticket, "t-1.x").unwrap(), "/v1/matchmaking/tickets/t-1.x");
    }
}
