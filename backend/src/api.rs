//! The HTTP API: routes, what they take, and how they answer. Every answer is JSON; `GET /openapi.json` describes all of it.
//!
//! The router knows nothing of signatures: whoever serves it puts a [`Caller`](crate::caller::Caller) among a request's
//! extensions, the local gateway here and Lambda's adapter on AWS. Without one, nobody is let in.

pub mod answer;
mod compat;
mod description;
mod health;
pub mod input;
mod players;
mod tickets;

use std::fmt;

use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::{Code, Problem};
use crate::service::Backend;

/// The longest body of a request, in bytes. A start with fifty latencies has two thousand.
pub const BODY_LEN_MAX: usize = 16 * 1024;

/// The API in two parts: what needs a caller, and what anybody may ask.
pub struct Parts {
    /// Routes that need a caller, and the answer to unknown paths.
    pub protected: Router,
    /// Health.
    pub public: Router,
    /// What both are, for [`Self::page`]. Whoever has more routes adds them.
    pub description: OpenApi,
}

impl fmt::Debug for Parts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Parts").finish_non_exhaustive()
    }
}

impl Parts {
    /// `GET /openapi.json`, which anybody may ask.
    pub fn page(description: OpenApi) -> Router {
        description::page(description)
    }
}

/// The routes over a backend. [`answer::finish`] goes around them, outside of whatever finds the caller.
pub fn parts(backend: &Backend) -> Parts {
    let protected = OpenApiRouter::with_openapi(description::empty())
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
    description::read_first(&mut description);
    let (public, more) = public.with_state(backend.clone()).split_for_parts();
    description.merge(more);
    let public = public.method_not_allowed_fallback(wrong_method);
    let protected = protected.method_not_allowed_fallback(wrong_method).fallback(unknown_path);
    Parts { protected, public, description }
}

async fn unknown_path() -> Problem {
    Problem::new(Code::NotFound, "there is nothing at this path; GET /openapi.json tells what there is")
}

/// 405, as JSON.
pub async fn wrong_method() -> Problem {
    Problem::new(Code::MethodNotAllowed, "this path has other methods, which the header Allow names")
}
