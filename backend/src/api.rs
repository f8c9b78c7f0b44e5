//! The HTTP API: routes, what they take, and how they answer. Every answer is JSON; `GET /openapi.json` describes all of it.
//!
//! The router knows nothing of signatures: whoever serves it puts a [`Caller`](crate::caller::Caller) among a request's
//! extensions, the local gateway here and Lambda's adapter on AWS. Without one, nobody is let in.

pub mod answer;
mod compat;
mod health;
pub mod input;
mod players;
mod tickets;

use axum::Router;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::{Code, Problem};
use crate::service::Backend;

/// The longest body of a request, in bytes. A start with fifty latencies has two thousand.
pub const BODY_LEN_MAX: usize = 16 * 1024;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Backend of session-based game servers",
        description = "From a player's identity to a seat in a game. Requests are signed with Signature Version 4 for the service `execute-api`, with credentials of a Cognito identity.",
    ),
    modifiers(&Signed),
    security(("sigv4" = [])),
    tags(
        (name = "matchmaking", description = "Asking for a match, and what becomes of it"),
        (name = "sessions", description = "Game sessions of one's own, and the way back to one"),
        (name = "players", description = "Who plays, with whom, and where"),
        (name = "health", description = "For load balancers: no signature needed"),
        (name = "compat", description = "What clients of AWS's samples and plugins call"),
    ),
)]
struct Description;

struct Signed;

impl utoipa::Modify for Signed {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let text = "AWS Signature Version 4, service execute-api";
        let scheme =
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description("Authorization", text)));
        openapi.components.get_or_insert_default().add_security_scheme("sigv4", scheme);
    }
}

/// The API in two parts: what needs a caller, and what anybody may ask.
#[derive(Debug)]
pub struct Parts {
    /// Routes that need a caller, and the answer to unknown paths.
    pub protected: Router,
    /// Health and the API's description.
    pub public: Router,
}

/// The routes over a backend. [`answer::finish`] goes around them, outside of whatever finds the caller.
pub fn parts(backend: &Backend) -> Parts {
    let protected = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(tickets::start))
        .routes(routes!(tickets::current))
        .routes(routes!(tickets::ticket, tickets::cancel))
        .routes(routes!(tickets::answer))
        .routes(routes!(players::session))
        .routes(routes!(players::start_private))
        .routes(routes!(players::invite))
        .routes(routes!(players::locations))
        .routes(routes!(players::profile))
        .routes(routes!(compat::request_matchmaking))
        .routes(routes!(compat::request_match_status))
        .routes(routes!(compat::start_game))
        .routes(routes!(compat::get_game_connection));
    let public = OpenApiRouter::new().routes(routes!(health::healthz)).routes(routes!(health::readyz));
    let (protected, mut description) = protected.with_state(backend.clone()).split_for_parts();
    let (public, more) = public.with_state(backend.clone()).split_for_parts();
    description.merge(more);
    let page = axum::Json(description);
    let public = public.route("/openapi.json", get(async move || page.clone()));
    let public = public.method_not_allowed_fallback(wrong_method);
    let protected = protected.method_not_allowed_fallback(wrong_method).fallback(unknown_path);
    Parts { protected, public }
}

async fn unknown_path() -> Problem {
    Problem::new(Code::NotFound, "there is nothing at this path; GET /openapi.json tells what there is")
}

/// 405, as JSON.
pub async fn wrong_method() -> Problem {
    Problem::new(Code::MethodNotAllowed, "this path has other methods, which the header Allow names")
}
