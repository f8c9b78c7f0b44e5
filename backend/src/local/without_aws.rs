//! In place of the clients of AWS, in a program that was built without them: there are none.

use std::convert::Infallible;

use url::Url;

use super::StartError;
use crate::game_lift::AwsGameLift;

/// There is none.
#[derive(Debug)]
pub(super) struct Aws(Infallible);

impl Aws {
    /// There is none.
    pub(super) async fn find(_: &str) -> Result<Self, StartError> {
        Err(StartError::WithoutAws)
    }

    pub(super) fn game_lift(&self, _: Option<&Url>) -> AwsGameLift {
        match self.0 {}
    }

    pub(super) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        match self.0 {}
    }
}
