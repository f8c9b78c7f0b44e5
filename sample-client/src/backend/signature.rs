//! Signature Version 4, as API Gateway wants it from a player with credentials of a Cognito identity.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign as sign_v4,
};
use aws_sigv4::sign::v4::SigningParams;
use bytes::Bytes;
use http::{HeaderValue, Request, header};

/// API Gateway's name where signatures are concerned, WebSocket APIs included.
pub const SERVICE: &str = "execute-api";

/// How long a presigned URL is good for. It is used at once; the backend takes no more than five minutes.
pub const PRESIGNED_FOR: Duration = Duration::from_secs(60);

/// Keys of one identity, for about an hour.
#[derive(Clone)]
pub struct Credentials {
    /// Names the keys. Not a secret.
    pub access_key_id: String,
    /// The secret one.
    pub secret_key: String,
    /// Goes along with each request; a secret, too.
    pub session_token: String,
    /// When they are worth nothing.
    pub expires: SystemTime,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// Adds `Host`, `X-Amz-Date`, `X-Amz-Security-Token` and `Authorization`.
///
/// # Errors
/// What about the request cannot be signed.
pub fn sign(
    mut request: Request<Bytes>,
    credentials: &Credentials,
    region: &str,
    now: SystemTime,
) -> Result<Request<Bytes>, String> {
    // Said here, so that what is signed and what is sent are the same, port included.
    let host = authority(&request)?;
    request.headers_mut().insert(header::HOST, host);
    apply(&mut request, credentials, region, now, SigningSettings::default())?;
    Ok(request)
}

/// A request whose URL carries the signature: a WebSocket's opening, for which not every client can set headers.
///
/// # Errors
/// What about the request cannot be signed.
pub fn presign(
    mut request: Request<Bytes>,
    credentials: &Credentials,
    region: &str,
    now: SystemTime,
) -> Result<Request<Bytes>, String> {
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(PRESIGNED_FOR);
    let host = authority(&request)?;
    request.headers_mut().insert(header::HOST, host);
    apply(&mut request, credentials, region, now, settings)?;
    Ok(request)
}

fn authority(request: &Request<Bytes>) -> Result<HeaderValue, String> {
    let authority = request.uri().authority().ok_or("the URL names no host")?;
    HeaderValue::from_str(authority.as_str()).map_err(|_| "the URL's host is not ASCII".to_owned())
}

fn apply(
    request: &mut Request<Bytes>,
    credentials: &Credentials,
    region: &str,
    now: SystemTime,
    settings: SigningSettings,
) -> Result<(), String> {
    let identity = aws_credential_types::Credentials::new(
        &credentials.access_key_id,
        &credentials.secret_key,
        Some(credentials.session_token.clone()),
        Some(credentials.expires),
        "cognito",
    )
    .into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(SERVICE)
        .time(now)
        .settings(settings)
        .build()
        .map_err(|error| error.to_string())?
        .into();
    let headers: Vec<(&str, &str)> = request
        .headers()
        .iter()
        .map(|(name, value)| {
            Ok((name.as_str(), value.to_str().map_err(|_| format!("the header {name} is not ASCII"))?))
        })
        .collect::<Result<_, String>>()?;
    let signable = SignableRequest::new(
        request.method().as_str(),
        request.uri().to_string(),
        headers.into_iter(),
        SignableBody::Bytes(request.body()),
    )
    .map_err(|error| error.to_string())?;
    let (instructions, _) = sign_v4(signable, &params).map_err(|error| error.to_string())?.into_parts();
    instructions.apply_to_request_http1x(request);
    Ok(())
}
