//! HTTP servers that answer as they are told: API Gateway's side of sockets, and a GameLift that agrees to everything.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

/// A post to a socket.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) path: String,
    pub(crate) authorization: String,
    pub(crate) body: String,
}

#[derive(Default)]
struct Script {
    posts: Vec<Post>,
    /// Statuses for posts whose path has this in it, in order; the last one stays. 200 for all others.
    statuses: BTreeMap<String, VecDeque<u16>>,
}

/// A stage of a WebSocket API.
#[derive(Clone, Default)]
pub(crate) struct Stage(Arc<Mutex<Script>>);

impl Stage {
    /// Where it listens.
    pub(crate) async fn start(&self) -> String {
        let router = Router::new().fallback(post).with_state(self.clone());
        format!("{}/dev", listen(router).await)
    }

    pub(crate) fn answer(&self, path: &str, statuses: &[u16]) {
        self.0.lock().unwrap().statuses.insert(path.to_owned(), statuses.iter().copied().collect());
    }

    pub(crate) fn posts(&self) -> Vec<Post> {
        self.0.lock().unwrap().posts.clone()
    }
}

async fn post(State(stage): State<Stage>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut script = stage.0.lock().unwrap();
    let authorization = headers
        .get(header::AUTHORIZATION)
        .map(|value| value.to_str().unwrap().to_owned())
        .unwrap_or_default();
    let body = String::from_utf8(body.to_vec()).unwrap();
    script.posts.push(Post { path: uri.path().to_owned(), authorization, body });
    let statuses = script.statuses.iter_mut().find(|(path, _)| uri.path().contains(path.as_str()));
    let status =
        statuses.map_or(
            200,
            |(_, statuses)| {
                if statuses.len() > 1 { statuses.pop_front().unwrap() } else { statuses[0] }
            },
        );
    let status = StatusCode::from_u16(status).unwrap();
    match status.as_u16() {
        410 => (status, [("x-amzn-errortype", "GoneException")], "{}").into_response(),
        // As API Gateway's own throttling: without the name of an error.
        429 => (status, r#"{"message":"Too Many Requests"}"#).into_response(),
        _ => status.into_response(),
    }
}

/// Where a GameLift listens that answers every call with nothing in it (Smithy RPC v2 CBOR: an empty map).
pub(crate) async fn game_lift() -> String {
    let headers = [("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")];
    listen(Router::new().fallback(async move || (headers, vec![0xa0_u8]))).await
}

pub(crate) async fn listen(router: Router) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    // It ends with the test's runtime.
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}
