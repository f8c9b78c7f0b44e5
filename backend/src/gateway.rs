//! What stands in front of the API on AWS: Cognito identities, and API Gateway with `AWS_IAM`. Here they are a part of the
//! process, so that a client signs exactly as it does there.

pub mod cognito;
pub mod identity;
pub mod limits;
pub mod sigv4;
