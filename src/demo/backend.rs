//! The backend, pointed at the local GameLift and subscribed to its events.

use std::net::SocketAddr;

use ::backend::local::{Config, Running, start as start_backend};
use gamelift_local::{Local, SignatureVersion};
use sample_server::Fingerprint;
use url::Url;

use super::{DemoError, crowd, matchmaker};

/// Where players ask, unless any port will do.
const PORT: u16 = 9090;

const STEP: &str = "starting the backend";

/// Starts it, and waits until it has confirmed that it wants the events.
pub(super) async fn start(
    local: &Local,
    fleet_id: &str,
    certificate: Fingerprint,
    free_ports: bool,
) -> Result<Running, DemoError> {
    let url = |endpoint: &str| Url::parse(endpoint).map_err(|error| DemoError::new(STEP, error));
    let mut config = Config::new(url(local.api_endpoint())?, &url(local.admin_endpoint())?);
    config.listen = SocketAddr::from(([127, 0, 0, 1], if free_ports { 0 } else { PORT }));
    let settings = &mut config.settings;
    settings.configuration = matchmaker::NAME.to_owned();
    settings.queue = Some(matchmaker::NAME.to_owned());
    settings.initial_skill = crowd::SKILL_OF_NEWCOMERS;
    settings.topics = [matchmaker::TOPIC.to_owned()].into();
    settings.certificates = [(fleet_id.to_owned(), certificate.to_string())].into();
    let backend = start_backend(config).await.map_err(|error| DemoError::new(STEP, error))?;
    let subscribed =
        local.subscribe(&backend.events_url(), matchmaker::TOPIC, SignatureVersion::Sha256).await;
    subscribed.map_err(|error| DemoError::new("subscribing the backend to events", error))?;
    Ok(backend)
}
