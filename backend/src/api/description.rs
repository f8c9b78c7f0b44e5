//! `GET /openapi.json`: the API's description, made of what is said at each handler, and of what is so for all of them.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{OpenApi, Ref, RefOr};
use utoipa::{Modify, OpenApi as _};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::BODY_LEN_MAX;
use super::answer::{ErrorBody, GatewayBody};
use super::input::BODY_WAIT;

const TEXT: &str = "\
From a player's identity to a seat in a game. Requests are signed with Signature Version 4 for the service `execute-api`, with \
credentials of a Cognito identity.

What is so for all paths, and so is not repeated at each:

* Every `GET` can be asked as `HEAD`, too.
* Another method is answered with 405, `{\"error\":{\"code\":\"METHOD_NOT_ALLOWED\",..}}` and the header `Allow`; another path with \
404 and the same form. Where requests must be signed, the signature is looked at first: without one both are 403.
* Web pages may call from the origins that the operator has named: `OPTIONS` answers them with `Access-Control-Allow-*`.
* A request line with headers of more than 16 KB is answered with 431. Whoever finds too many connections open is told 503 with \
`Retry-After`, without a body, and the connection is closed.
* `X-Request-Id` names the request in the log; errors have it as `requestId`, too.";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Backend of session-based game servers", description = TEXT),
    modifiers(&Signed),
    // What is only named where any call may fail is not found by itself.
    components(schemas(ErrorBody, GatewayBody)),
    security(("sigv4" = [])),
    tags(
        (name = "identity", description = "In place of Cognito: who has nothing gets an identity, and credentials to sign with"),
        (name = "matchmaking", description = "Asking for a match, and what becomes of it"),
        (name = "sessions", description = "Game sessions of one's own, and the way back to one"),
        (name = "players", description = "Who plays, with whom, and where"),
        (name = "events", description = "For SNS"),
        (name = "health", description = "For load balancers and readers: no signature needed"),
        (name = "compat", description = "What clients of AWS's samples and plugins call"),
    ),
)]
struct Description;

struct Signed;

impl Modify for Signed {
    fn modify(&self, openapi: &mut OpenApi) {
        let key = |name: &str, text: &str| {
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, text)))
        };
        let components = openapi.components.get_or_insert_default();
        let signed =
            "AWS Signature Version 4, service `execute-api`; in the query of a presigned URL it is as good";
        components.add_security_scheme("sigv4", key("Authorization", signed));
        let token = "A token from `POST /v1/auth/token`, in place of one of a Cognito user pool";
        components.add_security_scheme("token", key("Auth", token));
    }
}

/// What is said of the API as a whole.
pub(super) fn empty() -> OpenApi {
    Description::openapi()
}

/// The page as it is sent.
#[derive(Clone)]
struct Page(Bytes);

/// The route of the page.
pub(super) fn page(mut description: OpenApi) -> Router {
    let (router, own) = OpenApiRouter::new().routes(routes!(show)).split_for_parts();
    description.merge(own);
    complete(&mut description);
    // Written once: anybody may ask for it.
    let written = serde_json::to_vec(&description).expect("maps with keys of text, and numbers, are JSON");
    router.with_state(Page(written.into()))
}

/// This description
#[utoipa::path(
    get, path = "/openapi.json", tag = "health", security(()),
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = Object)),
)]
async fn show(State(Page(page)): State<Page>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], page).into_response()
}

/// Adds what any request may be answered.
fn complete(description: &mut OpenApi) {
    for item in description.paths.paths.values_mut() {
        for operation in operations(item) {
            add(operation, "431", "The request line and the headers are too long; there is no body", false);
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(response) = response
                    && status != "431"
                {
                    let id = HeaderBuilder::new().description(Some("Names the request in the log"));
                    response.headers.insert("X-Request-Id".to_owned(), RefOr::T(id.build()));
                    if matches!(status.as_str(), "429" | "503") {
                        let seconds = HeaderBuilder::new()
                            .schema(Some(ObjectBuilder::new().schema_type(Type::Integer)));
                        let seconds = seconds.description(Some("Seconds to wait"));
                        response.headers.insert("Retry-After".to_owned(), RefOr::T(seconds.build()));
                    }
                }
            }
        }
        // axum answers it by the same handler, without the body.
        item.head = item.get.clone().map(without_bodies);
    }
}

/// What any request for a protected route may be answered, whether it should have a body or not: the gateway reads it first.
pub(super) fn read_first(description: &mut OpenApi) {
    let slow = format!("The body did not come within {} s", BODY_WAIT.as_secs());
    let large = format!("The body has more than {BODY_LEN_MAX} bytes");
    for operation in description.paths.paths.values_mut().flat_map(operations) {
        add(operation, "408", &slow, true);
        add(operation, "413", &large, true);
    }
}

fn add(operation: &mut Operation, status: &str, text: &str, has_body: bool) {
    let mut response = ResponseBuilder::new().description(text);
    if has_body {
        let content =
            utoipa::openapi::ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorBody"))).build();
        response = response.content("application/json", content);
    }
    operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response.build()));
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.delete].into_iter().filter_map(Option::as_mut)
}

fn without_bodies(mut operation: Operation) -> Operation {
    operation.operation_id = operation.operation_id.map(|id| format!("{id}_head"));
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            response.content.clear();
        }
    }
    operation
}
