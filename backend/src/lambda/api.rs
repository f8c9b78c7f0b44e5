//! `lambda-api`: the routes of [`crate::api`] behind a REST or an HTTP API.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use lambda_http::request::RequestContext;

use super::caller;
use super::clients::{Clients, clock};
use super::config::Config;
use super::{Failure, Lookup};
use crate::api;
use crate::service::Backend;

/// The routes for requests as `lambda_http` makes them: it adds what API Gateway says of them as an extension.
pub fn router(backend: &Backend) -> Router {
    let api::Parts { protected, public, description } = api::parts(backend);
    let router = protected
        .merge(public)
        .merge(api::Parts::page(description))
        .method_not_allowed_fallback(api::wrong_method);
    router.layer(from_fn(identify)).layer(from_fn(api::answer::finish))
}

async fn identify(mut request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<RequestContext>().and_then(caller::of_request);
    if let Some(caller) = caller {
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
    let backend = Backend::new(settings, clients.store(&table), clients.game_lift(), clock());
    lambda_http::run(router(&backend)).await
}
