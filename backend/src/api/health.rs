//! For load balancers.

use axum::extract::State;
use axum::http::StatusCode;

use super::answer::ErrorBody;
use crate::problem::Problem;
use crate::service::Backend;

/// Whether the process answers
#[utoipa::path(get, path = "/healthz", tag = "health", security(()), responses((status = 204, description = "It does")))]
pub(super) async fn healthz() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Whether it can serve players
#[utoipa::path(
    get, path = "/readyz", tag = "health", security(()),
    responses(
        (status = 204, description = "It can"),
        (status = 503, description = "The table cannot be reached", body = ErrorBody),
    ),
)]
pub(super) async fn readyz(State(backend): State<Backend>) -> Result<StatusCode, Problem> {
    backend.ready().await.map(|()| StatusCode::NO_CONTENT)
}
