//! `lambda-api`: the routes of [`crate::api`] behind a REST or an HTTP API.

use axum::Router;
use axum::extract::Request;
use axum::extract::State;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use lambda_http::request::RequestContext;

use super::caller;
use super::clients::{Clients, clock};
use super::config::Config;
use super::limits::Limits;
use super::{Failure, Lookup};
use crate::api;
use crate::limits::Cost;
use crate::service::Backend;

/// The routes for requests as `lambda_http` makes them: it adds what API Gateway says of them as an extension.
pub fn router(backend: &Backend, limits: Limits) -> Router {
    let api::Parts { protected, public, description } = api::parts(backend);
    let router = protected
        .merge(public)
        .merge(api::Parts::page(description))
        .method_not_allowed_fallback(api::wrong_method);
    router.layer(from_fn_with_state(limits, identify)).layer(from_fn(api::answer::finish))
}

async fn identify(State(limits): State<Limits>, mut request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<RequestContext>().and_then(caller::of_request);
    if let Some(caller) = caller {
        let cost = Cost::of(request.method(), request.uri().path());
        if let Err(problem) = limits.admit(&caller.player, cost).await {
            return problem.into_response();
        }
        request.extensions_mut().insert(caller);
    }
    next.run(request).await
}

/// Runs the function.
///
/// # Errors
///
/// A variable is wrong, or Lambda cannot be reached.
///
/// # Cancel safety
///
/// The call under way is lost.
pub async fn serve(environment: Lookup<'_>) -> Result<(), Failure> {
    let Config { aws, table, settings } = Config::calls(environment)?;
    let clients = Clients::new(&aws);
    let store = clients.store(&table);
    let limits = Limits::new(store.clone(), clock());
    let backend = Backend::new(settings, store, clients.game_lift(), clock());
    lambda_http::run(router(&backend, limits)).await
}
