//! The SDK's errors by what to do next.

use aws_sdk_gamelift::error::{ProvideErrorMetadata, SdkError};

use crate::game_lift::GameLiftError;

/// By code rather than by type: some of these are on no operation's list of errors (API reference, "Common Error Types").
pub(super) fn of<E: ProvideErrorMetadata>(error: &SdkError<E>) -> GameLiftError {
    let service = match error {
        SdkError::ServiceError(service) => service,
        SdkError::ConstructionFailure(_) => {
            return GameLiftError::Refused("the request cannot be made".to_owned());
        }
        // Nothing has been sent if there was no connection.
        SdkError::DispatchFailure(failure) if failure.is_io() && is_connecting(error) => {
            return GameLiftError::Unavailable("no connection".to_owned());
        }
        SdkError::TimeoutError(_) => return GameLiftError::Unclear("no answer in time".to_owned()),
        _ => return GameLiftError::Unclear("the connection was lost".to_owned()),
    };
    let code = service.err().code().unwrap_or("no code");
    let text = format!("{code}: {}", service.err().message().unwrap_or("no message"));
    by_code(code, service.raw().status().is_server_error(), text)
}

fn by_code(code: &str, is_server_error: bool, text: String) -> GameLiftError {
    match code {
        "NotFoundException" => GameLiftError::NotFound(text),
        "ThrottlingException" | "LimitExceededException" | "ServiceUnavailable" => {
            GameLiftError::Unavailable(text)
        }
        "InvalidRequestException"
        | "GameSessionFullException"
        | "InvalidGameSessionStatusException"
        | "TerminalRoutingStrategyException"
        | "ConflictException"
        | "ValidationError" => GameLiftError::Refused(text),
        // InternalServiceException among them: half of it may have been done.
        _ if is_server_error || code.starts_with("Internal") => GameLiftError::Unclear(text),
        // UnauthorizedException, UnsupportedRegionException, AccessDeniedException, expired credentials, an unknown operation.
        _ => GameLiftError::Forbidden(text),
    }
}

/// Whether an error is a connection that was refused, which hyper says only in its chain of sources.
fn is_connecting<E>(error: &SdkError<E>) -> bool {
    let SdkError::DispatchFailure(failure) = error else {
        return false;
    };
    let mut source = failure.as_connector_error().and_then(|error| std::error::Error::source(error));
    while let Some(error) = source {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return io.kind() == std::io::ErrorKind::ConnectionRefused;
        }
        source = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_says_what_to_do_next() {
        let of = |code: &str, is_server_error: bool| by_code(code, is_server_error, String::new());
        let text = String::new;
        for (code, is_server_error, wanted) in [
            ("InvalidRequestException", false, GameLiftError::Refused(text())),
            ("GameSessionFullException", false, GameLiftError::Refused(text())),
            ("InvalidGameSessionStatusException", false, GameLiftError::Refused(text())),
            ("NotFoundException", false, GameLiftError::NotFound(text())),
            ("ThrottlingException", false, GameLiftError::Unavailable(text())),
            ("ServiceUnavailable", true, GameLiftError::Unavailable(text())),
            ("InternalServiceException", true, GameLiftError::Unclear(text())),
            ("SomethingNew", true, GameLiftError::Unclear(text())),
            ("UnsupportedRegionException", false, GameLiftError::Forbidden(text())),
            ("AccessDeniedException", false, GameLiftError::Forbidden(text())),
            ("UnknownOperationException", false, GameLiftError::Forbidden(text())),
        ] {
            assert_eq!(of(code, is_server_error), wanted, "{code}");
        }
    }
}
