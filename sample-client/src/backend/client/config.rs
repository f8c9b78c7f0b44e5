//! Which backend, and what is known of it by its URL.

use std::path::PathBuf;

use http::Uri;

use crate::backend::error::SetUpError;
use crate::backend::http::Http;
use crate::backend::identity::Cognito;

/// The Region of a backend whose URL names none: the local one's.
pub const REGION_DEFAULT: &str = "us-west-2";

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

/// What every player of one backend has in common.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) http: Http,
    /// Without a slash at its end.
    pub(super) base: String,
    pub(super) region: String,
    pub(super) cognito: Cognito,
    pub(super) web_socket: Option<Uri>,
    /// Where gRPC is called, unless API Gateway is in front: it passes none on.
    pub(super) grpc: Option<Uri>,
}

impl Settings {
    pub(super) fn new(config: &ClientConfig) -> Result<Self, SetUpError> {
        let base = base_url("the backend's URL", &config.backend)?;
        let host = base.host().unwrap_or_default().to_owned();
        let on_aws = host.ends_with(".amazonaws.com");
        let region = config
            .region
            .clone()
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
        let pool = match &config.identity_pool {
            Some(pool) => pool.clone(),
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
        let grpc = region_of(&host).is_none().then(|| base_url("the backend's URL", &trimmed)).transpose()?;
        let servers = || [Some(&base), Some(&cognito), web_socket.as_ref()].into_iter().flatten();
        for host in servers().filter(|it| it.scheme_str() == Some("http")).filter_map(Uri::host) {
            if !is_loopback(host) {
                tracing::warn!(host, "plain HTTP: whoever is in between can play in your place");
            }
        }
        let http = Http::new(servers().any(|uri| uri.scheme_str() == Some("https")))?;
        let cognito = Cognito { endpoint: cognito, pool };
        Ok(Self { http, base: trimmed, region, cognito, web_socket, grpc })
    }
}

fn base_url(name: &'static str, text: &str) -> Result<Uri, SetUpError> {
    let wrong = |rule| SetUpError::Address { name, value: redacted(text), rule };
    let uri: Uri = text.parse().map_err(|_| wrong("is no URL"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none_or(str::is_empty) {
        return Err(wrong("has to begin with http:// or https:// and a host"));
    }
    if uri.query().is_some() || uri.authority().is_some_and(|it| it.as_str().contains('@')) {
        return Err(wrong("must not have a user or a query"));
    }
    Ok(uri)
}

/// Without a query; and not at all if it may have a password, wherever that begins and ends in an address that is none.
fn redacted(url: &str) -> String {
    if url.contains('@') {
        return "(not shown, because of its @)".to_owned();
    }
    url.split('?').next().unwrap_or_default().to_owned()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn config(backend: &str) -> ClientConfig {
        ClientConfig { backend: backend.to_owned(), ..ClientConfig::default() }
    }

    #[test]
    fn local_backend_is_its_own_cognito_websocket_and_grpc() {
        let settings = Settings::new(&config("http://127.0.0.1:8080/")).unwrap();
        assert_eq!(settings.base, "http://127.0.0.1:8080");
        assert_eq!(settings.region, REGION_DEFAULT);
        assert_eq!(settings.cognito.endpoint, "http://127.0.0.1:8080/");
        assert_eq!(settings.web_socket.unwrap(), "http://127.0.0.1:8080/v1/websocket");
        assert_eq!(settings.grpc.unwrap(), "http://127.0.0.1:8080/");
    }

    #[test]
    fn backend_on_aws_brings_its_region_and_cognito_and_needs_a_pool() {
        let url = "https://abc.execute-api.eu-west-1.amazonaws.com/prod";
        assert!(matches!(Settings::new(&config(url)), Err(SetUpError::NoIdentityPool)));
        let config = ClientConfig {
            identity_pool: Some("eu-west-1:1".to_owned()),
            web_socket: Some("wss://ws.execute-api.eu-west-1.amazonaws.com/prod".to_owned()),
            ..config(url)
        };
        let settings = Settings::new(&config).unwrap();
        assert_eq!((settings.base.as_str(), settings.region.as_str()), (url, "eu-west-1"));
        assert_eq!(settings.cognito.endpoint, "https://cognito-identity.eu-west-1.amazonaws.com/");
        assert_eq!(settings.web_socket.unwrap(), "https://ws.execute-api.eu-west-1.amazonaws.com/prod");
        assert_eq!(settings.grpc, None, "API Gateway has none");
    }

    #[test]
    fn addresses_that_are_none_are_named() {
        for bad in ["", "127.0.0.1:8080", "ftp://x", "http://u:p@x", "http://x?y", "http://"] {
            let error = Settings::new(&config(bad)).err().unwrap();
            assert!(matches!(error, SetUpError::Address { name: "the backend's URL", .. }), "{bad}: {error}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_used_is_shown_without_its_secrets() {
        for bad in
            ["http://ada:secret@host/v1", "http://ada:sec?ret@host", "http://host/v1?X-Amz-Signature=secret"]
        {
            let shown = Settings::new(&config(bad)).err().unwrap().to_string();
            assert!(shown.contains("must not have") || shown.contains("is no URL"), "{shown}");
            assert!(!shown.contains("sec"), "{shown}");
        }
    }
}
