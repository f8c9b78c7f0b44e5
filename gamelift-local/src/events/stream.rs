//! Events as a stream of server-sent events (WHATWG HTML, section 9.2).

use std::convert::Infallible;

use axum::response::{
    IntoResponse, Response,
    sse::{self, KeepAlive, Sse},
};
use futures_util::stream;
use tokio::sync::watch;

use super::Events;

/// Answers with every event from now on, until the service stops.
pub(crate) fn response(events: Events, stop: watch::Receiver<bool>) -> Response {
    let stream = stream::unfold((events, stop), |(mut events, mut stop)| async move {
        let next = tokio::select! {
            next = events.next() => next?,
            // An error means that the service is gone, which is as good a reason.
            _ = stop.wait_for(|stop| *stop) => return None,
        };
        let event = match next {
            Ok(event) => sse::Event::default().id(&event.id).data(&event.json),
            Err(missed) => sse::Event::default().event("missed").data(missed.count.to_string()),
        };
        Some((Ok::<_, Infallible>(event), (events, stop)))
    });
    Sse::new(stream).keep_alive(KeepAlive::default()).into_response()
}
