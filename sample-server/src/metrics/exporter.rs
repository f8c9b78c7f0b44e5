//! `GET /metrics` in Prometheus's text format.
//!
//! The library keeps the numbers and writes the text. Its own listener brings HTTP/2 and says neither which port it got nor
//! why it could not listen; HTTP/1.1 with hyper is thirty lines.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{interval, timeout};

use super::names;

/// Scrapes at one time. One Prometheus makes one at a time, and has a spare.
pub const SCRAPES_MAX: usize = 8;

/// How long one scraper's connection may last. Prometheus gives up after 10 s by default.
pub const SCRAPE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a scraper may take to send its request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// How often observations are folded into their histograms, so that they do not pile up when nobody scrapes.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Upper bounds of the tick histogram, in seconds. A tick has 1/60 s: what lies above the fifth bound was too slow.
const TICK_BUCKETS: [f64; 8] = [0.0005, 0.001, 0.002, 0.005, 0.0167, 0.033, 0.1, 0.5];

/// Why there are no metrics.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetricsError {
    /// The recorder cannot be made, or there is one already in this OS process.
    #[error("cannot keep metrics")]
    Recorder(#[from] BuildError),
    /// The address cannot be listened on.
    #[error("cannot serve metrics on {address}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// Keeps metrics from now on and serves them. Call it before anything is counted, once per OS process. Returns the address,
/// and what to run for as long as they are served.
///
/// # Errors
/// [`MetricsError`].
///
/// # Cancel safety
/// Dropping the future may leave metrics that are kept and not served.
pub async fn serve(address: SocketAddr) -> Result<(SocketAddr, impl Future<Output = ()>), MetricsError> {
    let failed = |source| MetricsError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(names::TICK_SECONDS.to_owned()), &TICK_BUCKETS)?
        .install_recorder()?;
    names::describe();
    Ok((address, answer(listener, handle)))
}

async fn answer(listener: TcpListener, handle: PrometheusHandle) {
    let places = Arc::new(Semaphore::new(SCRAPES_MAX));
    let mut upkeep = interval(UPKEEP_INTERVAL);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = upkeep.tick() => {
                handle.run_upkeep();
                continue;
            }
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a scraper did not get through");
                tokio::time::sleep(REQUEST_TIMEOUT).await; // Out of files, say: do not spin.
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            tracing::warn!("more than {SCRAPES_MAX} scrapers at one time");
            continue;
        };
        let handle = handle.clone();
        tokio::spawn(async move {
            let _place = place;
            let service =
                service_fn(|request| std::future::ready(Ok::<_, Infallible>(page(&request, &handle))));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(REQUEST_TIMEOUT)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            if let Ok(Err(error)) = timeout(SCRAPE_TIMEOUT, connection).await {
                tracing::debug!(%error, "a scrape failed");
            }
        });
    }
}

fn page(request: &Request<Incoming>, handle: &PrometheusHandle) -> Response<Full<Bytes>> {
    let (status, text) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => (StatusCode::OK, handle.render()),
        _ => (StatusCode::NOT_FOUND, "GET /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    response
}
